package knowledge_test

import (
	"context"
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// staffing is what happens to the people of a company.
func (c *company) staffing() map[string]func(*rapid.T) {
	out := map[string]func(*rapid.T){
		"hand over": func(t *rapid.T) {
			task, _ := c.someTask(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.HandOver(ctx, task, knowledge.HandedOver)
				return err
			})
		},
		"remind": func(t *rapid.T) {
			task, who := c.someTask(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Remind(ctx, task, who)
				return err
			})
		},
		"assign": func(t *rapid.T) {
			who, id := c.somebody(t), c.someQuestion(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Assign(ctx, id, who)
				return err
			})
		},
		"give out": func(t *rapid.T) {
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.GiveOut(ctx)
				return err
			})
		},
		"next of the queue": func(t *rapid.T) {
			who := c.somebody(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, _, err := d.NextQueued(ctx, who)
				return err
			})
		},
		"topic": func(t *rapid.T) {
			who, id := c.somebody(t), c.someQuestion(t)
			topic := rapid.SampledFrom([]string{"", "Сделки", "сделки", "Доступ"}).Draw(t, "topic")
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				if err := d.Tx.PutTopic(ctx, knowledge.Topic{Name: "Сделки", Seniors: []int64{who}}); err != nil {
					return err
				}
				_, err := d.SetTopic(ctx, id, topic)
				return err
			})
		},
	}
	for name, step := range c.turnover() {
		out[name] = step
	}
	return out
}

// turnover is who comes and goes.
func (c *company) turnover() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"blocks the bot": func(t *rapid.T) {
			who := c.somebody(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				p, err := d.Tx.Person(ctx, who)
				if err != nil {
					return err
				}
				_, err = d.Unreachable(ctx, who, p.Chat, "blocked")
				return err
			})
		},
		"writes again": func(t *rapid.T) {
			i := rapid.IntRange(0, 3).Draw(t, "identity")
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Tx.Identify(ctx, knowledge.Identity{Platform: "test", External: fmt.Sprint(i), Chat: fmt.Sprint("test:", i)}, d.Now)
				return err
			})
		},
		"leaves": func(t *rapid.T) {
			who := c.somebody(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Leave(ctx, who)
				return err
			})
		},
		"comes back": func(t *rapid.T) {
			who, admin := c.somebody(t), rapid.Bool().Draw(t, "admin")
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				p, err := d.Tx.Person(ctx, who)
				if err != nil {
					return err
				}
				p.Left, p.Admin, p.Away = false, admin, d.Now.Add(time.Minute)
				_, err = d.AddPerson(ctx, &p)
				return err
			})
		},
		"invitation": func(t *rapid.T) {
			who, stranger := c.somebody(t), c.somebody(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				i, err := d.InviteSenior(ctx, who, time.Hour)
				if err != nil {
					return err
				}
				p, err := d.Tx.Person(ctx, stranger)
				if err != nil {
					return err
				}
				_, err = d.Accept(ctx, i.Code, p)
				return err
			})
		},
	}
}
