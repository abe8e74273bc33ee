package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Reception is where adapters bring what they hear, and learn what they need to show
// before anything is decided.
type Reception struct {
	Store Store
	Wake  func()           // tells the runner of this process; nil where it looks by itself
	Now   func() time.Time // nil for time.Now
	// Heard is told of every event that has been taken, and its kind; nil for nobody.
	Heard func(e Event, kind string)
	// Admits says who may use the bot; nil admits everybody.
	Admits func(knowledge.Person, knowledge.Identity) bool
}

// Post stores what an adapter heard, all of it or nothing. It returns after the
// commit: the platform may be told then that the events have been taken. An event
// that came before changes nothing.
func (r Reception) Post(ctx context.Context, events ...Event) error {
	if err := Post(ctx, r.Store, events...); err != nil {
		return err
	}
	if r.Wake != nil {
		r.Wake()
	}
	if r.Heard != nil {
		for _, e := range events {
			r.Heard(e, kindOf(e.Body))
		}
	}
	return nil
}

// OldButton is a button as it was shown to somebody.
type OldButton struct {
	Button

	Chat  ChatID // that it was shown in
	Taken string // the label pressed before among the same choice, "" for none
}

// Button returns the button with an id, whosever it is. The error wraps
// knowledge.ErrNotFound when there is none.
func (r Reception) Button(ctx context.Context, id string) (b OldButton, err error) {
	delivery, section, button, ok := parseButtonID(id)
	if !ok {
		return b, fmt.Errorf("no id of a button: %w", knowledge.ErrNotFound)
	}
	err = r.Store.Read(ctx, func(tx Tx) error {
		d, err := tx.Delivery(ctx, delivery)
		if err != nil {
			return err
		}
		if section < 0 || section >= len(d.Message.Sections) || button < 0 || button >= len(d.Message.Sections[section].Buttons) {
			return fmt.Errorf("delivery %d has no such button: %w", delivery, knowledge.ErrNotFound)
		}
		b.Button, b.Chat = d.Message.Sections[section].Buttons[button], d.Chat
		b.Taken, err = tx.Taken(ctx, delivery, section)
		return err
	})
	return b, err
}

// Form is what somebody fills in instead of pressing a button and writing what it
// asks for.
type Form struct {
	Title string // the question that it is about, on one line; "" when there is none
	Text  string // what there is to change, in Markdown; "" to begin with nothing
	// Topics are those to choose from, where a topic is asked for.
	Topics []string
}

// Form returns what the form of a button begins with.
func (r Reception) Form(ctx context.Context, b Button) (f Form, err error) {
	if b.Press.Question == "" {
		return f, nil
	}
	err = r.Store.Read(ctx, func(tx Tx) error {
		q, err := tx.Question(ctx, b.Press.Question)
		if err != nil {
			return err
		}
		f.Title = title(q.Text)
		switch b.Press.Verb {
		case EditAnswer:
			f.Text = q.Answer.Text
		case ChooseTopic:
			f.Topics, err = topicNames(ctx, tx)
		default:
		}
		return err
	})
	return f, err
}
