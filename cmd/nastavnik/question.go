package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func newQuestion(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "question",
		Short: "Вопросы: список, подробности, ответ, статус, история, чему научился бот",
	}
	c.AddCommand(
		newQuestionList(a), newQuestionShow(a), newQuestionAnswer(a), newQuestionStatus(a), newQuestionTopic(a), newQuestionAssign(a),
		newQuestionFiles(a), newQuestionAttach(a), newQuestionDetach(a),
		newQuestionHistory(a), newQuestionUndo(a), newQuestionUnlearn(a),
		newQuestionReviews(a), newQuestionDecide(a, true), newQuestionDecide(a, false), newQuestionStale(a),
	)
	return c
}

// questionJSON is a question in lists.
type questionJSON struct {
	ID          string           `json:"id"`
	Text        string           `json:"text"`
	Status      knowledge.Status `json:"status"`
	StatusTitle string           `json:"status_title"`
	Asked       time.Time        `json:"asked"`
	Topic       string           `json:"topic,omitempty"`
	Closed      knowledge.Closed `json:"closed,omitempty"`
}

func questionOut(q knowledge.Question) questionJSON {
	return questionJSON{ID: q.ID, Text: q.Text, Status: q.Status, StatusTitle: q.Status.Title(), Asked: q.Asked.UTC(), Topic: q.Topic, Closed: q.Closed}
}

type listOptions struct {
	status, after string
	all, json     bool
	limit         int
}

