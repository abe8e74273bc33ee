package slack_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
)

// known is a question that the base answers at once.
const known = "Как изменить ответственного по сделке?"

// countOf counts the bot's messages with a text.
func (o *office) countOf(channel, text string) int {
	n := 0
	for _, m := range o.said(channel) {
		n += btoi(strings.Contains(m.Text, text))
	}
	return n
}

// A message that Slack took, but did not say so, is not sent again: it is looked up by
// its mark, in the thread it belongs to.
func TestNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]flaky.Fault{"time-out after accept": flaky.HangAfter, "reset after accept": flaky.ResetAfter, "an answer cut short": flaky.CutShort} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, false, func(o *slack.Options) { o.Timeout = time.Second })
			lost := o.proxy.Fail(flaky.Rule{Path: "chat.postMessage", Times: 3, Fault: fault})
			dm := o.peer.DM("U0ANNA")
			o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: known})
			o.peer.Say(devenv.SlackSaying{Channel: "C0SUPPORT", User: "U0ANNA", Text: "<@" + o.peer.BotUserID + "> " + known})
			o.await("three messages to be in doubt", func() bool { return lost.Hits() == 3 })
			o.quiet()
			for _, channel := range []string{dm, "C0SUPPORT"} {
				seen := map[string]int{}
				for _, m := range o.said(channel) {
					seen[m.Text]++
				}
				if len(seen) < 1 {
					t.Errorf("%s: nothing was said", channel)
				}
				for text, n := range seen {
					if n != 1 {
						t.Errorf("%s: said %d times: %s", channel, n, text)
					}
				}
			}
		})
	}
}

// The same holds for a file, which has no mark of ours.
func TestNoFileIsSentTwice(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false, func(o *slack.Options) {
		o.Timeout, o.Files = time.Second, shelf{"k": []byte("содержимое")}
	})
	o.proxy.Fail(flaky.Rule{Path: "files.completeUploadExternal", Times: 1, Fault: flaky.HangAfter})
	dm := o.peer.DM("U0ANNA")
	o.deliver(bot.Message{File: &bot.SentFile{Key: "k", Name: "отчёт.txt", Media: "text/plain", Size: 20}})
	o.quiet()
	if got := o.said(dm); len(got) != 1 || len(got[0].Files) != 1 {
		t.Errorf("sent %+v", got)
	}
}

// One that is like an earlier file is not taken for it.
func TestAFileLikeAnEarlierOneIsSent(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false, func(o *slack.Options) {
		o.Timeout, o.Files = time.Second, shelf{"k": []byte("содержимое")}
	})
	file := bot.Message{File: &bot.SentFile{Key: "k", Name: "отчёт.txt", Media: "text/plain", Size: 20}}
	o.deliver(file)
	o.deliver(bot.Message{Text: "уточнили"})
	o.quiet()
	o.proxy.Fail(flaky.Rule{Path: "files.completeUploadExternal", Times: 1, Fault: flaky.Reset})
	o.deliver(file)
	o.quiet()
	files := 0
	for _, m := range o.said(o.peer.DM("U0ANNA")) {
		files += len(m.Files)
	}
	if files != 2 {
		t.Errorf("%d files arrived", files)
	}
}

// deliver has the bot send something to Anna.
func (o *office) deliver(m bot.Message) bot.Delivery {
	o.t.Helper()
	d := bot.Delivery{Key: fmt.Sprintf("test/%d", time.Now().UnixNano()), Chat: "slack:U0ANNA", Message: m, State: bot.DeliveryPending, Created: time.Now()}
	if err := o.store.Write(o.t.Context(), func(tx bot.Tx) error { return tx.PutDelivery(o.t.Context(), &d) }); err != nil {
		o.t.Fatal(err)
	}
	return d
}

// Where the bot may not look messages up, it sends what is in doubt again: better
// twice than never.
func TestDoubtWithoutHistory(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false, func(o *slack.Options) { o.Timeout = time.Second })
	o.proxy.Fail(flaky.Rule{Path: "conversations.*", If: func(r flaky.Request) bool { return r.Method() != "conversations.open" }, Fault: flaky.SlackError("missing_scope")})
	o.proxy.Fail(flaky.Rule{Path: "chat.postMessage", Times: 1, Fault: flaky.HangAfter})
	o.deliver(bot.Message{Text: "важное"})
	o.quiet()
	if got := o.countOf(o.peer.DM("U0ANNA"), "важное"); got != 2 {
		t.Errorf("it was said %d times", got)
	}
}

// A storm of refusals ends with every message once, in its order.
func TestRateLimitStorm(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	storm := o.proxy.Fail(flaky.Rule{Path: "chat.postMessage", Times: 4, Fault: flaky.SlackRateLimited(time.Second)})
	for i := range 3 {
		o.deliver(bot.Message{Text: fmt.Sprintf("сообщение %d", i)})
	}
	o.quiet()
	var got []string
	for _, m := range o.said(o.peer.DM("U0ANNA")) {
		got = append(got, m.Text)
	}
	if strings.Join(got, ", ") != "сообщение 0, сообщение 1, сообщение 2" || storm.Hits() != 4 {
		t.Errorf("said %q after %d refusals", got, storm.Hits())
	}
}

// While the token is refused messages wait; the log says what to do.
func TestRevokedToken(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	revoked := o.proxy.Fail(flaky.Rule{Path: "chat.postMessage", Fault: flaky.SlackError("token_revoked")})
	o.deliver(bot.Message{Text: "важное"})
	o.await("a refusal", func() bool { return revoked.Hits() > 0 })
	o.await("the log to say so", func() bool {
		return strings.Contains(o.log.String(), "установите приложение снова")
	})
	revoked.Lift()
	o.quiet()
	if got := o.countOf(o.peer.DM("U0ANNA"), "важное"); got != 1 {
		t.Errorf("it was said %d times", got)
	}
}

