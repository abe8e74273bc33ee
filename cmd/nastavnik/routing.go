package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nastavnik-bot/nastavnik/configs"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// routingOf returns how questions are given to seniors, as the domain has it. All
// problems are reported together, wrapped in configs.ErrConfig.
func routingOf(c configs.Config) (knowledge.Routing, error) {
	s := knowledge.Schedule{Zone: c.Location()}
	var problems []error
	problem := func(key string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", key, err))
		}
	}
	var err error
	s.Hours, err = knowledge.ParseHours(c.Senior.Hours)
	problem("senior.hours", err)
	s.Holidays, err = readDays(c.Senior.Holidays)
	problem("senior.holidays", err)
	s.Workdays, err = readDays(c.Senior.Workdays)
	problem("senior.workdays", err)
	if len(problems) > 0 {
		return knowledge.Routing{}, fmt.Errorf("%w: %w", configs.ErrConfig, errors.Join(problems...))
	}
	return knowledge.Routing{Limit: c.Senior.Limit, Hours: s, Remind: c.Senior.Remind, HandOver: c.Senior.HandOver}, nil
}

// readDays reads the days of a list, and of the files that it names.
func readDays(list []string) (map[knowledge.Date]bool, error) {
	texts, err := configs.Days(list)
	if err != nil {
		return nil, err
	}
	out := map[knowledge.Date]bool{}
	for _, text := range texts {
		dates, err := knowledge.ParseDates(text)
		if err != nil {
			return nil, err
		}
		for _, d := range dates {
			out[d] = true
		}
	}
	return out, nil
}

// access is who may use the bot.
func (a *app) access() knowledge.Access { return knowledge.Access(a.cfg.Access) }

// queueEvery is how often the queue is looked at: somebody is back from holiday, or
// begins to work, without anything having happened in a chat.
const queueEvery = time.Minute

// keepQueue gives out what waits for a senior until ctx ends.
func (a *app) keepQueue(ctx context.Context, p post) error {
	return p.lead(ctx, "queue", func(ctx context.Context) error {
		for ctx.Err() == nil {
			if _, err := a.office().GiveOut(ctx); err != nil && !errors.Is(err, knowledge.ErrAway) && ctx.Err() == nil {
				a.log.ErrorContext(ctx, "giving out the queue failed", "err", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(queueEvery):
			}
		}
		return nil
	})
}
