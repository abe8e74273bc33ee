package console_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/bottest"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/sqlite/sqlitetest"
)

// office is a data folder with a bot at work, and a little knowledge.
type office struct {
	t      *testing.T
	store  *sqlite.Store
	runner *bot.Runner
}

func newOffice(t *testing.T) *office {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: sqlitetest.Folder(t, sqlite.NoQueue{}), Queue: sqlite.NoQueue{}})
	if err != nil {
		t.Fatal(err)
	}
	find, err := bottest.NewSearcher(s)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Write(t.Context(), func(tx bot.Tx) error {
		for id, text := range map[string]string{"owner": "Как изменить ответственного по сделке?", "invoice": "Как выставить счёт клиенту?"} {
			if err := tx.PutQuestion(t.Context(), &knowledge.Question{ID: id, Text: text, Status: knowledge.InKnowledgeBase}); err != nil {
				return err
			}
			if err := tx.PutAnswer(t.Context(), &knowledge.Answer{Question: id, Text: "Ответ: " + id}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, store: s, runner: bot.NewRunner(bot.Options{
		Store: s, Searcher: find, Decider: bot.NewDecider(russian(t), bot.Manner{}),
		Platforms: map[string]bot.Platform{console.Platform: {Sender: console.Sender{}}}, Poll: time.Millisecond,
	})}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := o.runner.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		wg.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// terminal opens somebody's terminal.
func (o *office) terminal(name string, in io.Reader, out io.Writer) *console.Terminal {
	return console.New(console.Options{
		Store: o.store, Who: console.Identity(name), Say: russian(o.t), In: in, Out: out,
		Poll: 2 * time.Millisecond, Wake: o.runner.Wake,
	})
}

// pipe feeds lines to somebody's terminal and returns what it printed.
func (o *office) pipe(name, lines string) string {
	o.t.Helper()
	var out bytes.Buffer
	if err := o.terminal(name, strings.NewReader(lines), &out).Run(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
	return out.String()
}

func (o *office) senior(name string) {
	o.t.Helper()
	office := bot.Office{Store: o.store, Now: time.Now}
	if _, err := office.AddPerson(o.t.Context(), console.Identity(name), func(p *knowledge.Person) { p.Senior = true }); err != nil {
		o.t.Fatal(err)
	}
}

// wantInOrder looks for parts one after the other.
func wantInOrder(t *testing.T, got string, parts ...string) {
	t.Helper()
	rest := got
	for _, p := range parts {
		i := strings.Index(rest, p)
		if i < 0 {
			t.Fatalf("%q does not follow in\n%s", p, got)
		}
		rest = rest[i+len(p):]
	}
}

// A pipe reads like a conversation: each line is answered before the next, and
// all is printed before the end.
func TestPipe(t *testing.T) {
	o := newOffice(t)
	got := o.pipe("Иван", "как изменить ответственного по сделке\nПомогло\nспасибо\n")
	wantInOrder(t, got, "Я «Наставник»", "Ответ: owner", "[1] Помогло", "✓ выбрано: Помогло", "Рад, что помогло!", "Пожалуйста!")
}

// The last line needs no newline at its end, and Windows' line ends are no words.
func TestPipeWithoutNewline(t *testing.T) {
	o := newOffice(t)
	wantInOrder(t, o.pipe("Иван", "привет\r\n/help"), "Я «Наставник»", "/faq")
}

// A button is pressed by its number in the latest message that has any, or by
// its words.
func TestPressByNumberAndWords(t *testing.T) {
	o := newOffice(t)
	got := o.pipe("Иван", "как изменить ответственного по сделке\n[2]\nнет моего вопроса\n")
	wantInOrder(t, got, "Ответ: owner", "✓ выбрано: Не помогло", "Жаль, что не помогло", "✓ выбрано: Нет моего вопроса", "Вопрос записан")

	// A number that is no button is a message like any other.
	if got := o.pipe("Иван", "77\n"); strings.Contains(got, "✓") {
		t.Errorf("77 pressed something:\n%s", got)
	}
}

// A label that has been pressed is an ordinary word from then on.
func TestPressedWordsAreWords(t *testing.T) {
	o := newOffice(t)
	got := o.pipe("Иван", "как изменить ответственного по сделке\nпомогло\nпомогло\n")
	if n := strings.Count(got, "✓"); n != 1 {
		t.Errorf("%d buttons were pressed:\n%s", n, got)
	}
}

// Other terminals answer: the question reaches the senior's, and when the
// senior's input ends, what is written is sent.
func TestTwoTerminals(t *testing.T) {
	o := newOffice(t)
	o.senior("Анна К.")
	wantInOrder(t, o.pipe("Иван", "где парковка для гостей\nНет моего вопроса\n"), "Вопрос передан: Анна К. Ответ придёт сюда.")

	// What has come meanwhile is printed when the terminal opens; the end of the
	// input ends the reply.
	got := o.pipe("Анна К.", "За зданием.\nВъезд со двора.")
	wantInOrder(t, got, "Спрашивает Иван", "где парковка для гостей", "Записываю как ответ", "Ответ отправлен: Иван")

	wantInOrder(t, o.pipe("Иван", ""), "отвечает на ваш вопрос «где парковка для гостей»", "За зданием.", "Въезд со двора.")
	if got := o.pipe("Иван", ""); got != "" {
		t.Errorf("printed again:\n%s", got)
	}
}

// A button is pressed in a terminal that was opened after the message had been read.
func TestOldButtonsAfterReopening(t *testing.T) {
	o := newOffice(t)
	o.pipe("Иван", "как изменить ответственного по сделке\n")
	wantInOrder(t, o.pipe("Иван", "Помогло\n"), "✓ выбрано: Помогло", "Рад, что помогло!")
}

// A line that no chat would take is refused, and the next one is heard.
func TestLongLines(t *testing.T) {
	o := newOffice(t)
	got := o.pipe("Иван", strings.Repeat("я", 100_000)+"\n"+strings.Repeat("ы", 1<<20)+"\nспасибо\n")
	if n := strings.Count(got, "Сообщение слишком длинное"); n != 2 {
		t.Errorf("%d refusals:\n%.2000s", n, got)
	}
	wantInOrder(t, got, "Сообщение слишком длинное", "Я «Наставник»")
}

// Empty lines are questions of a pipe, and nothing in a terminal.
func TestEmptyLines(t *testing.T) {
	o := newOffice(t)
	wantInOrder(t, o.pipe("Иван", "привет\n\n"), "Напишите, пожалуйста, вопрос словами")
	var out bytes.Buffer
	terminal := console.New(console.Options{
		Store: o.store, Who: console.Identity("Пётр"), Say: russian(t), In: strings.NewReader("\n\n"), Out: &out,
		Poll: 2 * time.Millisecond, Wake: o.runner.Wake, Prompt: "Пётр> ", Greeting: true,
	})
	if err := terminal.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantInOrder(t, out.String(), "Я «Наставник»", "Пётр> ")
	if strings.Contains(out.String(), "вопрос словами") {
		t.Errorf("an empty line was answered:\n%s", out.String())
	}
}

// signal is a writer that tells when something has been written.
type signal struct {
	mu   sync.Mutex
	text strings.Builder
	came chan struct{}
}

func (s *signal) Write(p []byte) (int, error) {
	s.mu.Lock()
	s.text.Write(p)
	s.mu.Unlock()
	select {
	case s.came <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (s *signal) has(part string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.text.String(), part)
}

// wait returns when the part has been written; the test's own time limit ends it.
func (s *signal) wait(t *testing.T, part string) {
	t.Helper()
	for !s.has(part) {
		select {
		case <-s.came:
		case <-t.Context().Done():
			t.Fatalf("%q never came", part)
		}
	}
}

// An open terminal shows what comes from others without being asked.
func TestOpenTerminalHearsOthers(t *testing.T) {
	o := newOffice(t)
	o.senior("Анна К.")
	in, keyboard := io.Pipe()
	screen := &signal{came: make(chan struct{}, 1)}
	done := make(chan error, 1)
	go func() { done <- o.terminal("Анна К.", in, screen).Run(t.Context()) }()
	o.pipe("Иван", "где парковка для гостей\nНет моего вопроса\n")
	screen.wait(t, "где парковка для гостей")
	if _, err := io.WriteString(keyboard, "За зданием.\n"); err != nil {
		t.Fatal(err)
	}
	screen.wait(t, "Записываю как ответ")
	if err := keyboard.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !screen.has("Ответ отправлен: Иван") {
		t.Errorf("the reply was not sent at the end of the input")
	}
}

// Names that differ in case and spaces are one person; the name is shown as given.
func TestIdentity(t *testing.T) {
	a, b := console.Identity("  Анна   К. "), console.Identity("анна к")
	if a.External != b.External || a.Chat != b.Chat {
		t.Errorf("%+v and %+v", a, b)
	}
	if a.Name != "Анна К." {
		t.Errorf("shown as %q", a.Name)
	}
	if c := console.Identity("Анна М."); c.External == a.External {
		t.Error("two people are one")
	}
}
