package slack_test

import (
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack"
)

// seeds are the parts of the golden files of a kind: "event", "action", "command".
func seeds(f *testing.F, kind string) [][]byte {
	f.Helper()
	paths, err := filepath.Glob("testdata/requests/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	var out [][]byte
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range txtar.Parse(raw).Files {
			if name, _, _ := strings.Cut(part.Name, "."); name == kind {
				out = append(out, part.Data)
			}
		}
	}
	if len(out) == 0 {
		f.Fatalf("no seeds of kind %s", kind)
	}
	return out
}

// sound checks what has come of a request: an answer that Slack knows, and events that
// have what the core needs of them, can be stored and read again.
func (d *desks) sound(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code != 200 && w.Code != 400 {
		t.Errorf("it is answered %d", w.Code)
	}
	events := d.core.taken()
	if w.Code != 200 && len(events) > 0 {
		t.Errorf("it is refused, and %d events come of it", len(events))
	}
	for _, e := range events {
		kind, payload, err := bot.Encode(e.Body)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := bot.Decode(kind, payload); err != nil || !cmp.Equal(again, e.Body) {
			t.Errorf("%+v is stored as %s and read as %+v, %v", e.Body, payload, again, err)
		}
		if !strings.HasPrefix(e.Key, "slack/") || e.Chat.Platform() != slack.Platform || e.From.External == "" || e.Chat.External() != e.From.External || e.At.IsZero() {
			t.Errorf("it becomes %+v", e)
		}
		if e.From.Chat != string(bot.NewChat(slack.Platform, e.From.External)) {
			t.Errorf("they are written to at %q", e.From.Chat)
		}
		for _, s := range []string{e.Key, e.Alias, string(e.Chat), string(payload)} {
			if strings.ContainsAny(s, "\x00") || strings.Contains(strings.ReplaceAll(s, `\\`, ""), `\u0000`) || !utf8.ValidString(s) {
				t.Errorf("%q cannot be stored", s)
			}
		}
	}
}

// Whatever an event is, it is answered, and what comes of it is sound.
func FuzzEvent(f *testing.F) {
	for _, s := range seeds(f, "event") {
		f.Add(s)
	}
	f.Add([]byte(`{"type":"event_callback","team_id":"T1","event":{"type":"message","channel":"D1","user":"U1","ts":"1.1","thread_ts":"x/y","text":"\u0000\\u0000"}}`))
	f.Add([]byte(`{"type":"event_callback","event":{"type":"app_mention","channel":"C/1","user":"U1/2","ts":"1.1"}}`))
	d := newDesks(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		d.sound(t, d.send(signed(asJSON, raw, time.Now())))
	})
}

// The same for presses, forms and shortcuts.
func FuzzAction(f *testing.F) {
	for _, s := range seeds(f, "action") {
		f.Add(s)
	}
	d := newDesks(f)
	d.core.buttons = oldButtons()
	f.Fuzz(func(t *testing.T, raw []byte) {
		d.sound(t, d.send(signed(asForm, []byte(url.Values{"payload": {string(raw)}}.Encode()), time.Now())))
	})
}

// The same for what comes as a form.
func FuzzForm(f *testing.F) {
	f.Add([]byte("command=%2Fnastavnik&user_id=U1&team_id=T1&text=%D0%BA%D0%B0%D0%BA%3F&trigger_id=1.0"))
	f.Add([]byte("command=%2Fnastavnik&user_id=U1&text=%ff%00&trigger_id=%00"))
	f.Add([]byte("payload=%7B%22type%22%3A%22block_actions%22%7D"))
	f.Add([]byte("payload=&command="))
	f.Add([]byte("a;b=%zz"))
	d := newDesks(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		d.sound(t, d.send(signed(asForm, raw, time.Now())))
	})
}

// Markup becomes Markdown that is text: no word of it is lost, and it takes no longer
// than its length allows.
func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{
		"*жирно* _курсив_ ~нет~ `код`", "<https://e.example|имя> <@U1> <#C1|общий> <!here> <!subteam^S1|@группа>", "```\nкод\n```", "&lt;b&gt; &amp;amp;",
		"• раз\n◦ два", "<", ">", "<<<>>>", "*~*~*~*", "```", "``` `` ` ```", "<|>", "<@>", "<#|>", "\u202eשלום\u202c\u200b", "\xff*\xff*", strings.Repeat("*~", 500), strings.Repeat("<a|", 500),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 40_000 {
			return // longer than a message
		}
		got := slack.Markdown(s)
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("%q becomes %q", s, got)
		}
		if len(got) > 20*len(s)+40 {
			t.Errorf("%d bytes become %d", len(s), len(got))
		}
		if !strings.ContainsAny(s, "<&") {
			for _, word := range strings.Fields(s) {
				word = strings.Trim(word, "*~_`•◦▪︎")
				if !strings.ContainsAny(word, "*~`•◦▪") && !strings.Contains(got, word) {
					t.Errorf("%q is lost of %q, which becomes %q", word, s, got)
				}
			}
		}
	})
}
