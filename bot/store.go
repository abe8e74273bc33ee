package bot

import (
	"context"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Store is the record of truth as the bot needs it.
type Store interface {
	// Write runs fn in a transaction and commits it when fn returns nil. Nothing
	// else writes meanwhile.
	Write(ctx context.Context, fn func(Tx) error) error
	// Read runs fn on one consistent state.
	Read(ctx context.Context, fn func(Tx) error) error
}

// Tx is one transaction: the knowledge base, the mail of the chats, and late work.
type Tx interface {
	knowledge.Tx
	InboxTx
	OutboxTx
	OutboxList
	ChatTx
	ScheduleTx
	LimitTx
}

// Row is an event or a query as stored in the inbox.
type Row struct {
	ID       int64
	Key      string // unique for ever
	Chat     ChatID
	Kind     string // see Encode
	Payload  []byte // JSON
	From     knowledge.Identity
	At       time.Time
	Inner    bool // a query: goes before what people sent later
	Attempts int  // how often handling it has failed
	Known    bool // Post fills it in: the key was there already
}

// InboxTx is what has come in, in order per chat.
type InboxTx interface {
	// Post stores a row, and fills in its ID and Known. A key that is known already is
	// no error and changes nothing: the same event came twice.
	Post(ctx context.Context, r *Row) error
	// NextRow returns the chat's next row: inner rows first, then by age. The
	// error wraps knowledge.ErrNotFound when there is none.
	NextRow(ctx context.Context, chat ChatID) (Row, error)
	// Settle ends a row; failure says why it could not be handled, "" for done. The
	// error wraps knowledge.ErrConflict when the row has been ended already.
	Settle(ctx context.Context, id int64, at time.Time, failure string) error
	// Failed counts one more failed attempt.
	Failed(ctx context.Context, id int64) error
}

// DeliveryState is how far a delivery has come.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending DeliveryState = "pending"
	DeliverySent    DeliveryState = "sent"
	DeliveryDead    DeliveryState = "dead" // will not be tried again
)

// Delivery is one message to send.
type Delivery struct {
	ID       int64
	Key      string // unique for ever
	Chat     ChatID
	Message  Message
	State    DeliveryState
	Attempts int
	NotUntil time.Time // when the next attempt is due; zero for now
	External []string  // the platform's ids of the messages sent so far, one a part
	Error    string    // of the latest attempt
	// Doubt says that an attempt may have arrived without our knowing.
	Doubt   bool
	Created time.Time
}

// OutboxTx is what is to go out, in order per chat.
type OutboxTx interface {
	// PutDelivery inserts a delivery, filling in its ID and those of its
	// buttons, or updates the one with its ID. A key that is known already
	// changes nothing.
	PutDelivery(ctx context.Context, d *Delivery) error
	// NextDelivery returns the oldest pending delivery of a chat, due or not;
	// the error wraps knowledge.ErrNotFound when there is none.
	NextDelivery(ctx context.Context, chat ChatID) (Delivery, error)
	// Delivery returns one delivery by its ID.
	Delivery(ctx context.Context, id int64) (Delivery, error)
	// Deliveries lists a chat's sent deliveries after an ID, oldest first.
	Deliveries(ctx context.Context, chat ChatID, after int64, limit int) ([]Delivery, error)
}

// DeliveryFilter chooses deliveries for a list. Zero fields do not filter.
type DeliveryFilter struct {
	State DeliveryState
	Chat  ChatID
	After int64 // continue after this id (page)
	Limit int   // 0 means all
}

// OutboxList finds deliveries by what they are and where they came to. A lookup of
// what does not exist wraps knowledge.ErrNotFound.
type OutboxList interface {
	// FindDeliveries lists deliveries, oldest first.
	FindDeliveries(ctx context.Context, f DeliveryFilter) ([]Delivery, error)
	// DeliveryByKey returns one delivery by its key.
	DeliveryByKey(ctx context.Context, key string) (Delivery, error)
	// DeliverySentAs returns the latest delivery of a room that the platform knows
	// under an id.
	DeliverySentAs(ctx context.Context, room ChatID, external string) (Delivery, error)
}

// Conversation is a chat's stored state.
type Conversation struct {
	Chat    ChatID
	Person  int64
	State   []byte // JSON of State
	Version int64  // 0 before it is first stored
	Read    int64  // the last delivery that a terminal has printed
}

// ChatTx is what is remembered of chats.
type ChatTx interface {
	// Conversation returns a chat; a zero one, with only Chat, when it is new.
	Conversation(ctx context.Context, chat ChatID) (Conversation, error)
	// PutConversation stores a chat's state. The error wraps
	// knowledge.ErrConflict when somebody has stored a newer version.
	PutConversation(ctx context.Context, c Conversation) error
	// MarkRead remembers what a terminal has printed.
	MarkRead(ctx context.Context, chat ChatID, delivery int64) error
	// Taken returns the label chosen in a section of a delivery, "" for none.
	Taken(ctx context.Context, delivery int64, section int) (string, error)
	// Take remembers a choice.
	Take(ctx context.Context, delivery int64, section int, label string) error
	// BusyChats lists the chats that have rows to handle or deliveries due.
	BusyChats(ctx context.Context, now time.Time) ([]ChatID, error)
	// Backlog counts what waits in all chats, for monitors.
	Backlog(ctx context.Context) (Backlog, error)
}

// Backlog is how much waits in all chats together.
type Backlog struct {
	Inbox   int       // rows to handle
	Oldest  time.Time // when the oldest of them came in; zero without one
	Pending int       // deliveries to send, due or not
	Dead    int       // deliveries that will not be tried again
}

// Job is late work: an event to make at a time, or a chat whose deliveries are
// to be tried again.
type Job struct {
	At    time.Time
	Event *Row   // post this row
	Drain ChatID // else wake this chat
}

// ScheduleTx stores late work.
type ScheduleTx interface {
	Schedule(ctx context.Context, j Job) error
}

// Limit bounds how fast something is done by all replicas together: once every
// Every on average, and up to Burst times at once.
type Limit struct {
	Key   string // of what is counted, for ever the same
	Every time.Duration
	Burst int // at least 1
}

// LimitTx counts what is limited.
type LimitTx interface {
	// Reserve counts once against each of the limits, if all of them allow it now;
	// else it counts nothing and returns when to ask again, which is after now.
	Reserve(ctx context.Context, now time.Time, limits []Limit) (time.Time, error)
	// Pause makes Reserve refuse a limit until a time; one that is refused for longer
	// already stays so.
	Pause(ctx context.Context, limit Limit, until time.Time) error
}

// Claims keeps replicas of the bot out of each other's chats.
type Claims interface {
	// Claim takes a chat until it is released; it does not wait, and ok is false when
	// another replica has it. A claim ends with its process.
	Claim(ctx context.Context, chat ChatID) (release func(), ok bool, err error)
}
