package telegram_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/telegram"
)

var update = flag.Bool("update", false, "rewrite the golden files from what is read now")

var now = time.Date(2026, 3, 12, 9, 0, 0, 0, time.UTC)

func read(raw []byte) (kind string, e bot.Event, ok bool) {
	return telegram.Read(raw, 7000000001, "nastavnik_test_bot", now)
}

// reading is what a golden file says of an update.
func reading(tb testing.TB, raw []byte) []byte {
	tb.Helper()
	kind, e, ok := read(raw)
	if !ok {
		return []byte(kind + ": nothing to the bot\n")
	}
	name, payload, err := bot.Encode(e.Body)
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(map[string]any{
		"update": kind, "key": e.Key, "chat": e.Chat, "at": e.At.UTC(), "kind": name, "body": json.RawMessage(payload),
		"from": map[string]string{"external": e.From.External, "name": e.From.Name, "chat": e.From.Chat},
	}); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// The updates have the shapes of the Bot API's. What each says is in the golden file
// beside it.
func TestUpdates(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/updates/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatal(err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, golden := reading(t, raw), strings.TrimSuffix(path, ".json")+".golden"
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s: -want +got; if that is right: make golden\n%s", path, diff)
		}
	}
}

// Whatever comes, an event has what the core needs of it, and comes out the same again.
func FuzzUpdate(f *testing.F) {
	paths, err := filepath.Glob("testdata/updates/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, e, ok := read(raw)
		if !ok {
			return
		}
		kind, payload, err := bot.Encode(e.Body)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := bot.Decode(kind, payload); err != nil || !cmp.Equal(again, e.Body) {
			t.Errorf("%+v is stored as %s and read as %+v, %v", e.Body, payload, again, err)
		}
		if e.Key == "" || e.Chat.Platform() != telegram.Platform || e.From.External == "" || e.From.Name == "" || e.Chat.External() != e.From.External || e.At.IsZero() {
			t.Errorf("event %+v of %q", e, raw)
		}
		for _, s := range []string{e.Key, string(e.Chat), e.From.Name, string(payload)} {
			if strings.Contains(s, "\x00") || strings.Contains(s, `\u0000`) || !utf8.ValidString(s) {
				t.Errorf("%q cannot be stored", s)
			}
		}
		// Where somebody can be written to directly is known in their private chat only.
		if private := string(bot.NewChat(telegram.Platform, e.From.External)); e.From.Chat != private && (e.From.Chat != "" || !e.Chat.Shared()) {
			t.Errorf("chat %s, written to at %q", e.Chat, e.From.Chat)
		}
	})
}
