package bottest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// office works as another process does: it is not killed with the bot.
func (p *player) office() bot.Office {
	return bot.Office{Store: p.stage.record, Now: p.stage.clock.Now, Routing: p.stage.rules.Routing}
}

// command is what an administrator does: the command line's words, with the
// question's text or the person's name in place of an id.
var command = regexp.MustCompile(`(?s)^(question|person|topic) ([a-z]+) «([^»]+)»(?: (.+))?$`)

// commands says what there is.
const commands = "question answer «QUESTION» TEXT, question status «QUESTION» STATUS, question unlearn «QUESTION» WORDING, " +
	"question accept «QUESTION», question refuse «QUESTION», question history «QUESTION», question assign «QUESTION» NAME, " +
	"person invite «NAME», person admin «NAME», person leave «NAME», person team «NAME» TEAM, person hours «NAME» HOURS, person away «NAME» DURATION, topic assign «TOPIC» NAME"

// operate runs an administrator's command.
func (p *player) operate(ctx context.Context, line string) error {
	m := command.FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("unknown command %q: there are %s", line, commands)
	}
	var err error
	switch m[1] {
	case "question":
		err = p.onQuestion(ctx, m[2], m[3], m[4])
	case "person":
		err = p.onPerson(ctx, m[2], m[3], m[4])
	default:
		err = p.assignTopic(ctx, m[3], m[4])
	}
	if err != nil {
		return err
	}
	return p.stage.settle()
}

// onQuestion does something to a question, known by its words.
func (p *player) onQuestion(ctx context.Context, verb, text, value string) error {
	id, err := p.stage.question(ctx, text)
	if err != nil {
		return err
	}
	switch verb {
	case "answer":
		return p.answer(ctx, id, value)
	case "status":
		to, err := knowledge.ParseStatus(value)
		if err == nil {
			_, err = p.office().SetStatus(ctx, id, to)
		}
		return err
	case "unlearn":
		_, err = p.office().Unlearn(ctx, id, value, 0)
		return err
	case "history":
		return p.history(ctx, id)
	case "accept", "refuse":
		return p.decide(ctx, id, verb == "accept")
	case "assign":
		to, err := p.person(ctx, value)
		if err == nil {
			_, err = p.office().Assign(ctx, id, to.ID, 0)
		}
		return err
	}
	return fmt.Errorf("unknown command: there are %s", commands)
}

// person returns somebody who is known by a name.
func (p *player) person(ctx context.Context, name string) (knowledge.Person, error) {
	return p.office().AddPerson(ctx, identity(name), func(*knowledge.Person) {})
}

// onPerson does something to somebody, known by their name.
func (p *player) onPerson(ctx context.Context, verb, name, value string) error {
	if verb == "invite" {
		return p.invite(ctx, name)
	}
	who, err := p.person(ctx, name)
	if err != nil {
		return err
	}
	if verb == "leave" {
		_, err = p.office().Leave(ctx, who.ID)
		return err
	}
	_, err = p.office().ChangePerson(ctx, who.ID, func(x *knowledge.Person) {
		switch verb {
		case "admin":
			x.Admin = true
		case "team":
			x.Team = value
		case "hours":
			x.Hours = value
		case "away":
			var d time.Duration
			d, err = time.ParseDuration(value)
			x.Away = p.stage.clock.Now().Add(d)
		}
	})
	return err
}

// invite makes an invitation, whose code a script writes as <код>: for somebody who is
// known, or for somebody new.
func (p *player) invite(ctx context.Context, name string) error {
	return p.stage.record.Write(ctx, func(tx bot.Tx) error {
		who, err := tx.Known(ctx, identity(name))
		if errors.Is(err, knowledge.ErrNotFound) {
			who = knowledge.Person{Name: name, Created: p.stage.clock.Now()}
			err = tx.PutPerson(ctx, &who)
		}
		if err != nil {
			return err
		}
		i, err := knowledge.Desk{Tx: tx, Now: p.stage.clock.Now()}.Invite(ctx, who.ID, 24*time.Hour)
		p.code = i.Code
		return err
	})
}

func (p *player) assignTopic(ctx context.Context, topic, name string) error {
	who, err := p.person(ctx, name)
	if err != nil {
		return err
	}
	return p.stage.record.Write(ctx, func(tx bot.Tx) error {
		return tx.PutTopic(ctx, knowledge.Topic{Name: topic, Seniors: []int64{who.ID}})
	})
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
