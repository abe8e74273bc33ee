package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

var errNoName = errors.New("имя не может быть пустым")

func newPerson(a *app) *cobra.Command {
	c := &cobra.Command{Use: "person", Short: "Люди: сотрудники, сеньоры, администраторы"}
	c.AddCommand(
		newPersonAdd(a), newPersonSet(a), newPersonList(a), newPersonShow(a),
		newPersonInvite(a), newPersonLink(a), newPersonLeave(a),
	)
	return c
}

// personFlags are what can be said of somebody.
type personFlags struct {
	senior, admin                  bool
	name, email, team, zone, hours string
	away                           string
	set                            *pflag.FlagSet
}

func (f *personFlags) define(set *pflag.FlagSet) {
	f.set = set
	set.BoolVar(&f.senior, "senior", false, "сеньор: отвечает на вопросы")
	set.BoolVar(&f.admin, "admin", false, "администратор")
	set.StringVar(&f.email, "email", "", "рабочая почта: по ней человека узнают в Slack")
	set.StringVar(&f.team, "team", "", "отдел")
	set.StringVar(&f.zone, "zone", "", "часовой пояс, например Asia/Omsk; пусто — как в Slack или как у компании")
	set.StringVar(&f.hours, "hours", "", `свои рабочие часы, например "пн-пт 10-19"; пусто — как у компании`)
	set.StringVar(&f.away, "away", "", "нет на месте до этого дня (ГГГГ-ММ-ДД): новые вопросы не получает; пусто — на месте")
}

// check refuses what cannot be meant.
func (f *personFlags) check() error {
	if _, err := knowledge.ParseHours(f.hours); err != nil {
		return usageError{err}
	}
	if _, err := time.LoadLocation(f.zone); err != nil {
		return usageError{fmt.Errorf("часового пояса %q нет; пример: Asia/Omsk", f.zone)}
	}
	if f.email != "" && !strings.Contains(f.email, "@") {
		return usageError{fmt.Errorf("почта пишется как имя@компания, а не %q", f.email)}
	}
	if _, err := parseDay(f.away, time.UTC); err != nil {
		return usageError{err}
	}
	return nil
}

// parseDay returns the beginning of a day; the zero time for "".
func parseDay(text string, zone *time.Location) (time.Time, error) {
	if strings.TrimSpace(text) == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(text), zone)
	if err != nil {
		return t, fmt.Errorf("день пишется как 2026-01-31, а не %q", text)
	}
	return t, nil
}

// apply changes what was said, and nothing else.
func (f *personFlags) apply(a *app, p *knowledge.Person) {
	for name, to := range map[string]*string{"email": &p.Email, "team": &p.Team, "zone": &p.Zone, "hours": &p.Hours, "name": &p.Name} {
		if f.set.Changed(name) {
			*to = strings.TrimSpace(f.set.Lookup(name).Value.String())
		}
	}
	if f.set.Changed("senior") {
		p.Senior = f.senior
	}
	if f.set.Changed("admin") {
		p.Admin = f.admin
	}
	if f.set.Changed("away") {
		p.Away, _ = parseDay(f.away, a.zoneOf(*p)) // check has refused the others
	}
}

func newPersonAdd(a *app) *cobra.Command {
	var f personFlags
	c := &cobra.Command{
		Use:   "add ИМЯ",
		Short: "Добавить человека или дать ему роль",
		Long: `Добавляет человека; с --senior он получает вопросы, на которые нет ответа.
Вопросы, которые ждали в очереди, уйдут ему сразу, как только ему можно написать: в Slack его узнают по --email,
в Telegram он начинает разговор сам по приглашению (nastavnik person invite).`,
		Example: `  nastavnik person add "Анна К." --senior --email anna@example.org --team "Поддержка"`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.personAdd(cmd.Context(), args[0], &f) },
	}
	f.define(c.Flags())
	return c
}

func (a *app) personAdd(ctx context.Context, name string, f *personFlags) error {
	if knowledge.FoldText(name) == "" {
		return usageError{errNoName}
	}
	if err := f.check(); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	p, err := a.someone(ctx, name)
	stranger := strangerError{}
	if err != nil && !errors.As(err, &stranger) {
		return err
	}
	change := func(p *knowledge.Person) {
		was := *p
		f.apply(a, p)
		p.Senior, p.Admin = p.Senior || was.Senior, p.Admin || was.Admin // adding takes nothing away
		p.Admitted, p.Left = true, false
	}
	if err == nil {
		p, err = a.office().ChangePerson(ctx, p.ID, change)
	} else {
		p, err = a.office().AddPerson(ctx, a.newcomer(name), change)
	}
	if err != nil {
		return taken(err, f.email)
	}
	return a.printf("%s: %s\n", p.Name, roles(p))
}

// taken says that somebody else has an e-mail.
func taken(err error, email string) error {
	if errors.Is(err, knowledge.ErrConflict) && email != "" {
		return fmt.Errorf("почта %s уже у другого человека; у кого: nastavnik person show %s", email, email)
	}
	return err
}

