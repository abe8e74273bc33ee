package bottest_test

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/bot/bottest"
)

var update = flag.Bool("update", false, "rewrite the transcripts from what the bot says now")

func each(t *testing.T, test func(t *testing.T, c bottest.Conversation)) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			c, err := bottest.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			test(t, c)
		})
	}
}

// What the bot says to each person, word for word.
func TestConversations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c bottest.Conversation) {
		got, _, err := bottest.Play(t.Context(), c, t.TempDir(), 0)
		if err != nil {
			t.Fatalf("%v\n%s", err, got)
		}
		if *update {
			if err := bottest.Update(c, got); err != nil {
				t.Fatal(err)
			}
			return
		}
		if diff := cmp.Diff(strings.Split(c.Want, "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("the transcript has changed (-want +got); if that is right: make golden\n%s", diff)
		}
	})
}

// killEvery is after how many writes the bot is killed, over and over: few enough
// that every conversation meets several kills, more than any one message needs.
const killEvery = 13

// A bot that is killed again and again, before a commit or after it, says the
// same to everybody, once.
func TestConversationsWithKills(t *testing.T) {
	t.Parallel()
	if *update {
		return // the transcripts are being rewritten meanwhile
	}
	each(t, func(t *testing.T, c bottest.Conversation) {
		got, deaths, err := bottest.Play(t.Context(), c, t.TempDir(), killEvery)
		if err != nil {
			t.Fatalf("after %d kills: %v\n%s", deaths, err, got)
		}
		if deaths == 0 {
			t.Fatal("the bot was never killed")
		}
		if diff := cmp.Diff(strings.Split(c.Want, "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("%d kills show in the transcript (-want +got)\n%s", deaths, diff)
		}
	})
}
