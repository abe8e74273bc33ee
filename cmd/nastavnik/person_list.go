package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// personJSON is a person in lists.
type personJSON struct {
	ID          int64          `json:"id"`
	Name        string         `json:"name"`
	Senior      bool           `json:"senior"`
	Admin       bool           `json:"admin"`
	Left        bool           `json:"left"`
	Admitted    bool           `json:"admitted"`
	Email       string         `json:"email,omitempty"`
	Team        string         `json:"team,omitempty"`
	Zone        string         `json:"zone,omitempty"`
	Hours       string         `json:"hours,omitempty"`
	Away        *time.Time     `json:"away,omitempty"`
	Reached     string         `json:"reached,omitempty"`     // the platform on which they are written to
	Unreachable string         `json:"unreachable,omitempty"` // why they cannot be
	Open        int            `json:"open_questions"`        // that they have to answer
	Topics      []string       `json:"topics,omitempty"`
	Identities  []identityJSON `json:"identities"`
}

type identityJSON struct {
	Platform    string `json:"platform"`
	ID          string `json:"id"`
	Name        string `json:"name,omitempty"`
	Outsider    bool   `json:"outsider,omitempty"`
	Unreachable string `json:"unreachable,omitempty"`
}

// platformTitles are the platforms' names for people.
func platformTitles() map[string]string {
	return map[string]string{console.Platform: "терминал", "slack": "Slack", "telegram": "Telegram", "web": "сайт"}
}

func platformTitle(platform string) string { return cmp.Or(platformTitles()[platform], platform) }

// reach says where somebody can be written to, or why they cannot be.
func (a *app) reach(p knowledge.Person) string {
	switch {
	case p.Left:
		return "—"
	case p.Chat == "":
		return "нет: боту ещё не писал"
	case p.Unreachable != "":
		return "нет: " + unreachable(p.Unreachable)
	case p.Away.After(time.Now()):
		return fmt.Sprintf("%s, нет на месте до %s", platformTitle(bot.ChatID(p.Chat).Platform()), p.Away.In(a.zoneOf(p)).Format(time.DateOnly))
	}
	return platformTitle(bot.ChatID(p.Chat).Platform())
}

// zoneOf is the time zone in which somebody's days are.
func (a *app) zoneOf(p knowledge.Person) *time.Location {
	if own, err := time.LoadLocation(p.Zone); err == nil && p.Zone != "" {
		return own
	}
	return a.cfg.Location()
}

// unreachable says in Russian why a platform took nothing, as far as it is known.
func unreachable(reason string) string {
	low := strings.ToLower(reason)
	for _, known := range []struct{ part, title string }{
		{"blocked", "заблокировал бота"},
		{"deactivated", "учётная запись отключена"},
		{"inactive", "учётная запись отключена"},
		{"chat not found", "не начинал разговор"},
		{"initiate conversation", "не начинал разговор"},
		{"user_not_found", "такого там больше нет"},
	} {
		if strings.Contains(low, known.part) {
			return known.title
		}
	}
	return cell(reason, 60)
}

