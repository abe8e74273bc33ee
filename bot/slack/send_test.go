package slack_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// message is a delivery to be sent for the first time.
func message(chat bot.ChatID, m bot.Message) bot.Dispatch {
	return bot.Dispatch{Delivery: bot.Delivery{ID: 12, Key: "7/1", Chat: chat, Message: m, Created: time.Unix(1700000000, 0)}, Under: m.Under}
}

const (
	inDM      = bot.ChatID("slack:U1")
	inChannel = bot.ChatID("slack:C1/1700000000.000100/U1")
)

// What an error of the API means: whether it is tried again, where, and who is told.
func TestErrorsOfSending(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"ratelimited": "slow", "rate_limited": "slow",
		"channel_not_found": "unreachable", "is_archived": "unreachable", "not_in_channel": "unreachable", "restricted_action": "unreachable",
		"restricted_action_thread_only_channel": "unreachable",
		"invalid_auth":                          "away", "token_revoked": "away", "account_inactive": "away", "not_authed": "away", "missing_scope": "away",
		"messages_tab_disabled": "away", "service_unavailable": "away",
		"fatal_error": "away, in doubt", "internal_error": "away, in doubt",
		"invalid_blocks": "never", "msg_too_long": "never", "no_text": "never",
		"thread_not_found": "", "something_new": "",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			d := newDesks(t)
			d.api.fail("chat.postMessage", code)
			_, err := d.app.Send(t.Context(), message(inChannel, bot.Message{Text: "ответ"}))
			if got := meaning(err); got != want || err == nil {
				t.Errorf("%v means %q, want %q", err, got, want)
			}
		})
	}
	for code, want := range map[string]string{
		"user_not_found": "unreachable", "user_disabled": "unreachable", "cannot_dm_bot": "unreachable", "user_not_visible": "unreachable",
		"token_revoked": "away", "fatal_error": "away", "ratelimited": "slow",
	} {
		t.Run("opening: "+code, func(t *testing.T) {
			t.Parallel()
			d := newDesks(t)
			d.api.fail("conversations.open", code)
			_, err := d.app.Send(t.Context(), message(inDM, bot.Message{Text: "ответ"}))
			if got := meaning(err); got != want {
				t.Errorf("%v means %q, want %q", err, got, want)
			}
		})
	}
}

// meaning is what the runner sees in an error.
func meaning(err error) string {
	var out []string
	for what, is := range map[string]bool{
		"unreachable": errors.Is(err, bot.ErrUnreachable), "never": errors.Is(err, bot.ErrUndeliverable) && !errors.Is(err, bot.ErrUnreachable),
		"away": errors.Is(err, knowledge.ErrAway), "slow": isSlowDown(err),
	} {
		if is {
			out = append(out, what)
		}
	}
	if errors.Is(err, bot.ErrDoubt) {
		out = append(out, "in doubt")
	}
	return strings.Join(out, ", ")
}

func isSlowDown(err error) bool {
	_, ok := errors.AsType[*bot.SlowDownError](err)
	return ok
}

