package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/lock"
)

func newChat(a *app) *cobra.Command {
	var as, senior string
	c := &cobra.Command{
		Use:   "chat",
		Short: "Открыть чат в терминале: спросить или, с --senior, отвечать",
		Long: `Открывает чат с Наставником в этом терминале.

Кнопку можно нажать её номером или её словами. Ввод может быть и трубой: строка — сообщение,
все ответы бота печатаются до конца. Терминалов на одной папке данных может быть несколько:
ботом работает один процесс, остальные присоединяются, а когда он завершится, его заменит другой.`,
		Example: `  nastavnik chat --as "Иван П."
  nastavnik chat --senior "Анна К."
  printf 'как сменить ответственного в сделке\n' | nastavnik chat`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if as != "" && senior != "" {
				return usageError{errors.New("--as и --senior вместе не бывают: сотрудник спрашивает, сеньор отвечает")}
			}
			if knowledge.FoldText(as) == "" && cmd.Flags().Changed("as") || knowledge.FoldText(senior) == "" && cmd.Flags().Changed("senior") {
				return usageError{errNoName}
			}
			return a.chat(cmd.Context(), as, senior)
		},
	}
	c.Flags().StringVar(&as, "as", "", "имя сотрудника (по умолчанию — имя пользователя системы)")
	c.Flags().StringVar(&senior, "senior", "", "имя сеньора: получать вопросы и отвечать на них")
	return c
}

func (a *app) chat(ctx context.Context, as, senior string) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	name := firstOf(senior, firstOf(as, systemUser()))
	who := console.Identity(name)
	if senior != "" {
		if _, err := a.office().AddPerson(ctx, who, func(p *knowledge.Person) { p.Senior = true }); err != nil {
			return err
		}
	}
	return a.withBot(ctx, "chat", func(ctx context.Context, wake func()) error {
		return a.terminal(who, wake).Run(ctx)
	})
}

func (a *app) terminal(who knowledge.Identity, wake func()) *console.Terminal {
	o := console.Options{Store: a.store, Who: who, Say: a.say, In: a.std.in, Out: a.std.out, Wake: wake}
	if isTerminal(a.std.in) && isTerminal(a.std.out) {
		o.Prompt, o.Style, o.Greeting = who.Name+"> ", console.ANSI(a.width()), true
	}
	return console.New(o)
}

func isTerminal(s any) bool {
	f, ok := s.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width returns the terminal's columns.
func (a *app) width() int {
	if f, ok := a.std.out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			return w
		}
	}
	return 80
}

func systemUser() string {
	if u, err := user.Current(); err == nil {
		return firstOf(u.Name, u.Username)
	}
	return "Сотрудник"
}

// takeOverEvery is how often a joined terminal tries to become the bot.
const takeOverEvery = 200 * time.Millisecond

// withBot runs fn while this process is the bot, or another one is: whenever
// the lock is free, this process takes over. wake tells the bot, when it is
// here, that there is work.
func (a *app) withBot(ctx context.Context, command string, fn func(ctx context.Context, wake func()) error) error {
	var runner atomic.Pointer[bot.Runner]
	wake := func() {
		if r := runner.Load(); r != nil {
			r.Wake()
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, run := errgroup.WithContext(ctx)
	g.Go(func() error { return stopped(run, a.beBotWhenFree(run, command, runner.Store)) })
	g.Go(func() error {
		defer stop()
		return fn(run, wake)
	})
	return g.Wait()
}

func (a *app) beBotWhenFree(ctx context.Context, command string, made func(*bot.Runner)) error {
	for {
		p, err := a.store.join(ctx, command)
		if err == nil {
			defer func() { _ = p.leave() }()
			return a.beBot(ctx, p, made, nil)
		}
		if held := (*lock.HeldError)(nil); !errors.As(err, &held) {
			return fmt.Errorf("стать ботом: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(takeOverEvery):
		}
	}
}
