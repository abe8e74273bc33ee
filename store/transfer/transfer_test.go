package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/lock"
	"github.com/nastavnik-bot/nastavnik/store/postgres"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/sqlite/sqlitetest"
	"github.com/nastavnik-bot/nastavnik/store/transfer"
)

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

func sqliteQueue(tb testing.TB) *late.SQLiteQueue {
	tb.Helper()
	q, err := late.SQLite(silent())
	if err != nil {
		tb.Fatal(err)
	}
	return q
}

func postgresQueue(tb testing.TB) *late.PostgresQueue {
	tb.Helper()
	q, err := late.Postgres(silent())
	if err != nil {
		tb.Fatal(err)
	}
	return q
}

func holder() lock.Holder { return lock.Holder{PID: os.Getpid(), Command: "test"} }

func openFolder(tb testing.TB, dir string) *transfer.Base {
	tb.Helper()
	b, err := transfer.SQLite(context.Background(), dir, sqliteQueue(tb), holder())
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func openPostgres(tb testing.TB, dsn string) *transfer.Base {
	tb.Helper()
	b, err := transfer.Postgres(context.Background(), dsn, postgresQueue(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func shut(tb testing.TB, b *transfer.Base) {
	tb.Helper()
	if err := b.Close(); err != nil {
		tb.Error(err)
	}
}

// migrated returns the address of a new database with this program's schema.
func migrated(tb testing.TB) string {
	tb.Helper()
	dsn := devenv.Postgres(tb)
	if _, err := postgres.Migrate(tb.Context(), postgres.Options{DSN: dsn, Queue: postgresQueue(tb)}); err != nil {
		tb.Fatal(err)
	}
	return dsn
}

// later is when the late work of the source is due.
func later() time.Time { return time.Now().Add(48 * time.Hour).Truncate(time.Millisecond) }

// filled returns a data folder with rows in every table, odd ones among them, and
// late work. Rows have been removed, so that the databases' own numbers are ahead.
func filled(tb testing.TB) string {
	tb.Helper()
	dir := sqlitetest.Folder(tb, sqliteQueue(tb))
	s, err := sqlite.Open(tb.Context(), sqlite.Options{Dir: dir, Queue: sqliteQueue(tb)})
	if err != nil {
		tb.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	}()
	do := func(query string, args ...any) {
		tb.Helper()
		if _, err := s.WriteDB().ExecContext(tb.Context(), query, args...); err != nil {
			tb.Fatalf("%s: %v", query, err)
		}
	}
	names := []string{"Анна К.", "ёж", "Ёж", "z", "Ж", "ﬁ", "😀", "a\u0301", "", " ", "\t\n", strings.Repeat("ю", 400)}
	for i := range 60 {
		name := names[i%len(names)]
		id, text := fmt.Sprintf("%s-%d", name, i), fmt.Sprintf("Вопрос №%d «%s»?", i, name)
		do(`INSERT INTO persons (name, senior, chat, email, team, zone, hours, away, gone, admitted, unreachable) VALUES (?, ?, ?, ?, ?, 'Asia/Omsk', 'пн-пт 9-18', ?, ?, ?, ?)`,
			name, i%2, "console:"+id, []string{"", fmt.Sprintf("%d@firm.example", i)}[i%2], name, int64(i)<<40, i%3/2, i%4/3, []string{"", "blocked"}[i%2])
		do(`INSERT INTO identities (platform, external, person, name, email, team, zone, outsider, unreachable) VALUES (?, ?, ?, ?, ?, ?, 'UTC', ?, ?)`, "slack", id, i+1, name, id, name, i%2, name)
		do(`INSERT INTO merges (person, became) VALUES (?, ?)`, 1000+i, i+1)
		do(`INSERT INTO invitations (hash, person, senior, created, expires, used, used_by) VALUES (?, ?, ?, ?, ?, ?, ?)`, id, i, i%2, i, int64(i)<<40, i%3, i%5)
		do(`INSERT INTO topics (name) VALUES (?)`, id)
		do(`INSERT INTO topic_seniors (topic, person) VALUES (?, ?)`, id, i+1)
		do(`INSERT INTO questions (id, text, fold, status, answer) VALUES (?, ?, ?, 'faq', 1)`, id, text, strings.ToLower(text))
		do(`INSERT INTO phrasings (question, fold, text, origin) VALUES (?, ?, ?, 'import')`, id, text, text)
		do(`INSERT INTO answers (question, version, text, created) VALUES (?, 1, ?, ?)`, id, "Ответ\x00 с нулём", int64(i)<<40)
		do(`INSERT INTO asks (id, person, text, decision, confidence) VALUES (?, ?, ?, 'answer', ?)`, 1000-i, i+1, text, []float64{0, 1, math.Pi, 1e-300, 0.1}[i%5])
		do(`INSERT INTO candidates (ask, place, question, rank, score) VALUES (?, ?, ?, 1, ?)`, 1000-i, i, id, -float64(i)/3)
		do(`INSERT INTO escalations (question, senior, state, reason, given, reminded) VALUES (?, ?, 'done', 'topic', ?, ?)`, id, i+1, i, int64(i)<<40)
		do(`INSERT INTO waiters (question, person, text, state) VALUES (?, ?, ?, 'answered')`, id, i+1, "не UTF-8: \xff")
		do(`INSERT INTO conversations (chat, person, state) VALUES (?, ?, ?)`, id, i+1, [][]byte{nil, {}, {0, 1, 255}}[i%3])
		do(`INSERT INTO inbox (key, chat, kind, payload) VALUES (?, ?, 'said', ?)`, id, id, `{"text":"привет"}`)
		do(`INSERT INTO outbox (key, chat, message, state, doubt) VALUES (?, ?, ?, 'sent', ?)`, id, id, []byte(text), i%2)
		do(`INSERT INTO sent_messages (room, external, delivery) VALUES (?, ?, ?)`, id, name, i+1)
		do(`INSERT INTO choices (delivery, section, label) VALUES (?, 0, 'Да')`, i+1)
		do(`INSERT INTO changes (question) VALUES (?)`, id)
		do(`INSERT INTO embeddings (model, hash, data) VALUES (?, ?, ?)`, "e5", []byte{byte(i * 7), byte(i)}, []byte(id))
		do(`INSERT INTO verdicts (question, fold, person, wording, outcome) VALUES (?, ?, ?, ?, 'helped')`, id, id, i+1, text)
		do(`INSERT INTO reviews (question, conflicts) VALUES (?, '[]')`, id)
		do(`INSERT INTO steps (question, kind) VALUES (?, 'asked')`, id)
		do(`INSERT INTO calibrations (embedder, data) VALUES (?, ?)`, id, []byte("{}"))
		do(`INSERT INTO attachments (answer, ask, content, media, size, name) VALUES (?, ?, ?, 'image/png', 7, ?)`,
			[]any{i + 1, nil}[i%2], []any{nil, 1000 - i}[i%2], "sha256/ab/"+strconv.Itoa(i), "снимок "+strconv.Itoa(i))
		do(`INSERT INTO limits (key, full_at) VALUES (?, ?)`, id, i)
	}
	do(`DELETE FROM inbox WHERE id > 55`)
	do(`DELETE FROM steps`)
	at := later()
	err = s.Write(tb.Context(), func(tx bot.Tx) error {
		row := bot.Row{Key: "remind", Chat: "c", Kind: "due", Payload: []byte(`{"ёлка":1}`), At: at, From: knowledge.Identity{Platform: "slack", External: "U1", Name: "Ян"}}
		return errors.Join(tx.Schedule(tb.Context(), bot.Job{At: at, Event: &row}), tx.Schedule(tb.Context(), bot.Job{At: at, Drain: "slack:D1"}),
			tx.PutQuestion(tb.Context(), &knowledge.Question{ID: "последний", Text: "Последний?", Status: knowledge.FAQ}))
	})
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

func copyAll(tb testing.TB, from, to *transfer.Base, o transfer.Options) transfer.Report {
	tb.Helper()
	r, err := transfer.Copy(context.Background(), from, to, o)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// sums are the rows and the checksum of every table.
func sums(r transfer.Report) map[string]string {
	out := map[string]string{}
	for _, t := range r.Tables {
		out[t.Name] = fmt.Sprintf("%d %s", t.Rows, t.Sum)
	}
	return out
}

func TestThereAndBack(t *testing.T) {
	dir, dsn := filled(t), migrated(t)
	from, to := openFolder(t, dir), openPostgres(t, dsn)
	var last int64
	there := copyAll(t, from, to, transfer.Options{Portion: 7, Progress: func(s transfer.Stage, done, total int64) {
		if s == transfer.Copying {
			if done < last || done > total {
				t.Errorf("progress went from %d to %d of %d", last, done, total)
			}
			last = done
		}
	}})
	shut(t, from)
	if there.Jobs != 2 || there.Index != 1 || there.Resumed || there.Cleaned != 120 {
		t.Errorf("report: %+v", there)
	}
	for _, table := range there.Tables {
		if table.Rows == 0 && table.Name != "steps" {
			t.Errorf("no rows of %s: the test does not prove that they are copied", table.Name)
		}
	}
	if last != there.Rows() {
		t.Errorf("progress ended at %d of %d", last, there.Rows())
	}
	shut(t, to)

	// A number that was given once is not given again.
	db, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	for table, want := range map[string]int64{"inbox": 61, "steps": 61, "persons": 61} {
		var got int64
		if err := db.QueryRow(t.Context(), `SELECT nextval(pg_get_serial_sequence($1, 'id'))`, table).Scan(&got); err != nil || got != want {
			t.Errorf("the next number of %s is %d, %v; want %d", table, got, err, want)
		}
	}
	var due time.Time
	if err := db.QueryRow(t.Context(), `SELECT scheduled_at FROM river_job WHERE kind = 'drain_chat'`).Scan(&due); err != nil || time.Until(due) < 47*time.Hour {
		t.Errorf("the late work is due at %v, %v", due, err)
	}

	back := sqlitetest.Folder(t, sqliteQueue(t))
	from, to = openPostgres(t, dsn), openFolder(t, back)
	again := copyAll(t, from, to, transfer.Options{})
	shut(t, from)
	shut(t, to)
	if diff := cmp.Diff(sums(there), sums(again)); diff != "" {
		t.Errorf("there and back (-there +back):\n%s", diff)
	}
	if again.Jobs != there.Jobs || again.Index != there.Index {
		t.Errorf("late work: %+v, there %+v", again, there)
	}
	if err := sqlite.Verify(t.Context(), back+"/"+sqlite.FileName); err != nil {
		t.Error(err)
	}
}

func TestFinishedCopyIsNotBegunAgain(t *testing.T) {
	dir, dsn := filled(t), migrated(t)
	from, to := openFolder(t, dir), openPostgres(t, dsn)
	defer shut(t, from)
	defer shut(t, to)
	copyAll(t, from, to, transfer.Options{})
	var done *transfer.DoneError
	if _, err := transfer.Copy(t.Context(), from, to, transfer.Options{}); !errors.As(err, &done) || time.Since(done.At) > time.Hour {
		t.Errorf("the error is %v", err)
	}
	if err := transfer.Restart(t.Context(), from, to); !errors.Is(err, transfer.ErrNotEmpty) {
		t.Errorf("a finished copy is removed: %v", err)
	}
}

func TestWrongTargets(t *testing.T) {
	dir := filled(t)
	dsn := migrated(t)
	sql := func(query string) {
		t.Helper()
		db, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close(t.Context())
		if _, err := db.Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(want error, says string) {
		t.Helper()
		from, to := openFolder(t, dir), openPostgres(t, dsn)
		defer shut(t, from)
		defer shut(t, to)
		_, err := transfer.Copy(t.Context(), from, to, transfer.Options{})
		if !errors.Is(err, want) || !strings.Contains(err.Error(), says) {
			t.Errorf("the error is %v; want %v with %q", err, want, says)
		}
	}
	sql(`INSERT INTO topics (name) VALUES ('чужая')`)
	refused(transfer.ErrNotEmpty, "topics")
	sql(`DELETE FROM topics`)
	sql(`CREATE TABLE extra (id BIGINT PRIMARY KEY)`)
	refused(transfer.ErrSchemas, "extra")
	sql(`DROP TABLE extra; ALTER TABLE topics ADD COLUMN extra TEXT`)
	refused(transfer.ErrSchemas, "topics")
	sql(`ALTER TABLE topics DROP COLUMN extra; ALTER TABLE limits ALTER COLUMN full_at TYPE TEXT`)
	refused(transfer.ErrSchemas, "full_at")
	sql(`ALTER TABLE limits ALTER COLUMN full_at TYPE BIGINT USING full_at::bigint; ALTER TABLE limits ADD COLUMN strange JSONB`)
	func() {
		from, to := openFolder(t, dir), openPostgres(t, dsn)
		defer shut(t, from)
		defer shut(t, to)
		if _, err := transfer.Copy(t.Context(), from, to, transfer.Options{}); !errors.Is(err, transfer.ErrSchemas) || !strings.Contains(err.Error(), "jsonb") {
			t.Errorf("a type that nobody knows: %v", err)
		}
	}()
	sql(`ALTER TABLE limits DROP COLUMN strange; INSERT INTO transfers (name, source) VALUES ('', 'another')`)
	refused(transfer.ErrOtherSource, "--again")
	if _, err := transfer.Postgres(t.Context(), devenv.Postgres(t), postgresQueue(t)); !errors.Is(err, postgres.ErrOlder) {
		t.Errorf("a database without a schema: %v", err)
	}
}

// A bot on either side, or another copy, is in the way.
func TestBasesAreHeld(t *testing.T) {
	dir, dsn := filled(t), migrated(t)
	from, to := openFolder(t, dir), openPostgres(t, dsn)
	if _, err := transfer.SQLite(t.Context(), dir, sqliteQueue(t), holder()); !errors.Is(err, lock.ErrHeld) {
		t.Errorf("a folder twice: %v", err)
	}
	s, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn, Queue: postgresQueue(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := s.Write(short, func(tx bot.Tx) error { return tx.PutPerson(short, &knowledge.Person{Name: "Ян"}) }); err == nil {
		t.Error("somebody could write while the base was held")
	}
	shut(t, from)
	shut(t, to)
	r, err := s.Join(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.Postgres(t.Context(), dsn, postgresQueue(t)); !errors.Is(err, knowledge.ErrConflict) {
		t.Errorf("with a bot at work: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// What was changed behind the copy's back is seen, whatever it is, and mended by
// beginning again.
func TestVerificationSeesEveryChange(t *testing.T) {
	dir := filled(t)
	for name, damage := range map[string]string{
		"a text":       `UPDATE answers SET text = text || '.' WHERE id = 17`,
		"a float":      `UPDATE candidates SET score = score + 1e-9 WHERE ask = 970`,
		"a row less":   `DELETE FROM steps; DELETE FROM reviews WHERE id = 60`,
		"a row more":   `INSERT INTO topics (name) VALUES ('ещё одна')`,
		"null for ''":  `UPDATE conversations SET state = NULL WHERE state = ''::bytea`,
		"a swap":       `UPDATE persons SET name = CASE id WHEN 2 THEN 'Ёж' ELSE 'ёж' END WHERE id IN (2, 3)`,
		"a job less":   `DELETE FROM river_job WHERE kind = 'post_event'`,
		"another time": `UPDATE river_job SET scheduled_at = scheduled_at + interval '1 hour' WHERE kind = 'drain_chat'`,
	} {
		t.Run(name, func(t *testing.T) {
			dsn := migrated(t)
			from, to := openFolder(t, dir), openPostgres(t, dsn)
			defer shut(t, from)
			defer shut(t, to)
			harm := func(ctx context.Context, _ []string) error { // between the copy and the comparison
				db, err := pgx.Connect(ctx, dsn)
				if err != nil {
					return err
				}
				defer db.Close(ctx)
				tag, err := db.Exec(ctx, damage)
				if err == nil && tag.RowsAffected() == 0 {
					err = errors.New("nothing was damaged")
				}
				return err
			}
			if _, err := transfer.Copy(t.Context(), from, to, transfer.Options{Files: harm}); !errors.Is(err, transfer.ErrDiffers) {
				t.Fatalf("the error is %v", err)
			}
			if _, err := transfer.Copy(t.Context(), from, to, transfer.Options{}); !errors.Is(err, transfer.ErrDiffers) {
				t.Errorf("on the second look: %v", err)
			}
			if err := transfer.Restart(t.Context(), from, to); err != nil {
				t.Fatal(err)
			}
			copyAll(t, from, to, transfer.Options{})
		})
	}
}

// The child copies and is killed, or kills itself, at a moment that its parent has drawn.
const (
	childFolder = "NASTAVNIK_TEST_TRANSFER_FROM"
	childDSN    = "NASTAVNIK_TEST_TRANSFER_TO"
	childKill   = "NASTAVNIK_TEST_TRANSFER_KILL" // after so many portions
)

func TestMain(m *testing.M) {
	dir, ok := os.LookupEnv(childFolder)
	if !ok {
		os.Exit(m.Run())
	}
	if err := child(dir, os.Getenv(childDSN)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func child(dir, dsn string) error {
	ctx := context.Background()
	kill, err := strconv.Atoi(os.Getenv(childKill))
	if err != nil {
		return err
	}
	sq, err := late.SQLite(silent())
	if err != nil {
		return err
	}
	pq, err := late.Postgres(silent())
	if err != nil {
		return err
	}
	from, err := transfer.SQLite(ctx, dir, sq, holder())
	if err != nil {
		return err
	}
	defer from.Close()
	var to *transfer.Base
	// The session of a killed one may hold its lock for a moment.
	if to, err = transfer.Postgres(ctx, dsn, pq); err != nil {
		return err
	}
	defer to.Close()
	n := 0
	r, err := transfer.Copy(ctx, from, to, transfer.Options{Portion: 11, Progress: func(s transfer.Stage, _, _ int64) {
		if n++; n == kill {
			// At some moment of what follows: reading, COPY, commit.
			go func() {
				time.Sleep(rand.N(3 * time.Millisecond))
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}()
		}
	}})
	if err == nil {
		fmt.Println("copied", r.Rows(), r.Resumed)
	}
	return err
}

func TestKilledCopyGoesOn(t *testing.T) {
	dir := filled(t)
	whole := func() map[string]string {
		from, to := openFolder(t, dir), openPostgres(t, migrated(t))
		defer shut(t, from)
		defer shut(t, to)
		return sums(copyAll(t, from, to, transfer.Options{}))
	}()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	seeds := 6
	if s := os.Getenv("NASTAVNIK_CHAOS_SEEDS"); s != "" {
		if seeds, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			draw := rand.New(rand.NewPCG(uint64(seed), 5))
			dsn := migrated(t)
			run := func(kill int) (string, error) {
				c := exec.Command(self)
				c.Env = append(os.Environ(), childFolder+"="+dir, childDSN+"="+dsn, childKill+"="+strconv.Itoa(kill))
				out, err := c.CombinedOutput()
				return string(out), err
			}
			kills := 0
			for range 3 {
				out, err := run(1 + draw.IntN(60))
				if err == nil || strings.Contains(out, transfer.ErrDone.Error()) {
					break // it was faster
				}
				if out != "" {
					t.Fatalf("it failed before it was killed: %s", out)
				}
				kills++
			}
			if out, err := run(-1); err != nil && !strings.Contains(out, transfer.ErrDone.Error()) {
				t.Fatalf("after %d kills: %v %s", kills, err, out)
			}
			t.Logf("killed %d times", kills)
			// The way back tells what is there now.
			from, to := openPostgres(t, dsn), openFolder(t, sqlitetest.Folder(t, sqliteQueue(t)))
			defer shut(t, from)
			defer shut(t, to)
			if diff := cmp.Diff(whole, sums(copyAll(t, from, to, transfer.Options{}))); diff != "" {
				t.Errorf("after %d kills (-whole +killed):\n%s", kills, diff)
			}
		})
	}
}
