package bottest

import (
	"context"
	"fmt"
	"regexp"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// office works as another process does: it is not killed with the bot.
func (p *player) office() bot.Office {
	return bot.Office{Store: p.stage.record, Now: p.stage.clock.Now}
}

// command is what an administrator does: the command line's words, with the
// question's text in place of its id.
var command = regexp.MustCompile(`(?s)^question (answer|status|unlearn|accept|refuse|history) «([^»]+)»(?: (.+))?$`)

// operate runs an administrator's command.
func (p *player) operate(ctx context.Context, line string) error {
	m := command.FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("unknown command %q: there are question answer «QUESTION» TEXT, question status «QUESTION» STATUS, "+
			"question unlearn «QUESTION» WORDING, question accept «QUESTION», question refuse «QUESTION», question history «QUESTION»", line)
	}
	id, err := p.stage.question(ctx, m[2])
	if err != nil {
		return err
	}
	switch m[1] {
	case "answer":
		err = p.answer(ctx, id, m[3])
	case "status":
		var to knowledge.Status
		if to, err = knowledge.ParseStatus(m[3]); err == nil {
			_, err = p.office().SetStatus(ctx, id, to)
		}
	case "unlearn":
		_, err = p.office().Unlearn(ctx, id, m[3], 0)
	case "history":
		err = p.history(ctx, id)
	default:
		err = p.decide(ctx, id, m[1] == "accept")
	}
	if err != nil {
		return err
	}
	return p.stage.settle()
}

func (p *player) answer(ctx context.Context, id, text string) error {
	who, err := p.office().AddPerson(ctx, identity("Оператор"), func(*knowledge.Person) {})
	if err != nil {
		return err
	}
	_, err = p.office().Answer(ctx, id, who.ID, text)
	return err
}

// decide decides on what a question has waiting for a decision.
func (p *player) decide(ctx context.Context, id string, accept bool) error {
	var open []knowledge.Review
	err := p.stage.record.Read(ctx, func(tx bot.Tx) (err error) {
		open, err = tx.Reviews(ctx, id, true)
		return err
	})
	if err != nil {
		return err
	}
	if len(open) == 0 {
		return fmt.Errorf("nothing of this question waits for a decision")
	}
	_, _, err = p.office().Decide(ctx, open[0].ID, 0, accept)
	return err
}

// history writes down what has become of a question so far.
func (p *player) history(ctx context.Context, id string) error {
	return p.stage.record.Read(ctx, func(tx bot.Tx) error {
		steps, err := knowledge.Desk{Tx: tx, Now: p.stage.clock.Now()}.History(ctx, id, 0, 0)
		if err != nil {
			return err
		}
		for _, s := range steps {
			line := "    " + string(s.Kind)
			if s.Text != "" {
				line += ": " + oneLine(s.Text)
			}
			if s.Person != 0 {
				who, err := tx.Person(ctx, s.Person)
				if err != nil {
					return err
				}
				line += " (" + who.Name + ")"
			}
			if s.Undone {
				line += ", undone"
			}
			p.out.WriteString(line + "\n")
		}
		return nil
	})
}
