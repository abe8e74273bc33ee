package flaky_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
)

func slackPeer(t *testing.T) (*devenv.SlackPeer, *flaky.Proxy) {
	t.Helper()
	peer := devenv.Slack(t, devenv.SlackWorkspace{
		Users:    []devenv.SlackUser{{ID: "U0ANNA", Name: "anna"}},
		Channels: []devenv.SlackChannel{{ID: "C0ONE", Name: "one", Members: []string{"U0ANNA"}}},
	})
	return peer, flaky.New(t, "http://"+peer.Addr)
}

// A bot acknowledges, unless it is mute, and keeps the texts of messages.
type bot struct {
	client *slack.Client
	stop   func()
	mute   bool

	mu     sync.Mutex
	texts  []string
	events []socketmode.Event
}

func startBot(t *testing.T, peer *devenv.SlackPeer, p *flaky.Proxy, mute bool) *bot {
	t.Helper()
	client := slack.New(peer.BotToken, slack.OptionAppLevelToken(peer.AppToken), slack.OptionAPIURL(p.URL+"/api/"))
	socket := socketmode.New(client) // the proxy pings as Slack does
	ctx, stop := context.WithCancel(t.Context())
	b := &bot{client: client, mute: mute}
	var group sync.WaitGroup
	group.Go(func() { _ = socket.RunContext(ctx) })
	group.Go(func() {
		for {
			select {
			case e := <-socket.Events:
				b.take(socket, e)
			case <-ctx.Done():
				return
			}
		}
	})
	b.stop = sync.OnceFunc(func() { stop(); group.Wait() })
	t.Cleanup(b.stop)
	return b
}

func (b *bot) take(socket *socketmode.Client, e socketmode.Event) {
	if e.Request == nil || e.Request.EnvelopeID == "" {
		return
	}
	if !b.mute {
		var payload []any
		if e.Type == socketmode.EventTypeSlashCommand {
			payload = append(payload, map[string]any{"text": "сейчас"})
		}
		_ = socket.Ack(*e.Request, payload...)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, e)
	if api, ok := e.Data.(slackevents.EventsAPIEvent); ok {
		if m, ok := api.InnerEvent.Data.(*slackevents.MessageEvent); ok {
			b.texts = append(b.texts, m.Text)
		}
	}
}

func (b *bot) got() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.texts)
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func say(t *testing.T, peer *devenv.SlackPeer, text string) {
	t.Helper()
	peer.Say(devenv.SlackSaying{Channel: "C0ONE", User: "U0ANNA", Text: text})
}