// roster reads people with what belongs to them.
func roster(ctx context.Context, tx bot.Tx, people []knowledge.Person) ([]personJSON, error) {
	topics, err := tx.Topics(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]personJSON, len(people))
	for i, p := range people {
		if out[i], err = personOut(ctx, tx, p, topics); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func personOut(ctx context.Context, tx bot.Tx, p knowledge.Person, topics []knowledge.Topic) (personJSON, error) {
	out := personJSON{
		ID: p.ID, Name: p.Name, Senior: p.Senior, Admin: p.Admin, Left: p.Left, Admitted: p.Admitted, Email: p.Email, Team: p.Team,
		Zone: p.Zone, Hours: p.Hours, Unreachable: p.Unreachable, Identities: []identityJSON{},
	}
	if !p.Away.IsZero() {
		away := p.Away.UTC()
		out.Away = &away
	}
	if p.Reachable() {
		out.Reached = bot.ChatID(p.Chat).Platform()
	}
	for _, t := range topics {
		if slices.Contains(t.Seniors, p.ID) {
			out.Topics = append(out.Topics, t.Name)
		}
	}
	open, err := tx.Escalations(ctx, knowledge.EscalationFilter{Senior: p.ID, State: knowledge.EscalationOpen})
	if err != nil {
		return out, err
	}
	out.Open = len(open)
	known, err := tx.Identities(ctx, p.ID)
	for _, i := range known {
		out.Identities = append(out.Identities, identityJSON{Platform: i.Platform, ID: i.External, Name: i.Name, Outsider: i.Outsider, Unreachable: i.Unreachable})
	}
	return out, err
}

func newPersonList(a *app) *cobra.Command {
	var asJSON, seniors bool
	c := &cobra.Command{
		Use:   "list",
		Short: "Список людей: роли и где им можно написать",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.personList(cmd.Context(), seniors, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "напечатать как JSON")
	c.Flags().BoolVar(&seniors, "seniors", false, "только сеньоры")
	return c
}

func (a *app) personList(ctx context.Context, seniors, asJSON bool) error {
	var people []knowledge.Person
	var out []personJSON
	err := a.reading(ctx, func(tx bot.Tx) (err error) {
		if people, err = tx.People(ctx, seniors); err != nil || !asJSON {
			return err
		}
		out, err = roster(ctx, tx, people)
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(out)
	}
	rows := make([]table.Row, len(people))
	for i, p := range people {
		rows[i] = table.Row{p.ID, cell(p.Name, 40), roles(p), a.reach(p)}
	}
	a.printTable(table.Row{"Номер", "Имя", "Роли", "Связь"}, rows)
	return nil
}

func newPersonShow(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show КТО",
		Short: "Всё о человеке: связь, часы, темы, открытые вопросы",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			defer func() { _ = a.close() }()
			p, err := a.someone(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if !asJSON {
				return a.printPerson(cmd.Context(), p.ID)
			}
			out, err := a.personDetails(cmd.Context(), p)
			if err != nil {
				return err
			}
			return a.printJSON(out)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "напечатать как JSON")
	return c
}

func (a *app) personDetails(ctx context.Context, p knowledge.Person) (personJSON, error) {
	var out []personJSON
	err := a.store.Read(ctx, func(tx bot.Tx) (err error) {
		out, err = roster(ctx, tx, []knowledge.Person{p})
		return err
	})
	if err != nil {
		return personJSON{}, err
	}
	return out[0], nil
}

// printPerson shows somebody in the store that is open.
func (a *app) printPerson(ctx context.Context, id int64) error {
	var p knowledge.Person
	if err := a.store.Read(ctx, func(tx bot.Tx) (err error) { p, err = tx.Person(ctx, id); return err }); err != nil {
		return err
	}
	d, err := a.personDetails(ctx, p)
	if err != nil {
		return err
	}
	var b strings.Builder
	line := func(title, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %s: %s\n", title, value)
		}
	}
	fmt.Fprintf(&b, "%s (%d): %s\n", p.Name, p.ID, roles(p))
	line("Связь", a.reach(p))
	line("Почта", p.Email)
	line("Отдел", p.Team)
	line("Часы", firstOf(p.Hours, a.cfg.Senior.Hours))
	line("Часовой пояс", p.Zone)
	line("Темы", strings.Join(d.Topics, ", "))
	if p.Senior || d.Open > 0 {
		line("Открытых вопросов", strconv.Itoa(d.Open))
	}
	for _, i := range d.Identities {
		line(platformTitle(i.Platform), i.ID+pick(i.Outsider, " (не из компании)", "")+pick(i.Unreachable != "", " ("+unreachable(i.Unreachable)+")", ""))
	}
	return a.printf("%s", b.String())
}
