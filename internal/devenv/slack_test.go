package devenv_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
)

// workspace has one employee, one senior, and a channel with both and the bot.
func workspace(http bool) devenv.SlackWorkspace {
	return devenv.SlackWorkspace{
		Users: []devenv.SlackUser{
			{ID: "U0ANNA", Name: "anna", RealName: "Анна", Email: "anna@example.com", TZ: "Europe/Moscow"},
			{ID: "U0BORIS", Name: "boris", RealName: "Борис", Email: "boris@example.com"},
		},
		Channels: []devenv.SlackChannel{{ID: "C0SUPPORT", Name: "support", Members: []string{"U0ANNA", "U0BORIS"}}},
		HTTP:     http,
	}
}

// A socketBot is the least of a bot: it acknowledges what comes by socket and hands it
// to the test.
type socketBot struct {
	client *slack.Client
	events chan socketmode.Event
	ack    func(socketmode.Event) any // what it acknowledges with, nil for nothing
}

func startSocketBot(t *testing.T, p *devenv.SlackPeer, ack func(socketmode.Event) any) *socketBot {
	t.Helper()
	api := slack.New(p.BotToken, slack.OptionAppLevelToken(p.AppToken), slack.OptionAPIURL(p.APIURL))
	// The peer pings seldom; the default takes it for dead.
	socket := socketmode.New(api, socketmode.OptionPingInterval(10*time.Minute))
	b := &socketBot{client: api, events: make(chan socketmode.Event, 1000), ack: ack}
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = socket.RunContext(ctx) })
	group.Go(func() { b.take(ctx, socket) })
	t.Cleanup(func() { stop(); group.Wait() })
	p.AwaitSocket()
	return b
}

func (b *socketBot) take(ctx context.Context, socket *socketmode.Client) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-socket.Events:
			if e.Request == nil || e.Type == socketmode.EventTypeHello {
				continue // about the connection itself
			}
			var payload []any
			if with := b.ack(e); with != nil {
				payload = append(payload, with)
			}
			_ = socket.Ack(*e.Request, payload...)
			b.events <- e
		}
	}
}

// next returns the next event of the type, and passes over others.
func (b *socketBot) next(t *testing.T, kind socketmode.EventType) socketmode.Event {
	t.Helper()
	for {
		select {
		case e := <-b.events:
			if e.Type == kind {
				return e
			}
		case <-time.After(time.Minute):
			t.Fatalf("no %s came", kind)
		}
	}
}

// nextInner returns the next Events API event of the type T.
func nextInner[T any](t *testing.T, b *socketBot) T {
	t.Helper()
	for {
		e := b.next(t, socketmode.EventTypeEventsAPI)
		if inner, ok := e.Data.(slackevents.EventsAPIEvent).InnerEvent.Data.(T); ok {
			return inner
		}
	}
}

