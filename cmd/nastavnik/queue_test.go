package main

import (
	"context"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// A question that nobody could get when it was asked reaches a senior who is back,
// though nothing has happened in any chat since.
func TestQueueIsGivenOutToWhoIsBack(t *testing.T) {
	t.Parallel()
	c := filled(newCLI(t))
	c.must("person", "add", "Анна К.", "--senior")
	d := openDesk(t, c)
	change := func(fn func(*knowledge.Person)) {
		c.desk(time.Now(), func(ctx context.Context, d knowledge.Desk) error {
			all, err := d.Tx.People(ctx, true)
			if err != nil {
				return err
			}
			fn(&all[0])
			return d.Tx.PutPerson(ctx, &all[0])
		})
	}
	change(func(p *knowledge.Person) { p.Away = time.Now().Add(time.Hour) })
	b := c.startBot()
	d.say("Иван П.", "куда девать старые визитки")
	d.press("Иван П.", say(t, "button_none", nil))
	eventually(t, "the question waits in the queue", func() bool {
		return c.count(`SELECT COUNT(*) FROM escalations WHERE state = 'open' AND senior = 0`) == 1
	})
	change(func(p *knowledge.Person) { p.Away = time.Time{} })
	b.kill()
	c.startBot() // which looks at the queue at once
	eventually(t, "she has it", func() bool {
		return c.count(`SELECT COUNT(*) FROM escalations WHERE state = 'open' AND senior <> 0`) == 1
	})
}