// brittle is a core that fails to store a number of times.
type brittle struct {
	slack.Core

	left  atomic.Int64
	tried atomic.Int64
}

var errDisk = errors.New("the disk is full")

func (b *brittle) Post(ctx context.Context, events ...bot.Event) error {
	b.tried.Add(1)
	if b.left.Add(-1) >= 0 {
		return errDisk
	}
	return b.Core.Post(ctx, events...)
}

// Slack is told that an event was taken only when it was stored: what was not comes
// again, and is handled once.
func TestAcknowledgedAfterTheCommit(t *testing.T) {
	t.Parallel()
	for name, http := range map[string]bool{"socket": false, "http": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			core := &brittle{}
			core.left.Store(2)
			o := newOffice(t, http, func(o *slack.Options) { core.Core, o.Core = o.Core, core })
			if http {
				o.retry(0, 0, 0)
			} else {
				o.sockets.AckWithin(time.Second)
			}
			o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: known})
			dm := o.peer.DM("U0ANNA")
			o.awaitText(dm, "owner", 0)
			o.quiet()
			if got := o.countOf(dm, "owner"); got != 1 || core.tried.Load() < 3 {
				t.Errorf("answered %d times after %d tries", got, core.tried.Load())
			}
		})
	}
}

// An event that comes four times is one, whatever connection it comes by.
func TestEventThatComesAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	o.peer.Say(devenv.SlackSaying{Channel: "C0SUPPORT", User: "U0ANNA", Text: "<@" + o.peer.BotUserID + "> " + known})
	o.awaitText("C0SUPPORT", "owner", 0)
	for _, f := range o.proxy.Frames() {
		if f.FromPeer && strings.Contains(f.Text, `"events_api"`) {
			o.proxy.SendToSockets(f.Text) // to both: twice each
		}
	}
	o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: "Как выставить счёт клиенту?"})
	o.awaitText(o.peer.DM("U0ANNA"), "invoice", 0)
	o.quiet()
	if got := o.countOf("C0SUPPORT", "owner"); got != 1 {
		t.Errorf("answered %d times", got)
	}
}

// Sockets that are open but carry nothing are noticed and replaced; what was said
// meanwhile is answered, once.
func TestGhostConnections(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false, func(o *slack.Options) { o.Ping = 6 * time.Second }) // the proxy pings every 5
	o.sockets.AckWithin(time.Second)
	o.proxy.FreezeSockets()
	dm := o.peer.DM("U0ANNA")
	o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: known})
	opened := len(o.proxy.Requests("/slack-socket/"))
	o.await("new sockets", func() bool { return len(o.proxy.Requests("/slack-socket/")) >= opened+2 })
	o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: "Как выставить счёт клиенту?"})
	o.awaitText(dm, "invoice", 0)
	o.quiet()
	if got := o.countOf(dm, "invoice"); got != 1 {
		t.Errorf("answered %d times", got)
	}
}

// One ghost of two takes half of what is said; the other half is answered at once, and
// the ghost's is sent again to the living one.
func TestOneGhost(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false, func(o *slack.Options) { o.Connections = 1 })
	o.proxy.FreezeSockets() // the first one
	second := o.another()
	defer second()
	o.sockets.AckWithin(500 * time.Millisecond)
	dm := o.peer.DM("U0ANNA")
	for range 3 {
		o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: known})
	}
	o.await("three answers", func() bool { return o.countOf(dm, "owner") == 3 })
	o.quiet()
	if got := o.countOf(dm, "owner"); got != 3 || o.sockets.Lost() != 0 {
		t.Errorf("answered %d times, %d lost", got, o.sockets.Lost())
	}
}

// Slack replaces connections every few hours, and breaks some off.
func TestSocketsAreReplaced(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	dm := o.peer.DM("U0ANNA")
	for i, breaks := range []func(){
		func() { o.sockets.Disconnect("refresh_requested") },
		func() { o.sockets.Disconnect("warning") },
		o.proxy.CutSockets,
		func() { o.peer.Kill(); o.peer.Start() },
	} {
		opened := len(o.proxy.Requests("/slack-socket/"))
		breaks()
		if i < 3 {
			o.await("new sockets", func() bool { return len(o.proxy.Requests("/slack-socket/")) >= opened+2 && o.proxy.Sockets() == 2 })
		} else {
			o.peer.AwaitSocket()
			dm = o.peer.DM("U0ANNA")
		}
		before := o.countOf(dm, "owner")
		o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: known})
		o.await("an answer after the sockets were replaced", func() bool { return o.countOf(dm, "owner") == before+1 })
	}
}

// A socket that Slack refuses is asked for again: an administrator mends the token.
func TestRefusedSocket(t *testing.T) {
	t.Parallel()
	o := &office{t: t, peer: devenv.Slack(t, people(false)), log: &record{}}
	o.proxy = flaky.New(t, "http://"+o.peer.Addr)
	o.sockets = o.proxy.SlackSockets(o.peer.AppToken)
	refused := o.proxy.Fail(flaky.Rule{Path: "apps.connections.open", Times: 3, Fault: flaky.SlackError("invalid_auth")})
	o.fill()
	o.open()
	if refused.Hits() != 3 || !strings.Contains(o.log.String(), "slack.app") {
		t.Errorf("refused %d times; the log:\n%s", refused.Hits(), o.log)
	}
}