//nolint:tparallel // its parts follow each other on one peer
func TestSlackSocketMode(t *testing.T) {
	t.Parallel()
	p := devenv.Slack(t, workspace(false))
	bot := startSocketBot(t, p, func(socketmode.Event) any { return nil })

	t.Run("who is who", func(t *testing.T) {
		me, err := bot.client.AuthTestContext(t.Context())
		if err != nil || me.UserID != p.BotUserID || me.BotID != p.BotID || me.TeamID != p.TeamID {
			t.Errorf("auth.test: %+v, %v", me, err)
		}
		anna, err := bot.client.GetUserByEmailContext(t.Context(), "anna@example.com")
		if err != nil || anna.ID != "U0ANNA" || anna.TZ != "Europe/Moscow" {
			t.Errorf("users.lookupByEmail: %+v, %v", anna, err)
		}
		if _, err := bot.client.GetUserInfoContext(t.Context(), "U0NOBODY"); err == nil {
			t.Error("there is a stranger")
		}
	})

	t.Run("a direct message is answered in its thread with buttons", func(t *testing.T) {
		ts := p.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: "как оформить отпуск?"})
		got := nextInner[*slackevents.MessageEvent](t, bot)
		if got.Text != "как оформить отпуск?" || got.User != "U0ANNA" || got.TimeStamp != ts || got.ChannelType != "im" || got.Channel != p.DM("U0ANNA") {
			t.Errorf("the bot got %+v", got)
		}
		if _, _, err := bot.client.PostMessageContext(t.Context(), got.Channel, slack.MsgOptionTS(ts), slack.MsgOptionText("ответ", false), slack.MsgOptionBlocks(
			slack.NewActionBlock("answers", slack.NewButtonBlockElement("yes", "1", slack.NewTextBlockObject("plain_text", "Да", false, false))))); err != nil {
			t.Fatal(err)
		}
		said := p.Await(got.Channel, "the answer", func(m []devenv.SlackMessage) bool { return len(m) == 2 })[1]
		if said.Thread != ts || said.Text != "ответ" || said.BotID != p.BotID {
			t.Errorf("the answer is %+v", said)
		}
		p.Press(said, "U0ANNA", "yes")
		pressed := bot.next(t, socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
		if a := pressed.ActionCallback.BlockActions[0]; a.ActionID != "yes" || a.Value != "1" || a.BlockID != "answers" || pressed.Container.MessageTs != said.TS {
			t.Errorf("pressed %+v in %+v", a, pressed.Container)
		}
		if _, _, _, err := bot.client.UpdateMessageContext(t.Context(), got.Channel, said.TS, slack.MsgOptionText("исправлено", false)); err != nil {
			t.Fatal(err)
		}
		if now := p.Messages(got.Channel)[1]; now.Text != "исправлено" || now.Edited == nil {
			t.Errorf("after the edit it is %+v", now)
		}
	})

	t.Run("a mention comes as two events", func(t *testing.T) {
		ts := p.Say(devenv.SlackSaying{Channel: "C0SUPPORT", User: "U0BORIS", Text: "<@" + p.BotUserID + "> где отчёт?"})
		first := bot.next(t, socketmode.EventTypeEventsAPI).Data.(slackevents.EventsAPIEvent)
		second := bot.next(t, socketmode.EventTypeEventsAPI).Data.(slackevents.EventsAPIEvent)
		kinds := []string{first.InnerEvent.Type, second.InnerEvent.Type}
		slices.Sort(kinds)
		if !slices.Equal(kinds, []string{"app_mention", "message"}) {
			t.Errorf("the events are %q", kinds)
		}
		for _, e := range []slackevents.EventsAPIEvent{first, second} {
			if m, ok := e.InnerEvent.Data.(*slackevents.AppMentionEvent); ok && m.TimeStamp != ts {
				t.Errorf("the mention is of %s, want %s", m.TimeStamp, ts)
			}
		}
	})

	t.Run("edits and deletions", func(t *testing.T) {
		ts := p.Say(devenv.SlackSaying{Channel: "U0BORIS", User: "U0BORIS", Text: "вопрос"})
		dm := p.DM("U0BORIS")
		p.Edit(dm, ts, "U0BORIS", "другой вопрос")
		var changed *slackevents.MessageEvent
		for changed == nil || changed.SubType == "" {
			changed = nextInner[*slackevents.MessageEvent](t, bot)
		}
		if changed.SubType != "message_changed" || changed.Message.Text != "другой вопрос" || changed.PreviousMessage.Text != "вопрос" {
			t.Errorf("the edit is %+v", changed)
		}
		p.Delete(dm, ts, "U0BORIS")
		if gone := nextInner[*slackevents.MessageEvent](t, bot); gone.SubType != "message_deleted" || gone.DeletedTimeStamp != ts {
			t.Errorf("the deletion is %+v", gone)
		}
	})

	t.Run("reactions", func(t *testing.T) {
		ts := p.Say(devenv.SlackSaying{Channel: "C0SUPPORT", User: "U0ANNA", Text: "спасибо"})
		p.React("C0SUPPORT", ts, "U0BORIS", "+1", true)
		if got := nextInner[*slackevents.ReactionAddedEvent](t, bot); got.Reaction != "+1" || got.Item.Timestamp != ts || got.ItemUser != "U0ANNA" {
			t.Errorf("the reaction is %+v", got)
		}
		if err := bot.client.AddReactionContext(t.Context(), "eyes", slack.NewRefToMessage("C0SUPPORT", ts)); err != nil {
			t.Fatal(err)
		}
		messages := p.Messages("C0SUPPORT")
		if got := messages[len(messages)-1].Reactions; len(got) != 2 || got[1].Name != "eyes" {
			t.Errorf("the reactions are %+v", got)
		}
	})

	t.Run("what only one person sees", func(t *testing.T) {
		if _, err := bot.client.PostEphemeralContext(t.Context(), "C0SUPPORT", "U0ANNA", slack.MsgOptionText("только вам", false)); err != nil {
			t.Fatal(err)
		}
		messages := p.Messages("C0SUPPORT")
		if got := messages[len(messages)-1]; got.Subtype != "ephemeral" || got.EphemeralTo != "U0ANNA" {
			t.Errorf("it is %+v", got)
		}
	})

	t.Run("Home", func(t *testing.T) {
		p.OpenHome("U0ANNA")
		if got := nextInner[*slackevents.AppHomeOpenedEvent](t, bot); got.User != "U0ANNA" || got.Tab != "home" {
			t.Errorf("the bot got %+v", got)
		}
		view := slack.HomeTabViewRequest{Type: slack.VTHomeTab, CallbackID: "home", Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewDividerBlock()}}}
		if _, err := bot.client.PublishViewContext(t.Context(), slack.PublishViewContextRequest{UserID: "U0ANNA", View: view}); err != nil {
			t.Fatal(err)
		}
		if got, ok := p.HomeView("U0ANNA"); !ok || got.CallbackID != "home" || !strings.Contains(string(got.Raw), `"divider"`) {
			t.Errorf("Home is %t %+v", ok, got)
		}
		if _, ok := p.HomeView("U0BORIS"); ok {
			t.Error("another has it too")
		}
	})

	t.Run("files both ways", func(t *testing.T) {
		p.Upload(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: "смотрите"}, devenv.SlackUpload{Name: "счёт.txt", Content: []byte("сумма")})
		var shared *slackevents.MessageEvent
		for shared == nil || shared.SubType != "file_share" {
			shared = nextInner[*slackevents.MessageEvent](t, bot)
		}
		file := shared.Message.Files[0]
		var content strings.Builder
		if err := bot.client.GetFileContext(t.Context(), file.URLPrivateDownload, &content); err != nil || content.String() != "сумма" || file.Name != "счёт.txt" {
			t.Errorf("the bot downloads %q of %q, %v", content.String(), file.Name, err)
		}
		// Not UploadFile: slack-go ends its form twice, and the peer takes the first end
		// for a part of the file.
		const answer = "читать"
		place, err := bot.client.GetUploadURLExternalContext(t.Context(), slack.GetUploadURLExternalParameters{FileName: "инструкция.txt", FileSize: len(answer)})
		if err != nil {
			t.Fatal(err)
		}
		uploaded, err := http.Post(place.UploadURL, "application/octet-stream", strings.NewReader(answer))
		if err != nil {
			t.Fatal(err)
		}
		_ = uploaded.Body.Close()
		if _, err := bot.client.CompleteUploadExternalContext(t.Context(), slack.CompleteUploadExternalParameters{
			Files: []slack.FileSummary{{ID: place.FileID, Title: "Инструкция"}}, Channel: shared.Channel, ThreadTimestamp: shared.TimeStamp, InitialComment: "держите",
		}); err != nil {
			t.Fatal(err)
		}
		messages := p.Messages(shared.Channel)
		got := messages[len(messages)-1]
		if got.Thread != shared.TimeStamp || got.Text != "держите" || len(got.Files) != 1 || got.Files[0].Title != "Инструкция" || got.Files[0].Size != int64(len(answer)) {
			t.Errorf("the bot's file is %+v", got)
		}
	})

	t.Run("reset", func(t *testing.T) {
		p.Reset()
		if got := p.Messages("C0SUPPORT"); len(got) != 0 || len(p.Log()) != 0 {
			t.Errorf("%d messages stay", len(got))
		}
		p.Say(devenv.SlackSaying{Channel: "C0SUPPORT", User: "U0ANNA", Text: "снова"})
		for nextInner[*slackevents.MessageEvent](t, bot).Text != "снова" {
			continue
		}
	})
}