func TestSlackThroughTheProxy(t *testing.T) {
	t.Parallel()
	peer, p := slackPeer(t)
	b := startBot(t, peer, p, false)
	eventually(t, "the socket", func() bool { return p.Sockets() == 1 })
	say(t, peer, "раз")
	eventually(t, "the message", func() bool { return slices.Equal(b.got(), []string{"раз"}) })

	p.CutSockets()
	eventually(t, "a new socket", func() bool { return p.Sockets() == 1 && peer.Connected() && len(p.Requests("/socket/*")) == 2 })
	say(t, peer, "два")
	eventually(t, "the message after the cut", func() bool { return slices.Equal(b.got(), []string{"раз", "два"}) })

	// A replay, as Slack's when the first acknowledgement was lost.
	frames := p.Frames()
	i := slices.IndexFunc(frames, func(f flaky.Frame) bool { return f.FromPeer && strings.Contains(f.Text, "два") })
	p.SendToSockets(frames[i].Text)
	eventually(t, "the replay", func() bool { return slices.Equal(b.got(), []string{"раз", "два", "два"}) })

	peer.Upload(devenv.SlackSaying{Channel: "C0ONE", User: "U0ANNA"}, devenv.SlackUpload{Name: "счёт.txt", Content: []byte("сумма")})
	var content strings.Builder
	file := peer.Messages("C0ONE")[2].Files[0]
	info, _, _, err := b.client.GetFileInfoContext(t.Context(), file.ID, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	// slack-go gives its token to none but the address it knows.
	if err := b.client.GetFileContext(t.Context(), info.URLPrivateDownload, &content); err != nil || content.String() != "сумма" {
		t.Errorf("the file is %q, %v", content.String(), err)
	}
	if got := p.Requests("счёт.txt"); len(got) != 1 {
		t.Errorf("%d downloads through the proxy", len(got))
	}

	rule := p.Fail(flaky.Rule{Path: "chat.postMessage", Times: 1, Fault: flaky.SlackRateLimited(7 * time.Second)})
	_, _, err = b.client.PostMessageContext(t.Context(), "C0ONE", slack.MsgOptionText("ответ", false))
	var limited *slack.RateLimitedError
	if !errors.As(err, &limited) || limited.RetryAfter != 7*time.Second || rule.Hits() != 1 {
		t.Errorf("a limit is %v", err)
	}

	p.FreezeSockets()
	ctx, enough := context.WithCancel(t.Context())
	said := make(chan error, 1)
	go func() {
		said <- peer.Control(ctx, "message", devenv.SlackSaying{Channel: "C0ONE", User: "U0ANNA", Text: "никому"}, nil)
	}()
	eventually(t, "the peer to have sent it", func() bool {
		return slices.ContainsFunc(peer.Log(), func(e devenv.SlackLogEntry) bool {
			return e.Direction == "to_bot" && strings.Contains(string(e.Detail), "никому")
		})
	})
	enough()
	if err := <-said; err == nil {
		t.Error("it is acknowledged")
	}
	if got := b.got(); slices.Contains(got, "никому") || p.Sockets() != 1 {
		t.Errorf("through a frozen socket came %q", got)
	}
}

func TestSlackSocketsWaitForTheBot(t *testing.T) {
	t.Parallel()
	peer, p := slackPeer(t)
	sockets := p.SlackSockets(peer.AppToken)
	peer.AwaitSocket() // the proxy's own
	say(t, peer, "раз")
	say(t, peer, "два")
	eventually(t, "two envelopes", func() bool { return sockets.Pending() == 2 })
	first := startBot(t, peer, p, false)
	eventually(t, "both", func() bool { return slices.Equal(first.got(), []string{"раз", "два"}) && sockets.Pending() == 0 })

	// What is said while it is away comes when it is back.
	first.stop()
	eventually(t, "the end", func() bool { return p.Sockets() == 0 })
	say(t, peer, "три")
	second := startBot(t, peer, p, false)
	eventually(t, "the third", func() bool { return slices.Equal(second.got(), []string{"три"}) })

	// The answer in the acknowledgement gets to the peer.
	peer.Command("C0ONE", "U0ANNA", "/nastavnik", "")
	if got := peer.Messages("C0ONE"); got[len(got)-1].Text != "сейчас" {
		t.Errorf("the command is answered with %+v", got)
	}
	// So it does when the peer has been away.
	peer.Kill()
	peer.Start()
	peer.AwaitSocket()
	say(t, peer, "снова")
	eventually(t, "a message of the peer's second life", func() bool { return slices.Equal(second.got(), []string{"три", "снова"}) })
	if sockets.Lost() != 0 {
		t.Errorf("%d lost", sockets.Lost())
	}
}

func TestSlackSocketsShare(t *testing.T) {
	t.Parallel()
	peer, p := slackPeer(t)
	sockets := p.SlackSockets(peer.AppToken)
	a, b := startBot(t, peer, p, false), startBot(t, peer, p, false)
	eventually(t, "two sockets", func() bool { return p.Sockets() == 2 })
	for range 10 {
		say(t, peer, "раз")
	}
	eventually(t, "all ten", func() bool { return len(a.got())+len(b.got()) == 10 })
	if len(a.got()) != 5 {
		t.Errorf("one got %d, the other %d", len(a.got()), len(b.got()))
	}
	sockets.Disconnect("refresh_requested")
	eventually(t, "new sockets", func() bool { return len(p.Requests("/slack-socket/")) >= 4 })
	say(t, peer, "два")
	eventually(t, "the eleventh", func() bool { return len(a.got())+len(b.got()) == 11 })
}

// A ghost takes events and acknowledges none; the other connection gets them.
func TestSlackSocketsSendAgain(t *testing.T) {
	t.Parallel()
	peer, p := slackPeer(t)
	sockets := p.SlackSockets(peer.AppToken)
	ghost := startBot(t, peer, p, false)
	eventually(t, "the ghost", func() bool { return p.Sockets() == 1 })
	p.FreezeSockets()
	sockets.AckWithin(500 * time.Millisecond)
	live := startBot(t, peer, p, false)
	eventually(t, "the living one", func() bool { return p.Sockets() == 2 })
	for range 4 {
		say(t, peer, "раз")
	}
	eventually(t, "all four", func() bool { return len(live.got()) >= 4 && sockets.Pending() == 0 })
	if got := ghost.got(); len(got) != 0 {
		t.Errorf("the ghost has got %q", got)
	}
	again := 0
	live.mu.Lock()
	for _, e := range live.events {
		if e.Request.RetryAttempt > 0 && e.Request.RetryReason == "timeout" {
			again++
		}
	}
	live.mu.Unlock()
	if again < 2 || sockets.Lost() != 0 {
		t.Errorf("%d of four came again, %d are lost", again, sockets.Lost())
	}
}

func TestSlackSocketsGiveUp(t *testing.T) {
	t.Parallel()
	peer, p := slackPeer(t)
	sockets := p.SlackSockets(peer.AppToken)
	mute := startBot(t, peer, p, true)
	eventually(t, "the socket", func() bool { return p.Sockets() == 1 })
	sockets.AckWithin(time.Millisecond)
	say(t, peer, "раз")
	eventually(t, "the end", func() bool { return sockets.Lost() == 1 && len(mute.got()) == 4 })
	if sockets.Pending() != 0 {
		t.Errorf("%d pending", sockets.Pending())
	}
	other := slack.New("xoxb", slack.OptionAppLevelToken("xapp-1-other"), slack.OptionAPIURL(p.URL+"/api/"))
	if _, _, err := other.StartSocketModeContext(t.Context()); err == nil {
		t.Error("a socket opens for another token")
	}
}
