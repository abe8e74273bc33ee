package main

import (
	"database/sql"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// seedsVariable says how many seeds the chaos test runs. A seed is replayed by
// its name: go test -run 'Chaos/postgres/all/seed=7$'.
const seedsVariable = "NASTAVNIK_CHAOS_SEEDS"

const (
	chaosSenior   = "Анна К."
	chaosQuestion = "где получить пропуск на парковку"
	chaosOther    = "сколько стоит обед в столовой"
	chaosReply    = "На ресепшен, с паспортом."
)

// chaosAskers are who waits for chaosQuestion; Олег waits for chaosOther.
func chaosAskers() []string { return []string{"Иван П.", "Мария", "Пётр"} }

// TestChaosKilledBetweenReplyAndDelivery kills the bot with kill -9 at some
// moment after a senior has replied to a question that several people wait for:
// after a number of commits, drawn by the seed, in the reply's way through
// inbox, knowledge base and outbox. Another bot is started, sometimes killed as
// well, and then everybody has the answer, once, and the knowledge base too.
//
// In every third seed the bot is the senior's own terminal, which is killed
// while it posts the reply.
func TestChaosKilledBetweenReplyAndDelivery(t *testing.T) {
	seeds := 5 // on each database
	if s := os.Getenv(seedsVariable); s != "" {
		var err error
		if seeds, err = strconv.Atoi(s); err != nil || seeds < 1 {
			t.Fatalf("%s=%s: not a number of seeds", seedsVariable, s)
		}
	}
	t.Setenv("NASTAVNIK_SENIOR_SILENCE", "1s") // an answer that nobody ended ends by itself
	withModel(t)                               // so that indexing is in the way, too
	t.Run("folder", func(t *testing.T) { chaos(t, newCLI(t), seeds) })
	t.Run("postgres", func(t *testing.T) { chaos(t, newServer(t), seeds) })
}

func chaos(t *testing.T, c cli, seeds int) {
	template := chaosTemplate(t, c)
	commits, idle := chaosCommits(t, template)
	var mu sync.Mutex
	stages, slowest := map[string]int{}, time.Duration(0)
	t.Run("all", func(t *testing.T) {
		for seed := 1; seed <= seeds; seed++ {
			t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
				t.Parallel()
				hit, took := chaosRun(t, template.copied(t), uint64(seed), commits)
				mu.Lock()
				defer mu.Unlock()
				stages[hit]++
				slowest = max(slowest, took)
			})
		}
	})
	var ran int
	for _, stage := range slices.Sorted(maps.Keys(stages)) {
		t.Logf("killed %3d times when %s", stages[stage], stage[2:])
		ran += stages[stage]
	}
	// The promise is ten seconds on a machine of its own (the log has the time);
	// only a bot that hangs fails here, however busy the machine is.
	if limit := max(60*time.Second, 20*idle); slowest > limit {
		t.Errorf("a restarted bot took %v to deliver all, want at most %v (one with nothing to do starts in %v)", slowest, limit, idle)
	}
	t.Logf("%d seeds, the reply takes about %d commits, the slowest recovery took %v", ran, commits, slowest.Round(time.Millisecond))
	if ran == seeds && seeds >= 10 && len(stages) < 3 {
		t.Errorf("only %d stages were hit: the kills are not spread over the reply's way", len(stages))
	}
}

// chaosTemplate makes a base in which the senior has two questions, and has begun
// to answer the one that three people wait for.
func chaosTemplate(t *testing.T, c cli) cli {
	filled(c).must("person", "add", chaosSenior, "--senior")
	d := openDesk(t, c)
	b := c.startBot()
	for i, name := range append(chaosAskers(), "Олег") {
		question := chaosQuestion
		if name == "Олег" {
			question = chaosOther
		}
		d.say(name, question)
		d.press(name, say(t, "button_none", nil))
		if i > 0 && name != "Олег" {
			d.press(name, say(t, "button_join", nil))
		}
	}
	d.take(chaosQuestion)
	d.close()
	b.interrupt() // writes the log back into the database file
	if code := b.code(); code != 0 {
		t.Fatalf("exit %d: %s", code, b.err.String())
	}
	if n := c.count(`SELECT COUNT(*) FROM waiters WHERE state = 'waiting'`); n != 4 {
		t.Fatalf("%d people wait in the template, want 4", n)
	}
	return c
}