// What goes wrong below the API: Slack may have had the message only when the request
// was written.
func TestFaultsOfTheNetwork(t *testing.T) {
	t.Parallel()
	status := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(code)
		}
	}
	body := func(text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		want   string
	}{
		"429":            {status(429), "slow"},
		"503":            {status(503), "away"},
		"500":            {status(500), "away, in doubt"},
		"502":            {status(502), "away, in doubt"},
		"504":            {status(504), "away, in doubt"},
		"403 of a proxy": {status(403), "away"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		}, "away"},
		"413":             {status(413), "never"},
		"hangs up":        {hangUp, "away, in doubt"},
		"no answer":       {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "away, in doubt"},
		"page of a proxy": {body("<html>"), "away, in doubt"},
		"half an answer":  {body(`{"ok":true,"ts":`), "away, in doubt"},
		"an empty answer": {body(`{}`), "away, in doubt"},
		"an answer cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "900")
			body(`{"ok":true`)(w, nil)
		}, "away, in doubt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesks(t, func(o *slack.Options) { o.Timeout = 300 * time.Millisecond })
			d.api.answer("chat.postMessage", c.answer)
			_, err := d.app.Send(t.Context(), message(inChannel, bot.Message{Text: "ответ"}))
			if got := meaning(err); got != c.want {
				t.Errorf("%v means %q, want %q", err, got, c.want)
			}
			if slow, ok := errors.AsType[*bot.SlowDownError](err); ok && slow.After != 7*time.Second {
				t.Errorf("it waits %s", slow.After)
			}
			if got := strings.Join(d.api.methods(), " "); strings.Count(got, "chat.postMessage") > 1+btoi(c.want == "never") {
				t.Errorf("it was called %s", got)
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		d := newDesks(t)
		d.api.Close()
		_, err := d.app.Send(t.Context(), message(inChannel, bot.Message{Text: "ответ"}))
		if got := meaning(err); got != "away" {
			t.Errorf("%v means %q", err, got)
		}
	})
}

// A message whose place or layout Slack refuses is sent as it can be.
func TestSecondBest(t *testing.T) {
	t.Parallel()
	send := func(t *testing.T, code string, refuse func(form map[string]string) bool) []call {
		t.Helper()
		d := newDesks(t)
		d.api.answer("chat.postMessage", func(w http.ResponseWriter, r *http.Request) {
			form := map[string]string{"thread": r.Form.Get("thread_ts"), "blocks": r.Form.Get("blocks")}
			if refuse(form) {
				_ = json.NewEncoder(w).Encode(map[string]any{"ok": false, "error": code})
				return
			}
			_, _ = w.Write([]byte(`{"ok":true,"channel":"C1","ts":"1700000000.000900"}`))
		})
		got, err := d.app.Send(t.Context(), message(inChannel, bot.Message{Text: "**ответ** & <b>"}))
		if err != nil || got != "1700000000.000900" {
			t.Fatalf("sent as %q, %v", got, err)
		}
		return d.api.taken()
	}
	t.Run("a thread whose beginning was deleted", func(t *testing.T) {
		t.Parallel()
		calls := send(t, "thread_not_found", func(f map[string]string) bool { return f["thread"] != "" })
		if len(calls) != 2 || calls[0].values.Get("thread_ts") != "1700000000.000100" || calls[1].values.Has("thread_ts") || calls[1].values.Get("blocks") == "" {
			t.Errorf("%+v", calls)
		}
	})
	t.Run("a channel that has no threads", func(t *testing.T) {
		t.Parallel()
		calls := send(t, "restricted_action_non_threadable_channel", func(f map[string]string) bool { return f["thread"] != "" })
		if len(calls) != 2 || calls[1].values.Has("thread_ts") {
			t.Errorf("%+v", calls)
		}
	})
	t.Run("blocks that Slack does not take", func(t *testing.T) {
		t.Parallel()
		calls := send(t, "invalid_blocks", func(f map[string]string) bool { return f["blocks"] != "" })
		if len(calls) != 2 || calls[1].values.Get("thread_ts") == "" || calls[1].values.Get("text") != "ответ &amp; &lt;b&gt;" {
			t.Errorf("%+v", calls)
		}
	})
	t.Run("both", func(t *testing.T) {
		t.Parallel()
		calls := send(t, "cannot_reply_to_message", func(f map[string]string) bool { return f["thread"] != "" })
		if len(calls) != 2 {
			t.Errorf("%+v", calls)
		}
	})
}

