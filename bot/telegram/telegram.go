package telegram

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Inbox takes what people say and do; bot.Reception is one.
type Inbox interface {
	// Post stores events, all of them or none, and returns after the commit. One that
	// came before changes nothing.
	Post(ctx context.Context, events ...bot.Event) error
}

// Contents opens the contents of files that are to be sent; knowledge.Files is one.
type Contents interface {
	// Open returns a content, which is to be closed, and its size in bytes. The error
	// wraps knowledge.ErrNotFound when it is gone.
	Open(ctx context.Context, key string) (io.ReadCloser, int64, error)
}

// Options are what a Bot needs.
type Options struct {
	Token string // as @BotFather gives it: "123456:AA…"
	// Endpoint is the address of the Bot API. Default Endpoint.
	Endpoint string
	// Webhook is the address, https://…, at which Telegram reaches Bot.Webhook; "" polls.
	Webhook string
	// Secret is what Telegram shows at the webhook, 1 to 256 of A-Z, a-z, 0-9, _ and -.
	// Default one that is made of the token, the same in every replica.
	Secret string
	// Language of the commands' descriptions where Telegram is set to none of ours.
	// Default "ru".
	Language string
	Say      *texts.Catalogue
	Inbox    Inbox    // for what comes in; nil to send only
	Files    Contents // of the files that are sent; nil for none
	Log      *slog.Logger
	Now      func() time.Time // default time.Now
	Pauses   Pauses
}

// Pauses are how long the bot waits; the zero value has the defaults.
type Pauses struct {
	// Poll is how long Telegram is asked to wait for an update. Default 50 s.
	Poll time.Duration
	// Empty is the least time between two polls without updates. Default 100 ms.
	Empty time.Duration
	// Retry is how long the bot waits after a failure; it doubles with each, up to 30
	// times as much. Default 1 s.
	Retry time.Duration
	// Call is how long an answer may take; nine times as long with a file. Default 20 s.
	Call time.Duration
	// Check is how often the webhook is looked at. Default 1 min.
	Check time.Duration
}

// WithDefaults fills in what is not set.
func (p Pauses) WithDefaults() Pauses {
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	set(&p.Poll, 50*time.Second)
	set(&p.Empty, 100*time.Millisecond)
	set(&p.Retry, time.Second)
	set(&p.Call, 20*time.Second)
	set(&p.Check, time.Minute)
	return p
}

// WithDefaults fills in what is not set.
func (o Options) WithDefaults() Options {
	o.Endpoint = strings.TrimRight(cmp.Or(o.Endpoint, Endpoint), "/")
	o.Secret = cmp.Or(o.Secret, secretOf(o.Token))
	o.Language = cmp.Or(o.Language, texts.Languages()[0])
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Pauses = o.Pauses.WithDefaults()
	return o
}

// Bot is one bot of Telegram. It implements bot.Sender and bot.Fetcher, and is safe for
// concurrent use.
type Bot struct {
	o       Options
	client  *client
	albums  albums
	me      atomic.Pointer[tgbotapi.User] // nil until Telegram has told
	trouble atomic.Pointer[error]         // why no updates come; nil while they do
	moved   sync.Map                      // of chat ids (int64): groups that have become supergroups
	answers chan struct{}                 // one for each press that is being answered
	pending sync.WaitGroup                // presses that are being answered
}

var (
	_ bot.Sender  = (*Bot)(nil)
	_ bot.Fetcher = (*Bot)(nil)
)

// token is what @BotFather gives: the bot's id and a secret.
var token = regexp.MustCompile(`^[0-9]{1,20}:[A-Za-z0-9_-]{1,128}$`)

// answersAtOnce bounds how many presses are answered at the same time.
const answersAtOnce = 8

// New returns a bot; it calls nobody yet. The error wraps knowledge.ErrInvalid when the
// token or an address cannot be one.
func New(o Options) (*Bot, error) {
	if !token.MatchString(o.Token) {
		return nil, fmt.Errorf("the token for Telegram looks like 123456:AA…, as @BotFather gives it: %w", knowledge.ErrInvalid)
	}
	o = o.WithDefaults()
	for _, address := range []string{o.Endpoint, o.Webhook} {
		if u, err := url.Parse(address); err != nil || address != "" && u.Host == "" {
			return nil, fmt.Errorf("an address for Telegram is no URL: %w", knowledge.ErrInvalid)
		}
	}
	c := &client{token: o.Token, endpoint: o.Endpoint, http: newHTTP(), pause: o.Pauses.Retry / 4, within: o.Pauses.Call}
	return &Bot{o: o, client: c, answers: make(chan struct{}, answersAtOnce)}, nil
}

