package bottest_test

import (
	"context"
	"flag"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/nastavnik-bot/nastavnik/bot/bottest"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
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

// The same on PostgreSQL, word for word.
func TestConversationsOnPostgres(t *testing.T) {
	t.Parallel()
	if *update {
		return // the transcripts are being rewritten meanwhile
	}
	// A database for each conversation that is played at the same time.
	free := make(chan string, runtime.GOMAXPROCS(0))
	for range cap(free) {
		free <- devenv.Postgres(t)
	}
	each(t, func(t *testing.T, c bottest.Conversation) {
		dsn := <-free
		defer func() { free <- dsn }()
		empty(t, dsn)
		got, _, err := bottest.Play(t.Context(), c, dsn, 0)
		if err != nil {
			t.Fatalf("%v\n%s", err, got)
		}
		if diff := cmp.Diff(strings.Split(c.Want, "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("the transcript is another one than on the embedded store (-want +got)\n%s", diff)
		}
	})
}

// empty removes all rows, and lets ids begin again.
func empty(t *testing.T, dsn string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	_, err = c.Exec(t.Context(), `DO $$ DECLARE names TEXT; BEGIN
		SELECT string_agg(quote_ident(relname), ', ') INTO names FROM pg_class
		WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'goose_db_version';
		IF names <> '' THEN EXECUTE 'TRUNCATE ' || names || ' RESTART IDENTITY'; END IF; END $$`)
	if err != nil {
		t.Fatal(err)
	}
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