func newQuestionList(a *app) *cobra.Command {
	var o listOptions
	c := &cobra.Command{
		Use:   "list",
		Short: "Список вопросов, старые первыми",
		Example: `  nastavnik question list --status "Без ответа"
  nastavnik question list --status awaiting_senior --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.questionList(cmd.Context(), o) },
	}
	c.Flags().StringVar(&o.status, "status", "", "только с этим статусом: по-русски или кодом; можно несколько через запятую")
	c.Flags().BoolVar(&o.all, "all", false, "и закрытые вопросы тоже")
	c.Flags().BoolVar(&o.json, "json", false, "напечатать как JSON, весь список")
	c.Flags().IntVar(&o.limit, "limit", 50, "сколько показать за раз; 0 — все")
	c.Flags().StringVar(&o.after, "after", "", "продолжить после вопроса с этим номером")
	return c
}

func (a *app) questionList(ctx context.Context, o listOptions) error {
	f := knowledge.QuestionFilter{WithClosed: o.all, After: o.after}
	for _, s := range strings.Split(o.status, ",") {
		if strings.TrimSpace(s) == "" {
			continue
		}
		status, err := knowledge.ParseStatus(s)
		if err != nil {
			return usageError{err}
		}
		f.Statuses = append(f.Statuses, status)
	}
	if o.limit > 0 && !o.json {
		f.Limit = o.limit + 1 // one more, to see whether there is a next page
	}
	questions, err := a.questions(ctx, f)
	if err != nil {
		return noQuestion(o.after, err)
	}
	if o.json {
		out := make([]questionJSON, len(questions))
		for i, q := range questions {
			out[i] = questionOut(q)
		}
		return a.printJSON(out)
	}
	return a.printQuestions(questions, o)
}

func (a *app) questions(ctx context.Context, f knowledge.QuestionFilter) (out []knowledge.Question, err error) {
	err = a.reading(ctx, func(tx bot.Tx) error {
		out, err = tx.Questions(ctx, f)
		return err
	})
	return out, err
}

func (a *app) printQuestions(questions []knowledge.Question, o listOptions) error {
	if len(questions) == 0 {
		return a.printf("Таких вопросов нет.\n")
	}
	more := o.limit > 0 && len(questions) > o.limit
	if more {
		questions = questions[:o.limit]
	}
	rows := make([]table.Row, len(questions))
	for i, q := range questions {
		status := q.Status.Title()
		if q.Closed != knowledge.NotClosed {
			status += " (" + q.Closed.Title() + ")"
		}
		rows[i] = table.Row{q.ID, status, a.day(q.Asked), cell(q.Text, 80)}
	}
	a.printTable(table.Row{"Номер", "Статус", "Спросили", "Вопрос"}, rows)
	if more {
		return a.printf("Дальше: --after %s\n", questions[len(questions)-1].ID)
	}
	return nil
}

// questionDetails is what question show prints.
type questionDetails struct {
	questionJSON
	Answer    *answerJSON    `json:"answer"`
	Files     []fileJSON     `json:"files,omitempty"` // of the answer
	Versions  []answerJSON   `json:"versions"`
	Phrasings []phrasingJSON `json:"phrasings"`
	Waiting   []waiterJSON   `json:"waiting"`
	Senior    string         `json:"senior,omitempty"`  // who has it now
	Reason    string         `json:"reason,omitempty"`  // why they have it, or why nobody does
	Given     *time.Time     `json:"given,omitempty"`   // since when they have it
	Reviews   []reviewJSON   `json:"reviews,omitempty"` // what waits for a decision
}

type answerJSON struct {
	Version int       `json:"version"`
	Text    string    `json:"text"`
	By      string    `json:"by,omitempty"`
	Created time.Time `json:"created"`
}

type phrasingJSON struct {
	Text   string           `json:"text"`
	Origin knowledge.Origin `json:"origin"`
}

type waiterJSON struct {
	Name  string    `json:"name"`
	Text  string    `json:"text"`
	Since time.Time `json:"since"`
}

func newQuestionShow(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show НОМЕР",
		Short: "Всё об одном вопросе: ответ, версии, формулировки, кто ждёт",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := a.questionDetails(cmd.Context(), args[0])
			if err != nil {
				return noQuestion(args[0], err)
			}
			if asJSON {
				return a.printJSON(d)
			}
			return a.printDetails(d)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "напечатать как JSON")
	return c
}

func (a *app) questionDetails(ctx context.Context, id string) (d questionDetails, err error) {
	err = a.reading(ctx, func(tx bot.Tx) error {
		d, err = readDetails(ctx, tx, id)
		return err
	})
	return d, err
}

func readDetails(ctx context.Context, tx bot.Tx, id string) (questionDetails, error) {
	q, err := tx.Question(ctx, id)
	if err != nil {
		return questionDetails{}, err
	}
	d := questionDetails{questionJSON: questionOut(q), Versions: []answerJSON{}, Phrasings: []phrasingJSON{}, Waiting: []waiterJSON{}}
	versions, err := tx.Answers(ctx, id)
	if err != nil {
		return d, err
	}
	for _, v := range versions {
		d.Versions = append(d.Versions, answerJSON{Version: v.Version, Text: v.Text, By: v.ByName, Created: v.Created.UTC()})
		if v.ID == q.Answer.ID {
			d.Answer = &d.Versions[len(d.Versions)-1]
		}
	}
	files, err := readFiles(ctx, tx, q.Answer.ID)
	if err != nil {
		return d, err
	}
	d.Files = filesOut(files)
	phrasings, err := tx.Phrasings(ctx, []string{id})
	if err != nil {
		return d, err
	}
	for _, p := range phrasings {
		d.Phrasings = append(d.Phrasings, phrasingJSON{Text: p.Text, Origin: p.Origin})
	}
	if d.Reviews, err = openReviews(ctx, tx, id); err != nil {
		return d, err
	}
	err = readWaiting(ctx, tx, &d)
	return d, err
}

func readWaiting(ctx context.Context, tx bot.Tx, d *questionDetails) error {
	open, err := tx.Escalations(ctx, knowledge.EscalationFilter{Question: d.ID, State: knowledge.EscalationOpen, Limit: 1})
	if err != nil || len(open) == 0 {
		return err
	}
	as, err := knowledge.Desk{Tx: tx, Now: time.Now()}.Assignment(ctx, open[0])
	if err != nil {
		return err
	}
	d.Senior, d.Reason = as.Senior.Name, string(as.Escalation.Reason)
	if given := as.Escalation.Given.UTC(); !as.Escalation.Given.IsZero() {
		d.Given = &given
	}
	for i, w := range as.Waiters {
		d.Waiting = append(d.Waiting, waiterJSON{Name: as.Names[i], Text: w.Text, Since: w.Since.UTC()})
	}
	return nil
}

func (a *app) printDetails(d questionDetails) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n%s", d.ID, d.Text, d.StatusTitle)
	if d.Closed != knowledge.NotClosed {
		fmt.Fprintf(&b, " (%s)", d.Closed.Title())
	}
	fmt.Fprintf(&b, ", спросили %s", a.day(d.Asked))
	if d.Topic != "" {
		fmt.Fprintf(&b, ", тема «%s»", d.Topic)
	}
	b.WriteString("\n")
	if d.Answer != nil {
		fmt.Fprintf(&b, "\nОтвет (версия %d, %s%s):\n%s\n", d.Answer.Version, a.day(d.Answer.Created), by(d.Answer.By), d.Answer.Text)
		writeFiles(&b, d.Files)
	}
	if len(d.Waiting) > 0 {
		fmt.Fprintf(&b, "\nЖдут ответа (у кого вопрос: %s):\n", withWhom(d.Senior, knowledge.Reason(d.Reason)))
		for _, w := range d.Waiting {
			fmt.Fprintf(&b, "  %s, с %s: %s\n", firstOf(w.Name, "без имени"), a.day(w.Since), cell(w.Text, 100))
		}
	}
	b.WriteString("\nФормулировки:\n")
	for _, p := range d.Phrasings {
		fmt.Fprintf(&b, "  %s\n", cell(p.Text, 120))
	}
	if err := a.printf("%s", b.String()); err != nil || len(d.Reviews) == 0 {
		return err
	}
	if err := a.printf("\n"); err != nil {
		return err
	}
	return a.printReviews(d.Reviews)
}

// withWhom says who has a question, and why.
func withWhom(senior string, why knowledge.Reason) string {
	switch {
	case senior != "" && why != knowledge.NoReason:
		return senior + ", " + why.Title()
	case senior != "":
		return senior
	case why == knowledge.Queued:
		return why.Title()
	}
	return "ещё ни у кого, добавьте сеньора: nastavnik person add ИМЯ --senior"
}

func by(name string) string {
	if name == "" {
		return ""
	}
	return ", " + name
}

func newQuestionAnswer(a *app) *cobra.Command {
	var text, author string
	var withoutFiles bool
	c := &cobra.Command{
		Use:   "answer НОМЕР",
		Short: "Ответить на вопрос или изменить ответ; те, кто ждёт, получат его",
		Long: `Записывает ответ: текст из --text или со стандартного ввода (Markdown).
Все, кто ждёт, получат его; кто получил прежнюю версию — новую. Файлы прежней версии остаются.
Если из-за ответа другие стали бы находить не то, в базу он не попадёт, пока вы не решите: команда покажет, что изменилось бы.`,
		Example: `  nastavnik question answer q15 --text "Откройте карточку сделки → «Ответственный»."
  nastavnik question answer q15 --by "Анна К." < answer.md`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("text") {
				b, err := io.ReadAll(io.LimitReader(a.std.in, 4*knowledge.MaxAnswerRunes+1))
				if err != nil {
					return fmt.Errorf("чтение ответа: %w", err)
				}
				text = string(b)
			}
			return a.questionAnswer(cmd.Context(), answerOptions{question: args[0], text: text, author: author, withoutFiles: withoutFiles})
		},
	}
	c.Flags().StringVar(&text, "text", "", "текст ответа; без него — со стандартного ввода")
	c.Flags().StringVar(&author, "by", "", "от чьего имени (по умолчанию — имя пользователя системы)")
	c.Flags().BoolVar(&withoutFiles, "without-files", false, "новая версия — без файлов прежней")
	return c
}

type answerOptions struct {
	question, text, author string
	withoutFiles           bool
}

func (a *app) questionAnswer(ctx context.Context, o answerOptions) error {
	if _, err := knowledge.CleanText(o.text, knowledge.MaxAnswerRunes); err != nil {
		return usageError{fmt.Errorf("ответ: %w", err)}
	}
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	a.openGuard(ctx)
	p, err := a.author(ctx, firstOf(o.author, systemUser()))
	if err != nil {
		return err
	}
	office := a.office()
	office.WithoutFiles = o.withoutFiles
	r, err := office.Answer(ctx, o.question, p.ID, o.text)
	if err != nil {
		return noQuestion(o.question, err)
	}
	if err := a.printf("Ответ записан: %s, версия %d. Получат: %d.\n", r.Question.ID, r.Question.Answer.Version, len(r.Waiters)); err != nil || r.Question.Status.Answered() {
		return err
	}
	return a.printHeld(ctx, o.question)
}

func newQuestionStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "status НОМЕР СТАТУС",
		Short:   "Изменить статус вопроса: по-русски или кодом",
		Example: `  nastavnik question status deal-owner "Часто задаваемый вопрос"`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := knowledge.ParseStatus(args[1])
			if err != nil {
				return usageError{err}
			}
			if err := a.open(cmd.Context()); err != nil {
				return err
			}
			defer func() { _ = a.close() }()
			q, err := a.office().SetStatus(cmd.Context(), args[0], to)
			if errors.Is(err, knowledge.ErrTransition) {
				return fmt.Errorf("вопрос %s: статус так не меняется: «%s» → «%s»", args[0], q.Status.Title(), to.Title())
			}
			if err != nil {
				return noQuestion(args[0], err)
			}
			return a.printf("%s: %s\n", q.ID, q.Status.Title())
		},
	}
}