// Platform returns the bot as the runner needs it, with limits at Telegram's pace.
func (b *Bot) Platform() bot.Platform {
	return bot.Platform{Sender: b, Fetcher: b, Limits: Limits(1)}
}

// Run takes in updates until ctx ends: it polls, or sees to it that Telegram knows the
// webhook. One process at a time may run for a token. What goes wrong is logged, once,
// and tried again: it is no reason for the rest of the program to end.
func (b *Bot) Run(ctx context.Context) error {
	defer b.client.http.CloseIdleConnections()
	defer b.pending.Wait()
	if !b.until(ctx, func(ctx context.Context) error { _, err := b.lookUp(ctx); return err }) {
		return nil
	}
	b.pending.Go(func() {
		if err := b.offer(ctx); err != nil && ctx.Err() == nil { // no reason not to work
			b.o.Log.WarnContext(ctx, "the commands could not be set", "platform", Platform, "err", err)
		}
	})
	if b.o.Webhook != "" {
		return b.keepWebhook(ctx)
	}
	return b.poll(ctx)
}

// until tries something until it succeeds; false when ctx ended first.
func (b *Bot) until(ctx context.Context, try func(context.Context) error) bool {
	for failures := 0; ; failures++ {
		err := try(ctx)
		b.note(ctx, err)
		if err == nil {
			return true
		}
		if !sleep(ctx, b.backoff(err, failures)) {
			return false
		}
	}
}

// longest is the longest wait after a failure, in units of Pauses.Retry.
const longest = 30

// backoff is how long to wait after an error, the first of which has failures 0.
func (b *Bot) backoff(err error, failures int) time.Duration {
	var slow *bot.SlowDownError
	if errors.As(err, &slow) {
		return slow.After
	}
	if errors.Is(err, ErrToken) {
		return longest * b.o.Pauses.Retry // somebody has to set another one
	}
	return time.Duration(min(longest, 1<<min(failures, 10))) * b.o.Pauses.Retry
}

// note remembers whether updates come, and logs when that changes.
func (b *Bot) note(ctx context.Context, err error) {
	if err != nil && ctx.Err() != nil {
		return
	}
	if err == nil {
		if b.trouble.Swap(nil) != nil {
			b.o.Log.WarnContext(ctx, "updates come again", "platform", Platform)
		}
		return
	}
	if before := b.trouble.Swap(&err); before == nil || (*before).Error() != err.Error() {
		b.o.Log.ErrorContext(ctx, "no updates come", "platform", Platform, "err", err)
	}
}

// Check returns how the bot is called, or why it cannot work. The error wraps
// knowledge.ErrAway; ErrToken and ErrTaken say what somebody has to do.
func (b *Bot) Check(ctx context.Context) (string, error) {
	me, err := b.lookUp(ctx)
	if err != nil {
		return "", err
	}
	if trouble := b.trouble.Load(); trouble != nil {
		return "", *trouble
	}
	return "@" + me.UserName, nil
}

// lookUp asks Telegram who the bot is.
func (b *Bot) lookUp(ctx context.Context) (tgbotapi.User, error) {
	var me tgbotapi.User
	if err := b.client.ask(ctx, "getMe", nil, &me); err != nil {
		return me, err
	}
	if me.ID == 0 || me.UserName == "" {
		return me, b.client.unreadable("getMe")
	}
	b.me.Store(&me)
	return me, nil
}

// self returns who the bot is, and asks only once.
func (b *Bot) self(ctx context.Context) (tgbotapi.User, error) {
	if me := b.me.Load(); me != nil {
		return *me, nil
	}
	return b.lookUp(ctx)
}

// parser returns what reads updates for the bot.
func (b *Bot) parser(ctx context.Context) (parser, error) {
	me, err := b.self(ctx)
	return parser{me: me, now: b.o.Now, albums: &b.albums}, err
}

// number reads an id of Telegram's.
func number(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n != 0
}
