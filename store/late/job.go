package late

import (
	"time"

	"github.com/riverqueue/river"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// The queues: indexing takes minutes and must not hold up what has a time.
const (
	wakeQueue  = "wake"
	indexQueue = "index"
)

// attempts is how often a job is tried: with retries five minutes apart that is
// a month of an outage. Nothing may be lost sooner.
const attempts = 10_000

// PostEvent is a job that posts an inbox row. The names of its fields are
// stored: they are for ever.
type PostEvent struct {
	Key      string    `json:"key"`
	Chat     string    `json:"chat"`
	Event    string    `json:"event"` // the row's kind
	Payload  []byte    `json:"payload"`
	Platform string    `json:"platform,omitempty"`
	External string    `json:"external,omitempty"`
	Name     string    `json:"name,omitempty"`
	From     string    `json:"from,omitempty"` // the sender's own chat
	At       time.Time `json:"at"`
	Inner    bool      `json:"inner,omitempty"`
}

func newPostEvent(r bot.Row) PostEvent {
	return PostEvent{
		Key: r.Key, Chat: string(r.Chat), Event: r.Kind, Payload: r.Payload,
		Platform: r.From.Platform, External: r.From.External, Name: r.From.Name, From: r.From.Chat,
		At: r.At, Inner: r.Inner,
	}
}

// Row returns the row to post.
func (p PostEvent) Row() bot.Row {
	return bot.Row{
		Key: p.Key, Chat: bot.ChatID(p.Chat), Kind: p.Event, Payload: p.Payload,
		From: knowledge.Identity{Platform: p.Platform, External: p.External, Name: p.Name, Chat: p.From},
		At:   p.At, Inner: p.Inner,
	}
}

// Kind implements river.JobArgs.
func (PostEvent) Kind() string { return "post_event" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (PostEvent) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: wakeQueue, MaxAttempts: attempts}
}

// DrainChat is a job that sends what waits to be sent in a chat.
type DrainChat struct {
	Chat string `json:"chat"`
}

// Kind implements river.JobArgs.
func (DrainChat) Kind() string { return "drain_chat" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (DrainChat) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: wakeQueue, MaxAttempts: attempts}
}

// IndexQuestions is a job that brings the vectors of questions up to date.
type IndexQuestions struct {
	IDs []string `json:"ids"`
}

// Kind implements river.JobArgs.
func (IndexQuestions) Kind() string { return "index_questions" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (IndexQuestions) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: indexQueue, MaxAttempts: attempts}
}
