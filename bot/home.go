package bot

import (
	"context"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Home is what a start page shows somebody.
type Home struct {
	// Stranger says that they may not use the bot, and that there is nothing for them.
	Stranger bool
	Mine     []MyQuestion // their latest questions
	FAQ      []Shelf      // the frequent questions by topic; those without one come last
}

// Shelf is the frequent questions of a topic.
type Shelf struct {
	Topic string // "" for none
	Items []knowledge.Brief
}

// homeLimit bounds the frequent questions of a start page.
const homeLimit = 100

// Home reads a start page. Who opens it before they have written is met by that.
func (r Reception) Home(ctx context.Context, who knowledge.Identity) (h Home, err error) {
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	err = r.Store.Write(ctx, func(tx Tx) error {
		p, err := tx.Identify(ctx, who, now())
		if err != nil {
			return err
		}
		if h.Stranger = r.Admits != nil && !r.Admits(p, who); h.Stranger {
			return nil
		}
		mine, err := newClerk(tx, Event{Person: p, At: now()}, knowledge.Learning{}, knowledge.Routing{}).execute(ctx, ReadMine{})
		if err != nil {
			return err
		}
		if m, ok := mine.(Mine); ok {
			h.Mine = m.Items
		}
		h.FAQ, err = shelves(ctx, tx)
		return err
	})
	return h, err
}

// shelves sorts the frequent questions by topic, in the order of the first of each.
func shelves(ctx context.Context, tx Tx) ([]Shelf, error) {
	all, err := tx.Questions(ctx, knowledge.QuestionFilter{Statuses: []knowledge.Status{knowledge.FAQ}, Limit: homeLimit})
	if err != nil {
		return nil, err
	}
	var out []Shelf
	var rest Shelf
	at := map[string]int{}
	for _, q := range all {
		brief := knowledge.Brief{ID: q.ID, Text: q.Text}
		if q.Topic == "" {
			rest.Items = append(rest.Items, brief)
			continue
		}
		i, ok := at[q.Topic]
		if !ok {
			i = len(out)
			at[q.Topic] = i
			out = append(out, Shelf{Topic: q.Topic})
		}
		out[i].Items = append(out[i].Items, brief)
	}
	if len(rest.Items) > 0 {
		out = append(out, rest)
	}
	return out, nil
}

// Status says what has become of the question.
func (m MyQuestion) Status(say *texts.Catalogue) string {
	if m.Question.Closed != knowledge.NotClosed {
		return say.Say("closed_"+string(m.Question.Closed), nil)
	}
	return say.Say("status_"+string(m.Question.Status), nil)
}
