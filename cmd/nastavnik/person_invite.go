package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// inviteWithin is how long an invitation holds when nobody says otherwise: over a
// weekend and a few days.
const inviteWithin = 7 * 24 * time.Hour

type inviteOptions struct {
	who    string // "": whoever comes
	senior bool
	ttl    time.Duration
	json   bool
}

// invitationJSON is what person invite --json prints.
type invitationJSON struct {
	Person  int64     `json:"person,omitempty"`
	Name    string    `json:"name,omitempty"`
	Code    string    `json:"code"`
	Link    string    `json:"link,omitempty"`
	Expires time.Time `json:"expires"`
}

func newPersonInvite(a *app) *cobra.Command {
	o := inviteOptions{}
	c := &cobra.Command{
		Use:   "invite [КТО]",
		Short: "Пригласить в Telegram: напечатать ссылку и код, которые действуют один раз",
		Long: `Кто откроет бота по этой ссылке или напишет ему код, станет этим человеком: то, что он уже спросил, и вопросы, которые ждут его
ответа, найдут его там. Прежнее приглашение этого человека гаснет. Кого ещё нет, тот будет добавлен.
Без имени приглашение впустит того, кто первым придёт с кодом. Код виден только сейчас: бот хранит лишь его след.`,
		Example: `  nastavnik person invite "Анна К." --senior
  nastavnik person invite --ttl 1h`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if o.who = strings.TrimSpace(args[0]); knowledge.FoldText(o.who) == "" {
					return usageError{errNoName}
				}
			}
			return a.personInvite(cmd.Context(), o)
		},
	}
	c.Flags().BoolVar(&o.senior, "senior", false, "кто придёт, станет сеньором")
	c.Flags().DurationVar(&o.ttl, "ttl", inviteWithin, "сколько действует, например 48h")
	c.Flags().BoolVar(&o.json, "json", false, "напечатать как JSON")
	return c
}

func (a *app) personInvite(ctx context.Context, o inviteOptions) error {
	if o.ttl < time.Minute {
		return usageError{fmt.Errorf("приглашение действует хотя бы минуту, а не %s", o.ttl)}
	}
	if o.who == "" && a.access() == knowledge.AccessList {
		return errors.New("бот пускает только тех, кто в списке (access: list): приглашайте по имени")
	}
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	p, err := a.invited(ctx, o.who)
	if err != nil {
		return err
	}
	var i knowledge.Invitation
	err = a.store.Write(ctx, func(tx bot.Tx) (err error) {
		d := knowledge.Desk{Tx: tx, Now: time.Now()}
		if o.senior {
			i, err = d.InviteSenior(ctx, p.ID, o.ttl)
		} else {
			i, err = d.Invite(ctx, p.ID, o.ttl)
		}
		return err
	})
	if err != nil {
		return err
	}
	out := invitationJSON{Person: p.ID, Name: p.Name, Code: i.Code, Expires: i.Expires.UTC().Truncate(time.Second)}
	if out.Link, err = a.invitationLink(ctx, i.Code); err != nil { // the code will do
		_, _ = fmt.Fprintf(a.std.err, "Ссылки нет, есть только код: %s\n", a.scrub(explain(err)))
	}
	if o.json {
		return a.printJSON(out)
	}
	return a.printInvitation(out)
}

// invited returns who is invited, added when they are new; nobody for "".
func (a *app) invited(ctx context.Context, who string) (knowledge.Person, error) {
	if who == "" {
		return knowledge.Person{}, nil
	}
	p, err := a.someone(ctx, who)
	stranger := strangerError{}
	switch {
	case errors.As(err, &stranger):
		p = knowledge.Person{Name: strings.Join(strings.Fields(who), " "), Created: time.Now(), Admitted: true}
		return p, a.store.Write(ctx, func(tx bot.Tx) error { return tx.PutPerson(ctx, &p) })
	case err == nil && p.Left:
		err = fmt.Errorf("%s больше не работает; вернулся — nastavnik person add %q", p.Name, p.Name)
	}
	return p, err
}

func (a *app) printInvitation(i invitationJSON) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Приглашение для: %s\nДействует один раз, до %s\n", firstOf(i.Name, "первого, кто придёт"), a.day(i.Expires))
	if i.Link != "" {
		fmt.Fprintf(&b, "Ссылка: %s\nИли написать боту: /start %s\n", i.Link, i.Code)
	} else {
		fmt.Fprintf(&b, "Открыть бота и написать ему: /start %s\n", i.Code)
	}
	return a.printf("%s", b.String())
}