// The very requests of sending, as Slack's documentation has them.
func TestGoldenCalls(t *testing.T) {
	t.Parallel()
	d := newDesks(t)
	buttons := bot.Message{Text: "Помогло?", Sections: []bot.Section{{Choice: true, Buttons: []bot.Button{{ID: "c.0.0", Label: "Да"}, {ID: "c.0.1", Label: "Нет"}}}}}
	sent := message(inDM, buttons).Delivery
	sent.External, sent.State = []string{"1700000000.000300"}, bot.DeliverySent
	private := message("slack:C2/1700000000.000100/U1", bot.Message{Text: "только вам", Private: true})
	privately := buttons
	privately.Private = true
	for name, m := range map[string]bot.Dispatch{
		"private":  private,
		"channel":  message(inChannel, buttons),
		"direct":   message(inDM, bot.Message{Text: "ответ", Under: "1700000000.000100"}),
		"no stamp": message(inDM, bot.Message{Text: "ответ", Under: "F123"}),
		"chosen":   {Delivery: message(inDM, bot.Message{Replaces: "7/1", Chosen: "Да"}).Delivery, Of: &sent, Taken: map[int]string{0: "Да"}},
		"replaced": {Delivery: message(inDM, bot.Message{Text: "иначе", Replaces: "7/1"}).Delivery, Of: &sent},
	} {
		if _, err := d.app.Send(t.Context(), m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []string
		for _, c := range d.api.taken() {
			if c.method == "conversations.open" {
				continue
			}
			got = append(got, c.method)
			for _, k := range []string{"channel", "user", "ts", "thread_ts", "text", "metadata", "unfurl_links", "unfurl_media"} {
				if c.values.Has(k) {
					got = append(got, k+"="+c.values.Get(k))
				}
			}
		}
		want := map[string][]string{
			"private":  {"chat.postEphemeral", "channel=C2", "user=U1", "text=только вам"},
			"channel":  {"chat.postMessage", "channel=C1", "thread_ts=1700000000.000100", "text=Помогло?", `metadata={"event_type":"nastavnik_delivery","event_payload":{"delivery":"12.0"}}`, "unfurl_links=false", "unfurl_media=false"},
			"direct":   {"chat.postMessage", "channel=DU1", "thread_ts=1700000000.000100", "text=ответ", `metadata={"event_type":"nastavnik_delivery","event_payload":{"delivery":"12.0"}}`, "unfurl_links=false", "unfurl_media=false"},
			"no stamp": {"chat.postMessage", "channel=DU1", "text=ответ", `metadata={"event_type":"nastavnik_delivery","event_payload":{"delivery":"12.0"}}`, "unfurl_links=false", "unfurl_media=false"},
			"chosen":   {"chat.update", "channel=DU1", "ts=1700000000.000300", "text=Помогло?"},
			"replaced": {"chat.update", "channel=DU1", "ts=1700000000.000300", "text=иначе"},
		}[name]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A long message that is replaced by a short one leaves nothing behind, and the other
// way round what has no place comes after.
func TestReplacedPartByPart(t *testing.T) {
	t.Parallel()
	d := newDesks(t)
	old := message(inChannel, bot.Message{Text: "было"}).Delivery
	old.External = []string{"1700000000.000301", "1700000000.000302", "1700000000.000303"}
	short := bot.Dispatch{Delivery: message(inChannel, bot.Message{Text: "стало", Replaces: "7/1"}).Delivery, Of: &old}
	if n := d.app.Parts(short); n != 1 {
		t.Fatalf("%d parts", n)
	}
	if got, err := d.app.Send(t.Context(), short); err != nil || got != old.External[0] {
		t.Errorf("sent as %q, %v", got, err)
	}
	if diff := cmp.Diff([]string{"chat.delete", "chat.delete", "chat.update"}, d.api.methods()); diff != "" {
		t.Error(diff)
	}
	long := short
	long.Message.Text = strings.Repeat("длинный ответ\n\n", 3000)
	long.Of = &bot.Delivery{Message: old.Message, External: old.External[:1]}
	parts := d.app.Parts(long)
	if parts < 3 {
		t.Fatalf("%d parts", parts)
	}
	for long.Part = range parts {
		if _, err := d.app.Send(t.Context(), long); err != nil {
			t.Fatal(err)
		}
	}
	calls := d.api.methods()
	if calls[0] != "chat.update" || len(calls) != parts || calls[1] != "chat.postMessage" {
		t.Errorf("the calls are %q", calls)
	}
	gone := short
	d.api.fail("chat.update", "message_not_found")
	gone.Of = &bot.Delivery{External: old.External[:1]}
	if got, err := d.app.Send(t.Context(), gone); err != nil || got != "1700000000.000900" {
		t.Errorf("in place of a message that was deleted: %q, %v", got, err)
	}
}

// Somebody who has left the channel gets in direct messages what only they may see.
func TestPrivateToSomebodyWhoLeft(t *testing.T) {
	t.Parallel()
	d := newDesks(t)
	d.api.fail("chat.postEphemeral", "user_not_in_channel")
	if _, err := d.app.Send(t.Context(), message(inChannel, bot.Message{Text: "только вам", Private: true})); err != nil {
		t.Fatal(err)
	}
	calls := d.api.taken()
	last := calls[len(calls)-1]
	if last.method != "chat.postMessage" || last.values.Get("channel") != "DU1" || last.values.Has("thread_ts") {
		t.Errorf("%+v", calls)
	}
}

// Revoked tokens: the message waits, and says to administrators what to do.
func TestRemedies(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{"invalid_auth": "slack.token", "token_revoked": "установите приложение", "missing_scope": "chat:write", "messages_tab_disabled": "Messages Tab"} {
		d := newDesks(t)
		d.api.fail("chat.postMessage", code)
		_, err := d.app.Send(t.Context(), message(inChannel, bot.Message{Text: "ответ"}))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want «%s»", code, err, want)
		}
		d.api.fail("auth.test", code)
		if _, err := d.app.Check(t.Context()); err == nil || !errors.Is(err, knowledge.ErrAway) {
			t.Errorf("%s: the check says %v", code, err)
		}
	}
}

// A message that cannot be changed any more, as one of a year ago, stays as it is: the
// press on it counts all the same.
func TestMarkOnAnOldMessage(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found", "is_archived"} {
		d := newDesks(t)
		d.api.fail("chat.update", code)
		old := message(inChannel, bot.Message{Text: "Помогло?", Sections: []bot.Section{{Choice: true, Buttons: []bot.Button{{ID: "c.0.0", Label: "Да"}}}}}).Delivery
		old.External = []string{"1700000000.000200"}
		mark := message(inChannel, bot.Message{Replaces: "7/1", Chosen: "Да"})
		mark.Of, mark.Taken = &old, map[int]string{0: "Да"}
		if _, err := d.app.Send(t.Context(), mark); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		if calls := d.api.methods(); len(calls) != 1 || calls[0] != "chat.update" {
			t.Errorf("%s: %q is called", code, calls)
		}
	}
}

// An invitation's code is passed on without its slash, which Slack keeps to itself; what
// only looks like one is a question.
func TestInvitationCode(t *testing.T) {
	t.Parallel()
	code := strings.Repeat("aB3_-x9Q", 4)
	for text, want := range map[string]string{
		"start " + code: "/start " + code, "Начать  " + code: "/start " + code, "start": "/start", "/start " + code: "/start " + code,
		"start сделку": "start сделку", "start " + code + "x": "start " + code + "x", "рестарт " + code: "рестарт " + code,
	} {
		d := newDesks(t)
		body, err := json.Marshal(map[string]any{"type": "event_callback", "team_id": "T1", "event": map[string]any{
			"type": "message", "channel": "D1", "channel_type": "im", "user": "U1", "ts": "1.1", "text": text,
		}})
		if err != nil {
			t.Fatal(err)
		}
		d.deliver("event", body)
		events := d.core.taken()
		if len(events) != 1 {
			t.Fatalf("%q makes %d events", text, len(events))
		}
		if said, ok := events[0].Body.(bot.Said); !ok || said.Text != want {
			t.Errorf("%q is said as %+v", text, events[0].Body)
		}
	}
}
