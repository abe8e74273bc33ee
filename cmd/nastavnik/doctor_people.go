package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/health"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// longClosed is for how long a schedule may be closed before it looks like a slip:
// longer than the longest holidays.
const longClosed = 21 * 24 * time.Hour

// peeking reads the store without making or migrating one; false when there is
// nothing to read yet.
func (a *app) peeking(ctx context.Context, fn func(tx bot.Tx) error) (bool, error) {
	if !a.production() {
		if _, err := os.Stat(filepath.Join(a.cfg.Data, sqlite.FileName)); errors.Is(err, os.ErrNotExist) {
			return false, nil
		}
	}
	if s, err := a.schema(ctx); err != nil || s.Pending() > 0 {
		return false, err
	}
	s, err := a.openTruth(ctx)
	if err != nil {
		return false, err
	}
	err = s.Read(ctx, fn)
	return true, errors.Join(err, s.Close())
}

// checkPeople names the seniors who cannot be reached, the topics for which nobody can
// be, and hours in which nobody works.
func (a *app) checkPeople(ctx context.Context) (string, error) {
	var c staffCheck
	read, err := a.peeking(ctx, func(tx bot.Tx) error {
		people, err := tx.People(ctx, false)
		if err != nil {
			return err
		}
		topics, err := tx.Topics(ctx)
		if err != nil {
			return err
		}
		queued, err := tx.Escalations(ctx, knowledge.EscalationFilter{Unassigned: true, State: knowledge.EscalationOpen})
		c = staffCheck{app: a, people: people, topics: topics, queued: len(queued), now: time.Now()}
		return err
	})
	if err != nil || !read {
		return pick(err == nil, "ещё некого", ""), err
	}
	return c.result()
}

// staffCheck looks at the people of a company.
type staffCheck struct {
	app      *app
	people   []knowledge.Person
	topics   []knowledge.Topic
	queued   int // questions that nobody has
	now      time.Time
	problems []string
}

func (c *staffCheck) say(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *staffCheck) result() (string, error) {
	seniors := 0
	for _, p := range c.people {
		if !p.Senior {
			continue
		}
		if !p.Left {
			seniors++
		}
		c.senior(p)
	}
	if seniors == 0 {
		c.say("сеньоров нет, отвечать некому: nastavnik person add ИМЯ --senior")
	}
	c.answering()
	if next := c.app.routing.Hours.Next(c.now); next.IsZero() || next.Sub(c.now) > longClosed {
		c.say("по senior.hours и senior.holidays рабочего времени нет (ближайшее — %s): проверьте настройки", firstOf(c.app.day(next), "больше чем через год"))
	}
	v := fmt.Sprintf("людей: %d, сеньоров: %d, тем: %d", len(c.people), seniors, len(c.topics))
	if len(c.problems) > 0 {
		return v, health.Warn("%s", strings.Join(c.problems, "\n"))
	}
	return v, nil
}

// senior says why a senior gets no questions.
func (c *staffCheck) senior(p knowledge.Person) {
	switch {
	case p.Left:
		if topics := c.topicsOf(p.ID); len(topics) > 0 {
			c.say("%s больше не работает, но записан на темы: %s; снять — nastavnik topic remove", p.Name, strings.Join(topics, ", "))
		}
		return
	case p.Chat == "":
		c.say("%s: написать нельзя, боту ещё не писал; пригласить — nastavnik person invite %q", p.Name, p.Name)
	case p.Unreachable != "":
		c.say("%s: написать нельзя, %s; пусть напишет боту сам", p.Name, unreachable(p.Unreachable))
	}
	if _, err := knowledge.ParseHours(p.Hours); err != nil {
		c.say("%s: рабочие часы не читаются (%q); поправить — nastavnik person set %d --hours", p.Name, p.Hours, p.ID)
		return
	}
	if next := c.app.routing.Schedule(p).Next(c.now); next.IsZero() || next.Sub(c.now) > longClosed {
		c.say("%s: рабочего времени нет (ближайшее — %s); поправить — nastavnik person set %d --hours", p.Name, firstOf(c.app.day(next), "больше чем через год"), p.ID)
	}
}

func (c *staffCheck) topicsOf(person int64) []string {
	var out []string
	for _, t := range c.topics {
		if slices.Contains(t.Seniors, person) {
			out = append(out, t.Name)
		}
	}
	return out
}

// answering names the topics whose seniors cannot be reached, and tells when nobody can
// answer anything.
func (c *staffCheck) answering() {
	able := map[int64]bool{}
	for _, p := range c.people {
		able[p.ID] = p.Senior && p.Reachable()
	}
	for _, t := range c.topics {
		if len(t.Seniors) > 0 && !slices.ContainsFunc(t.Seniors, func(id int64) bool { return able[id] }) {
			c.say("тема «%s»: ни одному её сеньору написать нельзя; назначить — nastavnik topic assign", t.Name)
		}
	}
	anybody := slices.ContainsFunc(c.people, func(p knowledge.Person) bool { return able[p.ID] })
	if c.queued > 0 && !anybody {
		c.say("вопросов, которые некому отдать: %d", c.queued)
	}
}

// checkDeliveries tells what did not get through.
func (a *app) checkDeliveries(ctx context.Context) (string, error) {
	var b bot.Backlog
	read, err := a.peeking(ctx, func(tx bot.Tx) (err error) {
		b, err = tx.Backlog(ctx)
		return err
	})
	if err != nil || !read {
		return pick(err == nil, "ещё нет", ""), err
	}
	v := fmt.Sprintf("ждут отправки: %d, не дошло: %d", b.Pending, b.Dead)
	if b.Dead > 0 {
		return v, health.Warn("не дошло сообщений: %d; каких и почему — nastavnik delivery list --state dead, отправить ещё раз — nastavnik delivery retry", b.Dead)
	}
	return v, nil
}