func TestSlackCommandsAndModals(t *testing.T) {
	t.Parallel()
	p := devenv.Slack(t, workspace(false))
	refuse := true
	bot := startSocketBot(t, p, func(e socketmode.Event) any {
		switch {
		case e.Type == socketmode.EventTypeSlashCommand:
			return map[string]any{"text": "сейчас", "response_type": "ephemeral"}
		case e.Type != socketmode.EventTypeInteractive || e.Data.(slack.InteractionCallback).Type != slack.InteractionTypeViewSubmission:
			return nil
		case refuse:
			refuse = false
			return slack.NewErrorsViewSubmissionResponse(map[string]string{"topic": "выберите тему"})
		}
		return nil
	})
	p.Command("C0SUPPORT", "U0ANNA", "/nastavnik", "мои")
	command := bot.next(t, socketmode.EventTypeSlashCommand).Data.(slack.SlashCommand)
	if command.Command != "/nastavnik" || command.Text != "мои" || command.UserID != "U0ANNA" || command.ChannelID != "C0SUPPORT" {
		t.Errorf("the command is %+v", command)
	}
	if got := p.Messages("C0SUPPORT"); len(got) != 1 || got[0].Text != "сейчас" || got[0].EphemeralTo != "U0ANNA" {
		t.Errorf("the answer in the acknowledgement is %+v", got)
	}
	if err := slack.PostWebhookContext(t.Context(), command.ResponseURL, &slack.WebhookMessage{Text: "позже", ResponseType: "ephemeral"}); err != nil {
		t.Errorf("response_url: %v", err)
	}
	if got := p.Messages("C0SUPPORT"); len(got) != 2 || got[1].Text != "позже" || got[1].EphemeralTo != "U0ANNA" {
		t.Errorf("after response_url there are %+v", got)
	}

	if _, err := bot.client.OpenViewContext(t.Context(), "made up", slack.ModalViewRequest{Type: slack.VTModal}); err == nil {
		t.Error("a modal opens for a trigger that nobody gave")
	}
	input := slack.NewInputBlock("topic", slack.NewTextBlockObject("plain_text", "Тема", false, false), nil, slack.NewPlainTextInputBlockElement(nil, "text"))
	if _, err := bot.client.OpenViewContext(t.Context(), command.TriggerID, slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: "topics", Title: slack.NewTextBlockObject("plain_text", "Тема", false, false),
		PrivateMetadata: "42", NotifyOnClose: true, Blocks: slack.Blocks{BlockSet: []slack.Block{input}},
	}); err != nil {
		t.Fatal(err)
	}
	if got := p.AwaitView(); got.CallbackID != "topics" {
		t.Errorf("the modal is %+v", got)
	}
	filled := map[string]map[string]any{"topic": {"text": map[string]any{"type": "plain_text_input", "value": "склад"}}}
	if got := p.Submit("U0ANNA", nil); got["topic"] != "выберите тему" {
		t.Errorf("the errors are %q", got)
	}
	if _, open := p.View(); !open {
		t.Error("a refused modal closes")
	}
	if got := p.Submit("U0ANNA", filled); got != nil {
		t.Errorf("the errors are %q", got)
	}
	bot.next(t, socketmode.EventTypeInteractive)
	submitted := bot.next(t, socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
	if got := submitted.View; got.State.Values["topic"]["text"].Value != "склад" || got.PrivateMetadata != "42" || submitted.User.ID != "U0ANNA" {
		t.Errorf("submitted: %+v", got)
	}
	if _, open := p.View(); open {
		t.Error("a submitted modal stays")
	}
}

