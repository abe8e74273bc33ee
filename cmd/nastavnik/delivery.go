package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func newDelivery(a *app) *cobra.Command {
	c := &cobra.Command{Use: "delivery", Short: "Сообщения бота: что отправлено, что не дошло и почему"}
	c.AddCommand(newDeliveryList(a), newDeliveryShow(a), newDeliveryRetry(a))
	return c
}

// deliveryJSON is a delivery in lists.
type deliveryJSON struct {
	ID       int64             `json:"id"`
	State    bot.DeliveryState `json:"state"`
	Title    string            `json:"state_title"`
	Platform string            `json:"platform"`
	To       string            `json:"to"` // whose chat it is
	Begins   string            `json:"begins"`
	Text     string            `json:"text,omitempty"` // only of one that is shown
	Attempts int               `json:"attempts"`
	Reason   string            `json:"reason,omitempty"`
	Doubt    bool              `json:"doubt,omitempty"` // it may have arrived
	Created  time.Time         `json:"created"`
	Next     *time.Time        `json:"next,omitempty"` // when it is tried again
}

func deliveryTitles() map[bot.DeliveryState]string {
	return map[bot.DeliveryState]string{bot.DeliveryPending: "ждёт отправки", bot.DeliverySent: "отправлено", bot.DeliveryDead: "не дошло"}
}

// parseState reads a state by its code or its Russian name; "" is every state.
func parseState(text string) (bot.DeliveryState, error) {
	fold := knowledge.FoldText(text)
	var known []string
	for _, state := range []bot.DeliveryState{bot.DeliveryPending, bot.DeliverySent, bot.DeliveryDead} {
		title := deliveryTitles()[state]
		if fold == string(state) || fold == knowledge.FoldText(title) {
			return state, nil
		}
		known = append(known, fmt.Sprintf("%s («%s»)", state, title))
	}
	if fold == "" {
		return "", nil
	}
	return "", usageError{fmt.Errorf("состояние %q: бывает %s", text, strings.Join(known, ", "))}
}

type deliveryOptions struct {
	state string
	after int64
	limit int
	json  bool
}

