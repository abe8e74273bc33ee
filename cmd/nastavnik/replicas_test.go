package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// A crowd asks all at once, each in a chat of their own and without waiting for
// answers.
type crowd struct {
	chats, questions int
}

func (c crowd) all() int             { return c.chats * c.questions }
func (c crowd) name(chat int) string { return fmt.Sprintf("Сотрудник %d", chat) }

// asks are the questions of a chat in their order, which is another one in each.
func (c crowd) asks(chat int) []string {
	known := []string{"Как изменить ответственного по сделке?", "Как добавить наблюдателя в сделку?", "Как оформить отпуск?", "наблюдатели в сделке", "отпуск", passQuestion, "привет"}
	r := rand.New(rand.NewPCG(uint64(chat), 7))
	out := make([]string, c.questions)
	for i := range out {
		out[i] = known[r.IntN(len(known))]
	}
	return out
}

// ask posts everything. A post that fails because the database is away is repeated,
// as platforms repeat what was not acknowledged.
func (c crowd) ask(d *desk) {
	d.t.Helper()
	var wg sync.WaitGroup
	for chat := range c.chats {
		wg.Go(func() {
			who := console.Identity(c.name(chat))
			for i, text := range c.asks(chat) {
				e := bot.Event{Key: fmt.Sprintf("crowd/%d/%d", chat, i), Chat: bot.ChatID(who.Chat), At: time.Now(), From: who, Body: bot.Said{Text: text}}
				for {
					err := bot.Post(d.t.Context(), d.store, e)
					if err == nil {
						break
					}
					if !errors.Is(err, knowledge.ErrAway) {
						d.t.Errorf("post: %v", err)
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
}

// heard returns what each chat was sent, in its order.
func (c crowd) heard(d *desk) [][]string {
	d.t.Helper()
	out := make([][]string, c.chats)
	for chat := range out {
		err := d.store.Read(d.t.Context(), func(tx bot.Tx) error {
			all, err := tx.Deliveries(d.t.Context(), bot.ChatID(console.Identity(c.name(chat)).Chat), 0, 1_000)
			for _, delivery := range all {
				out[chat] = append(out[chat], delivery.Message.Text)
			}
			return err
		})
		if err != nil {
			d.t.Fatal(err)
		}
	}
	return out
}

// fromOneBot is what the crowd hears from a single bot on the embedded database, on
// which nothing goes wrong.
func (c crowd) fromOneBot(t *testing.T) [][]string {
	t.Helper()
	folder := filled(newCLI(t))
	d := openDesk(t, folder)
	defer d.close()
	c.ask(d)
	b := folder.startBot()
	c.until(d, c.all())
	d.quiet()
	b.kill()
	return c.heard(d)
}

// check is the oracle: every chat hears what it hears from one bot, in that order,
// and every question was answered once.
func (c crowd) check(d *desk, want [][]string) {
	d.t.Helper()
	c.until(d, c.all())
	d.quiet()
	if diff := cmp.Diff(want, c.heard(d)); diff != "" {
		d.t.Errorf("the chats hear something else than from one bot (-one bot +replicas):\n%s", diff)
	}
	for what, query := range map[string]string{
		"failed":              `SELECT COUNT(*) FROM inbox WHERE failure <> ''`,
		"not sent":            `SELECT COUNT(*) FROM outbox WHERE state <> 'sent'`,
		"answered out of row": `SELECT COUNT(*) FROM inbox a JOIN inbox b ON a.chat = b.chat AND a.kind = 'said' AND b.kind = 'said' AND a.id < b.id AND a.settled > b.settled`,
	} {
		if n := d.c.count(query); n != 0 {
			d.t.Errorf("%s: %d", what, n)
		}
	}
	if n := d.c.count(`SELECT COUNT(*) FROM inbox WHERE kind = 'said'`); n != c.all() {
		d.t.Errorf("%d messages came in, want %d", n, c.all())
	}
}

// until waits until so many messages have been dealt with: for each of them alone, so
// that a busy machine may take its time for all.
func (c crowd) until(d *desk, done int) {
	d.t.Helper()
	for n := 1; n <= done; n++ {
		eventually(d.t, fmt.Sprintf("%d messages are dealt with", n), func() bool {
			return d.c.count(`SELECT COUNT(*) FROM inbox WHERE kind = 'said' AND done = 1`) >= n
		})
	}
}

func TestACrowdAsksReplicas(t *testing.T) {
	t.Parallel()
	people := crowd{chats: 8, questions: 6}
	want := people.fromOneBot(t)
	t.Run("one of three is killed", func(t *testing.T) { t.Parallel(); oneOfThreeIsKilled(t, people, want) })
	t.Run("PostgreSQL is restarted", func(t *testing.T) { t.Parallel(); postgresIsRestarted(t, people, want) })
}

// Three replicas, of which one is killed with kill -9 in the middle: nothing is lost,
// nothing is answered twice, and each chat's order is kept.
func oneOfThreeIsKilled(t *testing.T, people crowd, want [][]string) {
	c := filled(newServer(t))
	replicas := []*process{c.startBot(), c.startBot(), c.startBot()}
	d := openDesk(t, c)
	asked := make(chan struct{})
	go func() { defer close(asked); people.ask(d) }()
	people.until(d, people.all()/4)
	replicas[0].kill()
	people.until(d, people.all()/2)
	replicas[1].interrupt() // one goes in good order, too
	if code := replicas[1].code(); code != 0 {
		t.Errorf("exit %d: %s", code, replicas[1].err.String())
	}
	<-asked
	people.check(d, want)
}

// PostgreSQL is killed, and restarted, while the crowd asks two replicas.
func postgresIsRestarted(t *testing.T, people crowd, want [][]string) {
	server := devenv.PrivatePostgres(t)
	c := onServer(t, server.DSN)
	c.must("migrate", "up")
	filled(c)
	replicas := []*process{c.startBot(), c.startBot()}
	d := openDesk(t, c)
	asked := make(chan struct{})
	go func() { defer close(asked); people.ask(d) }()
	people.until(d, people.all()/4)
	server.Kill()
	server.Start()
	people.until(d, people.all()/2)
	server.Stop()
	time.Sleep(300 * time.Millisecond) // they look for work meanwhile
	server.Start()
	<-asked
	people.check(d, want)
	for _, p := range replicas {
		select {
		case <-p.ended:
			t.Errorf("a replica has ended: %s", p.err.String())
		default:
		}
		p.interrupt()
		if code := p.code(); code != 0 {
			t.Errorf("exit %d: %s", code, p.err.String())
		}
	}
}

// A senior's reply is found by every replica. Which one answers is decided by
// stopping the others, as a machine that hangs would.
func TestAReplyReachesEveryReplica(t *testing.T) {
	t.Parallel()
	c := filled(newServer(t))
	c.must("person", "add", "Анна К.", "--senior")
	replicas := []*process{c.startBot(), c.startBot(), c.startBot()}
	senior, ivan := c.start("chat", "--senior", "Анна К."), c.start("chat", "--as", "Иван П.")
	ivan.say(passQuestion)
	ivan.sees("Нет моего вопроса")
	ivan.say("нет моего вопроса")
	ivan.sees(say(t, "sent", texts.Data{"Senior": "Анна К."}))
	senior.sees(passQuestion)
	senior.say(chaosReply)
	senior.sees("Записываю как ответ")
	senior.say("готово")
	senior.sees("теперь находится")
	ivan.sees(chaosReply)
	for _, p := range []*process{senior, ivan} { // terminals are replicas, too
		p.end()
		if code := p.code(); code != 0 {
			t.Fatalf("%s: exit %d: %s", p.name, code, p.err.String())
		}
	}
	d := openDesk(t, c)
	d.quiet()
	for i := range replicas {
		signal := func(s syscall.Signal) {
			for k, p := range replicas {
				if k != i {
					_ = p.cmd.Process.Signal(s)
				}
			}
		}
		signal(syscall.SIGSTOP)
		name := fmt.Sprint("Новичок ", i)
		began := time.Now()
		d.say(name, "пропуск на парковку где получить")
		t.Logf("replica %d answers in %v", i, time.Since(began).Round(time.Millisecond))
		signal(syscall.SIGCONT)
		found := false
		err := d.store.Read(t.Context(), func(tx bot.Tx) error {
			all, err := tx.Deliveries(t.Context(), bot.ChatID(console.Identity(name).Chat), 0, 10)
			for _, m := range all {
				found = found || strings.Contains(m.Message.Text, chaosReply)
			}
			return err
		})
		if err != nil || !found {
			t.Errorf("replica %d does not find the reply: %v", i, err)
		}
	}
}