// The program by itself listens on every interface; then nobody else could have the
// port on any address.
func TestSlackKeepsToLoopback(t *testing.T) {
	t.Parallel()
	p := devenv.Slack(t, workspace(false))
	_, port, _ := strings.Cut(p.Addr, ":")
	other, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Fatal(err)
	}
	_ = other.Close()
}

// Whatever the peer has for a bot without a socket is lost, as docs/testing.md says.
func TestSlackKilledForgets(t *testing.T) {
	t.Parallel()
	p := devenv.Slack(t, workspace(false))
	ts := p.Say(devenv.SlackSaying{Channel: "C0SUPPORT", User: "U0ANNA", Text: "никому"})
	if got := p.Messages("C0SUPPORT"); len(got) != 1 || got[0].TS != ts || p.Connected() {
		t.Errorf("%+v, connected %t", got, p.Connected())
	}
	p.Kill()
	if err := p.Control(t.Context(), "state", nil, nil); err == nil {
		t.Error("it answers though it was killed")
	}
	p.Start()
	if got := p.Messages("C0SUPPORT"); len(got) != 0 {
		t.Errorf("it remembers %+v", got)
	}
}

// A request is one that Slack's HTTP delivery has sent.
type request struct {
	path, retry, reason string
	body                string
}

// httpBot takes signed requests, refuses the first refusals of them, and hands all on.
func httpBot(t *testing.T, secret string, refusals int) (address string, got chan request) {
	t.Helper()
	got = make(chan request, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		verifier, err := slack.NewSecretsVerifier(r.Header, secret)
		if err != nil {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		body, err := io.ReadAll(io.TeeReader(r.Body, &verifier))
		if err = errors.Join(err, verifier.Ensure()); err != nil {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		got <- request{r.URL.Path, r.Header.Get("X-Slack-Retry-Num"), r.Header.Get("X-Slack-Retry-Reason"), string(body)}
		if len(got) <= refusals {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func TestSlackHTTP(t *testing.T) {
	t.Parallel()
	p := devenv.Slack(t, workspace(true))
	bot, got := httpBot(t, p.SigningSecret, 0)
	p.PointAt(devenv.SlackTarget{Events: bot + "/events", Interactivity: bot + "/interactivity", Commands: bot + "/commands"})
	ts := p.Say(devenv.SlackSaying{Channel: "C0SUPPORT", User: "U0ANNA", Text: "привет"})
	p.Command("C0SUPPORT", "U0ANNA", "/nastavnik", "мои")
	p.Act("C0SUPPORT", ts, "U0ANNA", devenv.SlackAction{Type: "button", ActionID: "yes"})
	for _, want := range []string{"/events", "/commands", "/interactivity"} {
		if r := <-got; r.path != want || r.retry != "" {
			t.Errorf("came %+v, want %s", r, want)
		}
	}
	p.PointAt(devenv.SlackTarget{Events: bot + "/all"})
	p.Command("C0SUPPORT", "U0ANNA", "/nastavnik", "")
	if r := <-got; r.path != "/all" || !strings.Contains(r.body, url.QueryEscape(p.Addr)) {
		t.Errorf("came %+v, want it at the only address", r)
	}
	const proxy = "127.0.0.1:65000"
	p.PointAt(devenv.SlackTarget{Events: bot, Through: proxy})
	p.Command("C0SUPPORT", "U0ANNA", "/nastavnik", "")
	p.Act("C0SUPPORT", ts, "U0ANNA", devenv.SlackAction{Type: "button", ActionID: "yes"})
	p.Upload(devenv.SlackSaying{Channel: "C0SUPPORT", User: "U0ANNA"}, devenv.SlackUpload{Name: "a.txt"})
	for range 3 {
		if r := <-got; strings.Contains(r.body, p.Addr) || !strings.Contains(strings.ReplaceAll(r.body, "%3A", ":"), proxy) {
			t.Errorf("came %s, want it to name %s", r.body, proxy)
		}
	}
}

// Slack sends an event again that was not taken; the peer does not.
func TestSlackHTTPRetries(t *testing.T) {
	t.Parallel()
	p := devenv.Slack(t, workspace(true))
	bot, got := httpBot(t, p.SigningSecret, 2)
	p.PointAt(devenv.SlackTarget{Events: bot, Retries: []time.Duration{0, time.Millisecond, time.Millisecond}})
	p.Say(devenv.SlackSaying{Channel: "C0SUPPORT", User: "U0ANNA", Text: "привет"})
	first := <-got
	second, third := <-got, <-got
	if first.retry != "" || second.retry != "1" || second.reason != "http_error" || third.retry != "2" || first.body != third.body || len(got) != 0 {
		t.Errorf("%+v, then %+v and %+v, and %d more", first, second, third, len(got))
	}
	p.PointAt(devenv.SlackTarget{Events: "http://127.0.0.1:1"})
	p.Say(devenv.SlackSaying{Channel: "C0SUPPORT", User: "U0ANNA", Text: "никому"})
	var last struct{ Summary, Detail string }
	log := p.Log()
	text, err := json.Marshal(log[len(log)-1])
	if err == nil {
		err = json.Unmarshal(text, &last)
	}
	if err != nil || last.Summary != "HTTP 502" {
		t.Errorf("a bot that is away: %s, %v", text, err)
	}
}