func newDeliveryList(a *app) *cobra.Command {
	var o deliveryOptions
	c := &cobra.Command{
		Use:   "list",
		Short: "Список сообщений, старые первыми",
		Example: `  nastavnik delivery list --state dead
  nastavnik delivery list --state "ждёт отправки" --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.deliveryList(cmd.Context(), o) },
	}
	c.Flags().StringVar(&o.state, "state", "", "только в этом состоянии: по-русски или кодом (pending, sent, dead)")
	c.Flags().Int64Var(&o.after, "after", 0, "продолжить после сообщения с этим номером")
	c.Flags().IntVar(&o.limit, "limit", 50, "сколько показать за раз; 0 — все")
	c.Flags().BoolVar(&o.json, "json", false, "напечатать как JSON, весь список")
	return c
}

func (a *app) deliveryList(ctx context.Context, o deliveryOptions) error {
	state, err := parseState(o.state)
	if err != nil {
		return err
	}
	f := bot.DeliveryFilter{State: state, After: o.after}
	if o.limit > 0 && !o.json {
		f.Limit = o.limit + 1 // one more, to see whether there is a next page
	}
	out := []deliveryJSON{}
	err = a.reading(ctx, func(tx bot.Tx) error {
		found, err := tx.FindDeliveries(ctx, f)
		if err != nil {
			return err
		}
		for _, d := range found {
			to, err := chatOwner(ctx, tx, d.Chat)
			if err != nil {
				return err
			}
			out = append(out, deliveryOut(d, to))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if o.json {
		return a.printJSON(out)
	}
	return a.printDeliveries(out, o.limit)
}

// chatOwner names whose chat it is: as we know them, else as the platform does.
func chatOwner(ctx context.Context, tx bot.Tx, chat bot.ChatID) (string, error) {
	p, err := tx.Known(ctx, knowledge.Identity{Platform: chat.Platform(), External: chat.External()})
	if errors.Is(err, knowledge.ErrNotFound) {
		c, cerr := tx.Conversation(ctx, chat)
		if cerr != nil || c.Person == 0 {
			return chat.Address(), cerr
		}
		p, err = tx.Person(ctx, c.Person)
	}
	if errors.Is(err, knowledge.ErrNotFound) {
		return chat.Address(), nil
	}
	return firstOf(p.Name, chat.Address()), err
}

// beginning is how much of a message lists show, in code points.
const beginning = 40

func deliveryOut(d bot.Delivery, to string) deliveryJSON {
	out := deliveryJSON{
		ID: d.ID, State: d.State, Title: deliveryTitles()[d.State], Platform: d.Chat.Platform(), To: to, Begins: cell(d.Message.Text, beginning),
		Attempts: d.Attempts, Reason: d.Error, Doubt: d.Doubt, Created: d.Created.UTC(),
	}
	if d.State == bot.DeliveryPending && !d.NotUntil.IsZero() {
		next := d.NotUntil.UTC()
		out.Next = &next
	}
	return out
}

func (a *app) printDeliveries(list []deliveryJSON, limit int) error {
	if len(list) == 0 {
		return a.printf("Таких сообщений нет.\n")
	}
	more := limit > 0 && len(list) > limit
	if more {
		list = list[:limit]
	}
	rows := make([]table.Row, len(list))
	for i, d := range list {
		where := platformTitle(d.Platform) + pick(d.Doubt, ", могло дойти", "")
		rows[i] = table.Row{d.ID, d.Title, age(time.Since(d.Created)), cell(d.To, 30), where, d.Attempts, cell(pick(d.State == bot.DeliverySent, "", d.Reason), 60), d.Begins}
	}
	a.printTable(table.Row{"Номер", "Состояние", "Возраст", "Кому", "Где", "Попыток", "Причина", "Начало"}, rows)
	if more {
		return a.printf("Дальше: --after %d\n", list[len(list)-1].ID)
	}
	return nil
}

// age says how long something has been there, to people.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return "меньше минуты"
	case d < time.Hour:
		return fmt.Sprintf("%d мин", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%d ч", d/time.Hour)
	}
	return fmt.Sprintf("%d дн", d/day)
}

func newDeliveryShow(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show НОМЕР",
		Short: "Одно сообщение целиком и что с ним было",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.numbered(args[0], "сообщение", func(id int64) error { return a.deliveryShow(cmd.Context(), id, asJSON) })
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "напечатать как JSON")
	return c
}

func (a *app) deliveryShow(ctx context.Context, id int64, asJSON bool) error {
	var out deliveryJSON
	err := a.reading(ctx, func(tx bot.Tx) error {
		d, err := tx.Delivery(ctx, id)
		if err != nil {
			return err
		}
		to, err := chatOwner(ctx, tx, d.Chat)
		out = deliveryOut(d, to)
		out.Text = d.Message.Text
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(out)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d: %s, создано %s, попыток: %d\nКому: %s (%s)\n", out.ID, out.Title, a.day(out.Created), out.Attempts, out.To, platformTitle(out.Platform))
	if out.Reason != "" {
		fmt.Fprintf(&b, "Причина: %s\n", out.Reason)
	}
	if out.Next != nil {
		fmt.Fprintf(&b, "Следующая попытка: %s\n", a.day(*out.Next))
	}
	fmt.Fprintf(&b, "\n%s\n", out.Text)
	return a.printf("%s", b.String())
}

func newDeliveryRetry(a *app) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "retry НОМЕР…",
		Short: "Отправить ещё раз то, что не дошло",
		Long: `Сначала устраните причину: nastavnik delivery list --state dead. Работающий бот отправит сразу, иначе — когда будет запущен.
Старое сообщение может быть уже ни к чему: посмотрите его (nastavnik delivery show НОМЕР).`,
		Example: `  nastavnik delivery retry 118 119
  nastavnik delivery retry --all`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usageError{errors.New("назовите номера сообщений или --all")}
			}
			var ids []int64
			for _, arg := range args {
				id, err := strconv.ParseInt(arg, 10, 64)
				if err != nil || id <= 0 {
					return usageError{fmt.Errorf("сообщение — это число, а не %q", arg)}
				}
				ids = append(ids, id)
			}
			return a.deliveryRetry(cmd.Context(), ids)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "все, что не дошли")
	return c
}

// deliveryRetry tries deliveries again: those with the ids, else all that were given up.
func (a *app) deliveryRetry(ctx context.Context, ids []int64) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	if len(ids) == 0 {
		if err := a.store.Read(ctx, func(tx bot.Tx) error {
			dead, err := tx.FindDeliveries(ctx, bot.DeliveryFilter{State: bot.DeliveryDead})
			for _, d := range dead {
				ids = append(ids, d.ID)
			}
			return err
		}); err != nil {
			return err
		}
	}
	slices.Sort(ids)
	done := 0
	for _, id := range slices.Compact(ids) {
		_, err := a.office().Retry(ctx, id)
		switch {
		case errors.Is(err, knowledge.ErrNotFound):
			return fmt.Errorf("сообщения %d нет; какие есть: nastavnik delivery list", id)
		case errors.Is(err, knowledge.ErrConflict):
			return fmt.Errorf("сообщение %d и так отправлено или ждёт отправки: nastavnik delivery show %d", id, id)
		case err != nil:
			return err
		}
		done++
	}
	return a.printf("Будет отправлено ещё раз: %d.\n", done)
}
