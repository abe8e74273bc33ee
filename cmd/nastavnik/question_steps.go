package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// teller says in words what the steps of a history were.
type teller struct {
	tx    bot.Tx
	names map[int64]string
}

func newTeller(tx bot.Tx) *teller { return &teller{tx: tx, names: map[int64]string{}} }

func (t *teller) step(ctx context.Context, s knowledge.Step) (stepJSON, error) {
	out := stepJSON{Step: s.ID, At: s.At.UTC(), Kind: s.Kind, Text: s.Text, Was: s.Was, Ref: s.Ref, Undone: s.Undone}
	var err error
	if out.By, err = t.who(ctx, s); err != nil {
		return out, err
	}
	out.What, err = t.what(ctx, s)
	return out, err
}

// who names who did it.
func (t *teller) who(ctx context.Context, s knowledge.Step) (string, error) {
	switch {
	case s.Person != 0:
		return t.name(ctx, s.Person)
	case s.Kind == knowledge.StepOpened, s.Kind == knowledge.StepAnswered, s.Kind == knowledge.StepPhrasing && s.Was == string(knowledge.Imported):
		return "загрузка", nil
	case s.Kind == knowledge.StepEscalated && byItself(knowledge.Reason(s.Was)), s.Kind == knowledge.StepPhrasing, s.Kind == knowledge.StepHeld, s.Kind == knowledge.StepStatus && s.Ref != 0:
		return "бот", nil
	}
	return "администратор", nil
}

// byItself reports whether the bot has given a question to somebody unasked.
func byItself(why knowledge.Reason) bool {
	return why == knowledge.FromQueue || why == knowledge.HandedOver || why == knowledge.WasUnreachable || why == knowledge.AskedBySenior
}

func (t *teller) name(ctx context.Context, id int64) (string, error) {
	if name, known := t.names[id]; known {
		return name, nil
	}
	p, err := t.tx.Person(ctx, id)
	if errors.Is(err, knowledge.ErrNotFound) {
		p.Name, err = "человек удалён", nil
	}
	t.names[id] = firstOf(p.Name, "без имени")
	return t.names[id], err
}

// what says what a step was.
func (t *teller) what(ctx context.Context, s knowledge.Step) (string, error) {
	switch s.Kind {
	case knowledge.StepEscalated:
		return t.escalated(ctx, s)
	case knowledge.StepPhrasing:
		return t.phrasing(ctx, s)
	case knowledge.StepUndone:
		return t.undone(ctx, s)
	case knowledge.StepTopic:
		return fmt.Sprintf("тема: «%s» → «%s»", firstOf(s.Was, "нет"), firstOf(s.Text, "нет")), nil
	case knowledge.StepStatus:
		return status(s), nil
	case knowledge.StepHeld, knowledge.StepDecided:
		return held(s), nil
	case knowledge.StepAnswered:
		return pick(s.Was == "", "ответ: ", "новый ответ: ") + s.Text, nil
	case knowledge.StepOpened:
		return pick(s.Person == 0, "вопрос в базе: ", "впервые спросили: ") + s.Text, nil
	case knowledge.StepRefused:
		return fmt.Sprintf("«Нет моего вопроса» на слова «%s»", s.Text), nil
	case knowledge.StepHelped:
		return fmt.Sprintf("«Помогло» на слова «%s»", s.Text), nil
	case knowledge.StepNotHelped:
		return fmt.Sprintf("«Не помогло» на слова «%s»", s.Text), nil
	}
	return string(s.Kind), nil
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

func status(s knowledge.Step) string {
	was, now := knowledge.Status(s.Was), knowledge.Status(s.Text)
	text := fmt.Sprintf("статус: «%s» → «%s»", was.Title(), now.Title())
	switch {
	case s.Ref == 0:
		return text
	case now == knowledge.FAQ:
		return text + fmt.Sprintf(" по правилу: спросили хотя бы %d", s.Ref)
	}
	return text + fmt.Sprintf(" по правилу: спросили меньше половины от %d", s.Ref)
}

func held(s knowledge.Step) string {
	wording := pick(s.Kind == knowledge.StepHeld, s.Text, s.Was)
	what := "ответ"
	if wording != "" {
		what = fmt.Sprintf("формулировка «%s»", wording)
	}
	if s.Kind == knowledge.StepHeld {
		return fmt.Sprintf("ждёт решения %d: %s", s.Ref, what)
	}
	return fmt.Sprintf("решение %d: %s — %s", s.Ref, what, pick(s.Text == "accepted", "в базу", "не в базу"))
}

func (t *teller) escalated(ctx context.Context, s knowledge.Step) (string, error) {
	e, err := t.tx.Escalation(ctx, s.Ref)
	if err != nil {
		return "", err
	}
	why := knowledge.Reason(s.Was)
	switch {
	case why == knowledge.Queued, why == knowledge.NobodyThere:
		return "вопрос " + why.Title(), nil
	case e.Senior == 0:
		return "вопрос ждёт первого сеньора", nil
	}
	text := "отправлен сеньору: "
	if s.Text == "" && why != knowledge.FromQueue {
		text = "передан другому сеньору: "
	}
	name, err := t.name(ctx, e.Senior)
	if why != knowledge.NoReason {
		name += " (" + why.Title() + ")"
	}
	return text + name, err
}

// phrasing says how a wording was learned, and from whom.
func (t *teller) phrasing(ctx context.Context, s knowledge.Step) (string, error) {
	how := map[knowledge.Origin]string{
		knowledge.Imported:   "из файла",
		knowledge.AskedSo:    "так спросил тот, кто ждал ответа",
		knowledge.SeniorSaid: "сеньор сказал, что это тот же вопрос",
		knowledge.PickedSo:   "так спрашивают те, кому подошёл этот ответ",
	}[knowledge.Origin(s.Was)]
	text := fmt.Sprintf("выучена формулировка «%s» (%s", s.Text, how)
	if s.Ref == 0 {
		return text + ")", nil
	}
	ask, err := t.tx.Ask(ctx, s.Ref)
	if errors.Is(err, knowledge.ErrNotFound) {
		return text + ")", nil
	}
	if err != nil {
		return "", err
	}
	name, err := t.name(ctx, ask.Person)
	return text + ": " + name + ")", err
}

// undone says which step has been taken back, or brought to effect again by
// taking back what took it back.
func (t *teller) undone(ctx context.Context, s knowledge.Step) (string, error) {
	back := false
	for s.Kind == knowledge.StepUndone {
		back = !back
		var err error
		if s, err = t.tx.Step(ctx, s.Ref); err != nil {
			return "", err
		}
	}
	what, err := t.what(ctx, s)
	return fmt.Sprintf("%s шаг %d: %s", pick(back, "отменён", "возвращён"), s.ID, what), err
}