func copyFolder(t *testing.T, from string) cli {
	t.Helper()
	c := newCLI(t)
	for _, name := range []string{sqlite.FileName, sqlite.FileName + "-wal"} {
		in, err := os.Open(filepath.Join(from, name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		out, err := os.Create(filepath.Join(c.data, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(out, in); err != nil {
			t.Fatal(err)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// chaosCommits counts the commits from the reply until all is done, undisturbed,
// and measures how long a bot with nothing to do takes to start.
func chaosCommits(t *testing.T, template cli) (n int, idle time.Duration) {
	c := template.copied(t)
	d := openDesk(t, c)
	defer d.close()
	began := time.Now()
	c.startBot()
	idle = time.Since(began)
	stop := make(chan struct{})
	counted := make(chan struct{})
	go func() {
		defer close(counted)
		n = d.commits(1<<30, stop)
	}()
	d.reply()
	eventually(t, "the reply is delivered", func() bool { return chaosDone(c) })
	close(stop)
	<-counted
	return n, idle
}

// chaosRun is one seed. It returns at which stage the bot was killed, and how
// long the last bot took to finish from its start.
func chaosRun(t *testing.T, c cli, seed uint64, commits int) (stage string, took time.Duration) {
	r := rand.New(rand.NewPCG(seed, 0))
	d := openDesk(t, c)
	defer d.close()
	after, pause := r.IntN(commits+1), time.Duration(r.IntN(3_000))*time.Microsecond

	killed := make(chan struct{})
	if own := seed%3 == 0; own {
		// The bot is the senior's terminal: what it has not posted is written again.
		b := c.start("chat", "--senior", chaosSenior)
		if c.dsn == "" {
			b.isBot(c.data)
		}
		go func() { defer close(killed); d.commits(after, nil); time.Sleep(pause); b.kill() }()
		_, _ = io.WriteString(b.in, chaosReply+"\n")
		_ = b.in.Close()
		<-killed
		stage = chaosStage(c)
		if c.count(`SELECT COUNT(*) FROM inbox WHERE kind = 'said' AND chat = ? AND instr(CAST(payload AS TEXT), ?) > 0`, console.Identity(chaosSenior).Chat, chaosReply) == 0 {
			d.reply()
		}
	} else {
		b := c.startBot()
		go func() { defer close(killed); d.commits(after, nil); time.Sleep(pause); b.kill() }()
		d.reply()
		<-killed
		stage = chaosStage(c)
	}
	for r.IntN(2) == 0 {
		b := c.start("serve")
		time.Sleep(time.Duration(r.IntN(150)) * time.Millisecond)
		b.kill()
	}
	began := time.Now()
	c.start("serve")
	eventually(t, "the restarted bot has delivered all", func() bool { return chaosDone(c) })
	took = time.Since(began)
	t.Logf("killed after %d commits and %v, when %s; done %v after the restart", after, pause, stage[2:], took.Round(time.Millisecond))
	checkChaos(t, c)
	return stage, took
}

// chaosDone reports that nothing is left to do and the answer is given.
func chaosDone(c cli) bool {
	return c.count(`SELECT (SELECT COUNT(*) FROM inbox WHERE done = 0) + (SELECT COUNT(*) FROM outbox WHERE state = 'pending')
		+ (SELECT COUNT(*) FROM questions WHERE text = ? AND status = 'awaiting_senior')`, chaosQuestion) == 0
}

// chaosStage tells from the database how far the reply has come. The digit
// sorts the stages.
func chaosStage(c cli) string {
	senior := console.Identity(chaosSenior).Chat
	said := `FROM inbox WHERE kind = 'said' AND chat = ? AND instr(CAST(payload AS TEXT), ?) > 0`
	came := `FROM inbox WHERE kind = 'answer_came'`
	switch {
	case c.count(`SELECT COUNT(*) `+said, senior, chaosReply) == 0:
		return "0 the reply was not in the inbox yet"
	case c.count(`SELECT COUNT(*) `+said+` AND done = 1`, senior, chaosReply) == 0:
		return "1 the reply was in the inbox"
	case c.count(`SELECT COUNT(*) FROM answers WHERE text = ?`, chaosReply) == 0:
		return "2 the reply was being written"
	case c.count(`SELECT COUNT(*) `+came+` AND done = 1`) == 0:
		return "3 the answer was in the base, and nobody was told"
	case c.count(`SELECT COUNT(*) `+came+` AND done = 0`) > 0:
		return "4 some of the askers were told"
	case c.count(`SELECT COUNT(*) FROM outbox WHERE state = 'pending'`) > 0:
		return "5 a delivery was not recorded yet"
	case c.count(`SELECT COUNT(*) FROM inbox WHERE done = 0`) > 0:
		return "6 the askers had it, the senior had no proof"
	}
	return "7 all was done"
}

// checkChaos is the oracle: nothing lost, nothing twice.
func checkChaos(t *testing.T, c cli) {
	t.Helper()
	want := func(what string, n int, query string, args ...any) {
		t.Helper()
		if got := c.count(query, args...); got != n {
			t.Errorf("%s: %d, want %d", what, got, n)
		}
	}
	want("answers in the base", 1, `SELECT COUNT(*) FROM answers WHERE text = ?`, chaosReply)
	want("questions with it", 1, `SELECT COUNT(*) FROM questions q JOIN answers a ON q.answer = a.id WHERE a.text = ? AND q.status = 'in_knowledge_base' AND q.text = ?`, chaosReply, chaosQuestion)
	want("questions in all", 5, `SELECT COUNT(*) FROM questions`)
	want("wordings of the question", 1, `SELECT COUNT(*) FROM phrasings p JOIN questions q ON p.question = q.id WHERE q.text = ?`, chaosQuestion)
	want("askers who have it", 3, `SELECT COUNT(*) FROM waiters WHERE state = 'answered'`)
	want("askers who wait for the other question", 1, `SELECT COUNT(*) FROM waiters w JOIN questions q ON w.question = q.id WHERE w.state = 'waiting' AND q.text = ? AND q.status = 'awaiting_senior'`, chaosOther)
	want("open escalations", 1, `SELECT COUNT(*) FROM escalations WHERE state = 'open'`)
	want("failures", 0, `SELECT COUNT(*) FROM inbox WHERE failure <> ''`)
	// The end of the senior's silence may come only now, and changes nothing.
	eventually(t, "nothing is left to do", func() bool { return c.count(`SELECT COUNT(*) FROM inbox WHERE done = 0`) == 0 })
	want("deliveries that were not sent", 0, `SELECT COUNT(*) FROM outbox WHERE state <> 'sent'`)
	want("proofs", 1, `SELECT COUNT(*) FROM outbox WHERE chat = ? AND instr(CAST(message AS TEXT), ?) > 0`, console.Identity(chaosSenior).Chat, "keep_out")
	for _, name := range append(chaosAskers(), "Олег") {
		n := 1
		if name == "Олег" {
			n = 0
		}
		want("answers for "+name, n, `SELECT COUNT(*) FROM outbox WHERE chat = ? AND instr(CAST(message AS TEXT), ?) > 0`, console.Identity(name).Chat, chaosReply)
		shown := c.must("chat", "--as", name) // a terminal that is opened now
		if got := strings.Count(shown, chaosReply); got != n {
			t.Errorf("%s is shown the answer %d times, want %d:\n%s", name, got, n, shown)
		}
	}
	if got := c.must("ask", "--dry-run", chaosQuestion); !strings.Contains(got, chaosReply) {
		t.Errorf("the answer is not found:\n%s", got)
	}
}

// desk posts to the inbox as the chats of all its people do, from a process that is
// not the bot.
type desk struct {
	t     *testing.T
	c     cli
	store truth
	watch *sql.DB
	conn  *sql.Conn // of watch: in SQLite only one connection can see that others have committed
}

func openDesk(t *testing.T, c cli) *desk {
	t.Helper()
	a := &app{std: streams{in: strings.NewReader(""), out: io.Discard, err: io.Discard}, environ: os.Environ(), dataFlag: c.data, configFlag: c.config}
	if err := a.configure(); err != nil {
		t.Fatal(err)
	}
	if err := a.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, c: c, store: a.store, watch: c.database()}
	var err error
	if d.conn, err = d.watch.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	return d
}

func (d *desk) close() {
	_ = d.conn.Close()
	_ = d.watch.Close()
	_ = d.store.Close()
}

// change is a number that is another one after every commit. PostgreSQL has none for
// one database, so what the bot's commits change is counted.
func (d *desk) change() (v int64) {
	query := `PRAGMA data_version`
	if d.c.dsn != "" {
		query = `SELECT (SELECT COUNT(*) + COUNT(*) FILTER (WHERE done = 1) FROM inbox) + (SELECT COUNT(*) + COUNT(*) FILTER (WHERE state <> 'pending') FROM outbox)
			+ (SELECT COALESCE(MAX(seq), 0) FROM changes) + (SELECT COUNT(*) FROM embeddings) + (SELECT COUNT(*) + COUNT(*) FILTER (WHERE state <> 'available') FROM river_job)`
	}
	_ = d.conn.QueryRowContext(d.t.Context(), query).Scan(&v)
	return v
}

// commits waits until n commits have been seen, or no more come, or stop is
// closed, and returns how many it saw. Commits that come together count as one.
func (d *desk) commits(n int, stop <-chan struct{}) int {
	const calm = time.Second
	last, seen := d.change(), 0
	for since := time.Now(); seen < n && time.Since(since) < calm; time.Sleep(100 * time.Microsecond) {
		select {
		case <-stop:
			return seen
		default:
		}
		if v := d.change(); v != last {
			last, since = v, time.Now()
			seen++
		}
	}
	return seen
}

func (d *desk) post(name string, b bot.Body) {
	d.t.Helper()
	who := console.Identity(name)
	err := bot.Post(d.t.Context(), d.store, bot.Event{Key: uuid.NewString(), Chat: bot.ChatID(who.Chat), At: time.Now(), From: who, Body: b})
	if err != nil {
		d.t.Fatal(err)
	}
}

// reply posts the senior's answer and its end.
func (d *desk) reply() {
	d.t.Helper()
	d.post(chaosSenior, bot.Said{Text: chaosReply})
	d.post(chaosSenior, bot.Ended{})
}

// say posts a message and waits until it has been answered.
func (d *desk) say(name, text string) {
	d.t.Helper()
	d.post(name, bot.Said{Text: text})
	d.quiet()
}

// press presses the latest button with the label in a chat, and waits until
// that has been answered.
func (d *desk) press(name, label string) {
	d.t.Helper()
	d.button(name, label, func(bot.Message) bool { return true })
}

// take makes the senior answer a question next.
func (d *desk) take(question string) {
	d.t.Helper()
	d.button(chaosSenior, say(d.t, "button_take", nil), func(m bot.Message) bool { return strings.Contains(m.Text, question) })
}

func (d *desk) button(name, label string, in func(bot.Message) bool) {
	d.t.Helper()
	id := ""
	err := d.store.Read(d.t.Context(), func(tx bot.Tx) error {
		all, err := tx.Deliveries(d.t.Context(), bot.ChatID(console.Identity(name).Chat), 0, 1_000)
		for _, delivery := range all {
			for _, s := range delivery.Message.Sections {
				for _, b := range s.Buttons {
					if b.Label == label && in(delivery.Message) {
						id = b.ID
					}
				}
			}
		}
		return err
	})
	if err != nil || id == "" {
		d.t.Fatalf("%s has no button %q: %v", name, label, err)
	}
	d.post(name, bot.Pressed{ID: id})
	d.quiet()
}

// quiet waits until no chat has anything left to handle.
func (d *desk) quiet() {
	d.t.Helper()
	eventually(d.t, "the inbox and the outbox are worked off", func() bool {
		busy := false
		err := d.store.Read(d.t.Context(), func(tx bot.Tx) error {
			chats, err := tx.BusyChats(d.t.Context(), time.Now())
			busy = len(chats) > 0
			return err
		})
		return err == nil && !busy
	})
}
