package bot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Platform is what an adapter gives the runner. Only Sender must be there.
type Platform struct {
	Sender    Sender
	Fetcher   Fetcher
	Directory Directory
	// Limits returns what a message to a chat counts against, that of the chat's room
	// last; nil for a platform without limits.
	Limits func(ChatID) []Limit
}

// Dispatch is one message of a platform that is to be sent: a part of a delivery.
type Dispatch struct {
	Delivery
	Part int // from 0
	// Under is the platform's id of the message beneath which it belongs, "" for none.
	Under string
	// Of is the delivery that it changes, and Taken what has been chosen there by
	// section; nil for a new message.
	Of    *Delivery
	Taken map[int]string
}

// Name is the same for every attempt to send the dispatch, and differs from that of
// any other: platforms that keep it can be asked whether it has arrived.
func (d Dispatch) Name() string { return fmt.Sprintf("%d.%d", d.ID, d.Part) }

// Sender sends messages on one platform.
type Sender interface {
	// Parts returns how many messages of the platform a delivery takes, at least 1:
	// the same number every time.
	Parts(d Dispatch) int
	// Send sends one of them and returns the platform's id of it. The error says what
	// is to be done: see ErrUndeliverable, ErrUnreachable, ErrDoubt, SlowDownError, and
	// knowledge.ErrAway for a platform that cannot be used at all; any other is tried
	// again later a number of times.
	Send(ctx context.Context, d Dispatch) (external string, err error)
}

// Fetcher gets the files that people have sent.
type Fetcher interface {
	// Fetch returns the content of a file, which is to be closed. The error wraps
	// knowledge.ErrNotFound when it is gone, knowledge.ErrInvalid when the platform does
	// not give files so large.
	Fetch(ctx context.Context, f File) (io.ReadCloser, error)
}

// Profile is what a platform vouches for about somebody.
type Profile struct {
	Name  string
	Email string // "" when the platform does not tell
	Team  string // where they work, "" when unknown
	Zone  string // the IANA time zone, "" when unknown
	// Outsider says that they do not belong to the company's own space; Gone that they
	// have left it.
	Outsider, Gone bool
}

// Directory knows the people of a platform.
type Directory interface {
	// Profile returns what is known of somebody. The error wraps knowledge.ErrNotFound
	// for nobody.
	Profile(ctx context.Context, external string) (Profile, error)
}

// Errors of sending that callers tell apart.
var (
	// ErrUndeliverable says that sending this message again cannot help.
	ErrUndeliverable = errors.New("cannot be delivered")
	// ErrUnreachable says that nothing can be sent to the chat: its person has blocked
	// the bot, has left, or never spoke to it; or it is gone.
	ErrUnreachable = fmt.Errorf("nobody there: %w", ErrUndeliverable)
	// ErrDoubt says that the message may have arrived all the same. It stands beside
	// another error.
	ErrDoubt = errors.New("may have arrived")
)

// SlowDownError says that the platform takes nothing for the room before some time has passed.
type SlowDownError struct{ After time.Duration }

// Error implements error.
func (e *SlowDownError) Error() string { return fmt.Sprintf("the platform asks to wait %s", e.After) }

// Result is what came of one attempt to send.
type Result string

// The results of attempts.
const (
	Arrived      Result = "sent"
	TooFast      Result = "slow_down" // the platform asks to wait
	PlatformAway Result = "away"
	Failed       Result = "failed" // to be tried again
	GivenUp      Result = "dead"
)

// Outcome is one attempt to send, for those who count.
type Outcome struct {
	Platform string
	Result   Result
	Doubt    bool          // it has arrived, perhaps for the second time
	Waited   time.Duration // since the message was written
}

// keeper keeps the contents of files that people send; knowledge.Files is one.
type keeper interface {
	Put(ctx context.Context, r io.Reader, limits knowledge.FileLimits) (knowledge.Content, error)
}
