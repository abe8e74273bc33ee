// Package slack speaks Slack: it brings what people do there to the core, by Socket
// Mode or by signed HTTP requests, and sends what the core has to say.
//
// It decides nothing. Whatever comes is stored before Slack is told that it has been
// taken, under a key that is the same however often, and by whatever connection, it
// comes again.
package slack

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	api "github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Platform is the name of this platform in chats and identities.
const Platform = "slack"

// Core is what the adapter needs of the core; bot.Reception is one.
type Core interface {
	// Post stores events; it returns after the commit.
	Post(ctx context.Context, events ...bot.Event) error
	// Button returns a button by its id; the error wraps knowledge.ErrNotFound for
	// none.
	Button(ctx context.Context, id string) (bot.OldButton, error)
	// Form returns what the form of a button begins with.
	Form(ctx context.Context, b bot.Button) (bot.Form, error)
	// Home reads the start page of somebody.
	Home(ctx context.Context, who knowledge.Identity) (bot.Home, error)
}

// Files opens the files of answers; knowledge.Files is one.
type Files interface {
	// Open returns a content, which is to be closed, and its size in bytes.
	Open(ctx context.Context, key string) (io.ReadCloser, int64, error)
}

// Options are what an App needs.
type Options struct {
	Token    string // of the bot, xoxb-…
	AppToken string // of the app, xapp-…; for Socket Mode
	Secret   string // by which Slack signs requests; for HTTP
	API      string // the address of the API; "" for Slack's own

	Core  Core
	Files Files // nil sends no files
	Say   *texts.Catalogue
	Log   *slog.Logger // default none

	// Connections is how many sockets are open at once: while one is replaced the
	// others listen. Slack allows 10 an app, replicas together. Default 2.
	Connections int
	// Ping is after how much silence a socket is taken for dead: Slack pings about
	// every 10 seconds. Default 30 s.
	Ping time.Duration
	// Timeout bounds a call of the API. Default 10 s.
	Timeout time.Duration
	// MaxFile is the size in bytes above which files are not fetched; 0 leaves that to
	// who reads them.
	MaxFile int64
	Rates   Rates
	Now     func() time.Time // default time.Now
}

// App is the bot in one Slack workspace.
type App struct {
	o      Options
	client *caller
	api    *api.Client
	later  sync.WaitGroup // what goes on after an event has been acknowledged

	rooms   rooms
	names   names
	hooks   hooks
	opening triggers
	threads threads
	status  status

	mu sync.Mutex
	me self // zero before it is known
}

// self is who the bot is in the workspace.
type self struct{ team, user, bot string }

// New returns an app; nothing is called before Run, or before the first message.
func New(o Options) *App {
	if o.API == "" {
		o.API = api.APIURL
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Connections <= 0 {
		o.Connections = 2
	}
	if o.Ping <= 0 {
		o.Ping = 30 * time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Rates = o.Rates.withDefaults()
	a := &App{
		o: o, client: newCaller(o), rooms: rooms{channels: map[string]string{}}, names: names{known: map[string]string{}},
		hooks: hooks{open: map[[2]string]hook{}}, opening: triggers{seen: map[string]time.Time{}},
		threads: threads{begun: map[[2]string]bool{}}, status: status{refusals: map[string]refusal{}},
	}
	a.api = api.New(o.Token, api.OptionAPIURL(o.API), api.OptionAppLevelToken(o.AppToken), api.OptionHTTPClient(a.client),
		api.OptionLog(slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug))) // it would print tickets
	return a
}

// Platform returns what a runner needs.
func (a *App) Platform() bot.Platform {
	return bot.Platform{Sender: a, Fetcher: a, Directory: a, Limits: a.limits}
}

// Run listens until ctx ends: by sockets when the app has its token, else it leaves
// that to Handler. When it returns, what was begun after an event is over.
func (a *App) Run(ctx context.Context) error {
	defer a.later.Wait()
	if a.o.AppToken == "" {
		<-ctx.Done()
		return nil
	}
	return a.listen(ctx)
}

// self returns who the bot is, asking Slack once.
func (a *App) self(ctx context.Context) (self, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.me.user != "" {
		return a.me, nil
	}
	r, err := a.authTest(ctx)
	if err != nil {
		return self{}, err
	}
	a.me = self{team: r.TeamID, user: r.UserID, bot: r.BotID}
	return a.me, nil
}

// background goes on with something that Slack does not wait for.
func (a *App) background(ctx context.Context, what string, do func(context.Context) error) {
	ctx = context.WithoutCancel(ctx)
	a.later.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, 2*a.o.Timeout)
		defer cancel()
		if err := unbroken(func() error { return do(ctx) }); err != nil {
			a.o.Log.WarnContext(ctx, "what follows an event failed", "platform", Platform, "what", what, "err", err)
		}
	})
}

// private returns the chat of somebody with the bot.
func private(user string) bot.ChatID { return bot.NewChat(Platform, user) }

// identity is somebody as Slack's events name them: by id. The directory has the name.
func identity(user string) knowledge.Identity {
	return knowledge.Identity{Platform: Platform, External: user, Chat: string(private(user))}
}

// isStamp reports whether s is the id of a message: "1700000000.000100".
func isStamp(s string) bool {
	whole, fraction, ok := strings.Cut(s, ".")
	return ok && digits(whole) && digits(fraction)
}

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

// stamp is the id that a message of a moment would have.
func stamp(at time.Time) string { return fmt.Sprintf("%d.%06d", at.Unix(), at.Nanosecond()/1000) }

var (
	_ bot.Sender    = (*App)(nil)
	_ bot.Fetcher   = (*App)(nil)
	_ bot.Directory = (*App)(nil)
	_ http.Handler  = handler{}
)
