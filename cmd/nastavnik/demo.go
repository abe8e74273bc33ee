package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/configs"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/kbfile"
)

// The people of the demonstration.
const (
	demoEmployee = "Иван П."
	demoSenior   = "Анна К."
)

func newDemo(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Попробовать сразу: готовая база выдуманной CRM, сотрудник и сеньор в одном терминале",
		Long: `Заводит папку данных с базой знаний выдуманной CRM «Орбита» и открывает чат.
Строка /senior переключает на сеньора (Анна К.), /employee — обратно на сотрудника (Иван П.).
Сеньор может сидеть и в другом терминале: nastavnik chat --senior "Анна К." --data ПАПКА.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.dataFlag == "" && lookup(a.environ, "NASTAVNIK_DATA") == "" {
				a.cfg.Data = "demo-data"
			}
			return a.demo(cmd.Context())
		},
	}
}

func (a *app) demo(ctx context.Context) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	if err := a.seedDemo(ctx); err != nil {
		return fmt.Errorf("подготовка демонстрации: %w", err)
	}
	_, _ = fmt.Fprintf(a.std.err, `Демонстрация: база знаний выдуманной CRM «Орбита», папка данных %s
Вы пишете как сотрудник (%s). /senior — стать сеньором (%s), /employee — обратно. Выход: Ctrl-D.
Спросите, например: как сменить ответственного в сделке

`, a.cfg.Data, demoEmployee, demoSenior)
	return a.withBot(ctx, "demo", a.demoChat)
}

// seedDemo fills an empty data folder; one that has questions is left alone.
func (a *app) seedDemo(ctx context.Context) error {
	var some []knowledge.Question
	err := a.store.Read(ctx, func(tx bot.Tx) (err error) {
		some, err = tx.Questions(ctx, knowledge.QuestionFilter{Limit: 1, WithClosed: true})
		return err
	})
	if err != nil || len(some) > 0 {
		return err
	}
	entries, _, err := kbfile.Read(bytes.NewReader(configs.DemoKB), "kb.jsonl", kbfile.Options{})
	if err != nil {
		return err
	}
	if _, err := store(ctx, a.store, entries, func(int) {}); err != nil {
		return err
	}
	for _, id := range configs.DemoFAQ() {
		if _, err := a.office().SetStatus(ctx, id, knowledge.FAQ); err != nil {
			return err
		}
	}
	if _, err = a.office().AddPerson(ctx, console.Identity(demoSenior), func(p *knowledge.Person) { p.Senior = true }); err != nil {
		return err
	}
	// The bot would do this in the background; a demonstration starts ready.
	if err := a.openFinder(ctx); err != nil {
		return err
	}
	_, err = a.indexMissing(ctx, "Готовлю поиск")
	return err
}

// demoChat plays both sides in one terminal: every line goes to the side that
// is on; what comes for the other side is announced.
func (a *app) demoChat(ctx context.Context, wake func()) error {
	tty := isTerminal(a.std.in) && isTerminal(a.std.out)
	sides := map[string]*console.Terminal{}
	for _, name := range []string{demoEmployee, demoSenior} {
		o := console.Options{Store: a.store, Who: console.Identity(name), Say: a.say, Out: a.std.out, Wake: wake, Greeting: name == demoEmployee}
		if tty {
			o.Style = console.ANSI(a.width())
		}
		sides[name] = console.New(o)
	}
	on := demoEmployee
	if err := sides[on].Open(ctx); err != nil {
		return err
	}
	lines := scan(a.std.in)
	for {
		a.demoPrompt(tty, on)
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			if !ok {
				return endDemo(ctx, sides)
			}
			to, err := a.demoLine(ctx, sides, on, line)
			if err != nil {
				return err
			}
			on = to
		}
	}
}

func scan(r io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		sc := bufio.NewScanner(r)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			lines <- sc.Text()
		}
	}()
	return lines
}

// demoLine handles one line and returns the side that is on after it.
func (a *app) demoLine(ctx context.Context, sides map[string]*console.Terminal, on, line string) (string, error) {
	switch strings.TrimSpace(strings.ToLower(line)) {
	case "":
		return on, nil
	case "/senior", "/сеньор":
		return demoSenior, a.demoSwitch(ctx, sides, demoSenior)
	case "/employee", "/сотрудник":
		return demoEmployee, a.demoSwitch(ctx, sides, demoEmployee)
	}
	if err := sides[on].Say(ctx, line); err != nil {
		return on, err
	}
	return on, a.demoAnnounce(ctx, sides, on)
}

func (a *app) demoSwitch(ctx context.Context, sides map[string]*console.Terminal, to string) error {
	if err := a.printf("─── %s ───\n", to); err != nil {
		return err
	}
	return sides[to].Print(ctx)
}

// demoAnnounce says that the other side has got something. A question takes a
// moment to reach the other chat.
func (a *app) demoAnnounce(ctx context.Context, sides map[string]*console.Terminal, on string) error {
	const moment = 150 * time.Millisecond
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(moment):
	}
	other, command := demoSenior, "/senior"
	if on == demoSenior {
		other, command = demoEmployee, "/employee"
	}
	n, err := sides[other].Unread(ctx)
	if err != nil || n == 0 {
		return err
	}
	return a.printf("─── %s: новых сообщений %d. Посмотреть: %s ───\n", other, n, command)
}

func (a *app) demoPrompt(tty bool, on string) {
	if tty {
		_, _ = fmt.Fprint(a.std.out, on+"> ")
	}
}

// endDemo gives out what the senior is writing.
func endDemo(ctx context.Context, sides map[string]*console.Terminal) error {
	for _, name := range []string{demoEmployee, demoSenior} {
		if err := sides[name].End(ctx); err != nil {
			return err
		}
	}
	return sides[demoEmployee].Print(ctx)
}