func newPersonSet(a *app) *cobra.Command {
	var f personFlags
	c := &cobra.Command{
		Use:   "set КТО",
		Short: "Изменить человека: роли, почту, отдел, часы, отпуск",
		Long: `Меняет то, что названо флагами. КТО — имя, почта или номер из nastavnik person list.
Кто перестаёт быть сеньором (--senior=false), отдаёт открытые вопросы другим.`,
		Example: `  nastavnik person set "Анна К." --hours "пн-чт 10-19, пт 10-17" --zone Asia/Omsk
  nastavnik person set "Анна К." --away 2026-08-17
  nastavnik person set anna@example.org --senior=false`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.personSet(cmd.Context(), args[0], &f) },
	}
	f.define(c.Flags())
	c.Flags().StringVar(&f.name, "name", "", "новое имя")
	return c
}

func (a *app) personSet(ctx context.Context, who string, f *personFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	if f.set.Changed("name") && knowledge.FoldText(f.name) == "" {
		return usageError{errNoName}
	}
	defer func() { _ = a.close() }()
	p, err := a.someone(ctx, who)
	if err != nil {
		return err
	}
	if p, err = a.office().ChangePerson(ctx, p.ID, func(p *knowledge.Person) { f.apply(a, p) }); err != nil {
		return taken(err, f.email)
	}
	return a.printPerson(ctx, p.ID)
}

func roles(p knowledge.Person) string {
	if p.Left {
		return "больше не работает"
	}
	out := []string{"сотрудник"}
	if p.Senior {
		out = append(out, "сеньор")
	}
	if p.Admin {
		out = append(out, "администратор")
	}
	return strings.Join(out, ", ")
}

func newPersonLeave(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "leave КТО",
		Short: "Человек больше не работает: его вопросы уйдут другим, боту он чужой",
		Long: `Открытые вопросы сеньора уходят другим, то, чего он ждал сам, снимается с ожидания, приглашения гаснут.
Его ответы остаются в базе под его именем. Вернулся — nastavnik person add ИМЯ.`,
		Example: `  nastavnik person leave "Анна К."`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.personLeave(cmd.Context(), args[0]) },
	}
}

func (a *app) personLeave(ctx context.Context, who string) error {
	defer func() { _ = a.close() }()
	p, err := a.someone(ctx, who)
	if err != nil {
		return err
	}
	out, err := a.office().Leave(ctx, p.ID)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: больше не работает.\n", p.Name)
	for _, h := range out.HandedOver {
		fmt.Fprintf(&b, "  %s — %s: %s\n", h.Question.ID, firstOf(h.Senior.Name, h.Escalation.Reason.Title()), cell(h.Question.Text, 80))
	}
	for _, w := range out.Withdrawn {
		fmt.Fprintf(&b, "  %s — больше не ждёт ответа: %s\n", w.Question.ID, cell(w.Question.Text, 80))
	}
	return a.printf("%s", b.String())
}

func newPersonLink(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "link КТО ПЛАТФОРМА НОМЕР",
		Short: "Сказать, кто это на платформе: slack, telegram, console",
		Long: `Связывает человека с тем, кого платформа знает под этим номером (в Slack — вида U0123, в Telegram — число).
Что он уже спросил под этим номером, станет его вопросами. Чаще это не нужно: в Slack хватает почты, в Telegram — приглашения.`,
		Example: `  nastavnik person link "Анна К." slack U0123ABCD`,
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.personLink(cmd.Context(), args[0], args[1], args[2])
		},
	}
}

func (a *app) personLink(ctx context.Context, who, platform, external string) error {
	platform, external = strings.ToLower(strings.TrimSpace(platform)), strings.TrimSpace(external)
	if _, known := platformTitles()[platform]; !known || external == "" || strings.ContainsAny(external, "/: ") {
		return usageError{fmt.Errorf("платформа — slack, telegram, web или console, номер — как на ней, а не %q", platform+" "+external)}
	}
	defer func() { _ = a.close() }()
	p, err := a.someone(ctx, who)
	if err != nil {
		return err
	}
	i := knowledge.Identity{Platform: platform, External: external, Name: p.Name, Chat: privateChat(platform, external)}
	err = a.store.Write(ctx, func(tx bot.Tx) error {
		_, err := knowledge.Desk{Tx: tx, Now: time.Now()}.Link(ctx, i, p.ID)
		if !errors.Is(err, knowledge.ErrConflict) {
			return err
		}
		other, err := tx.Known(ctx, i)
		if err != nil {
			return err
		}
		return fmt.Errorf("под этим номером бот знает другого человека: %s (%d)", other.Name, other.ID)
	})
	if err != nil {
		return err
	}
	// Who can be written to now is due what waits for them.
	if _, err := a.office().ChangePerson(ctx, p.ID, func(p *knowledge.Person) {
		if p.Chat == "" {
			p.Chat = i.Chat
		}
	}); err != nil {
		return err
	}
	return a.printPerson(ctx, p.ID)
}
