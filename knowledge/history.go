package knowledge

import (
	"context"
	"errors"
	"fmt"
)

// refusal is why something cannot be done, in words for people. It wraps one of
// the errors that callers tell apart.
type refusal struct {
	kind   error
	reason string
}

func (r refusal) Error() string { return r.reason }
func (r refusal) Unwrap() error { return r.kind }

func refuse(kind error, format string, args ...any) error {
	return refusal{kind, fmt.Sprintf(format, args...)}
}

// step adds a step to a question's history; without a Person it is who acts.
func (d Desk) step(ctx context.Context, s Step) error {
	s.At = d.Now
	if s.Person == 0 {
		s.Person = d.By
	}
	return d.Tx.PutStep(ctx, &s)
}

// History returns the steps of a question after the one with that id, oldest
// first; limit 0 means all. It begins with the question's opening: that of an
// imported question, or of one that is older than the histories, is told by the
// question's own row and has no ID.
func (d Desk) History(ctx context.Context, question string, after int64, limit int) ([]Step, error) {
	q, err := d.Tx.Question(ctx, question)
	if err != nil {
		return nil, err
	}
	steps, err := d.Tx.Steps(ctx, question, after, limit)
	if err != nil || after > 0 || len(steps) > 0 && steps[0].Kind == StepOpened {
		return steps, err
	}
	first := Step{Question: q.ID, Kind: StepOpened, At: q.Asked, Person: q.AskedBy, Text: q.Text}
	steps = append([]Step{first}, steps...)
	if limit > 0 && len(steps) > limit {
		steps = steps[:limit]
	}
	return steps, nil
}

// Undo takes a step back, and with the id of an undoing redoes what that took
// back. It returns the step as it is now. The error wraps ErrInvalid for what
// cannot be taken back at all, and ErrConflict where something later stands in
// the way; its text says what, for people.
func (d Desk) Undo(ctx context.Context, step, by int64) (Step, error) {
	d.By = by
	s, err := d.Tx.Step(ctx, step)
	if err != nil {
		return s, err
	}
	if err := d.turn(ctx, &s, true); err != nil {
		return s, err
	}
	return s, d.step(ctx, Step{Question: s.Question, Kind: StepUndone, Ref: s.ID})
}

// turn takes a step back, or brings it to effect again.
func (d Desk) turn(ctx context.Context, s *Step, back bool) error {
	if s.Undone == back {
		return refuse(ErrConflict, "шаг %d уже %s", s.ID, choose(back, "отменён", "действует"))
	}
	if err := d.turnEffect(ctx, *s, back); err != nil {
		return err
	}
	s.Undone = back
	return d.Tx.PutStep(ctx, s)
}

// turnEffect takes back what a step has done, or does it again.
func (d Desk) turnEffect(ctx context.Context, s Step, back bool) error {
	switch s.Kind {
	case StepUndone:
		of, err := d.Tx.Step(ctx, s.Ref)
		if err != nil {
			return err
		}
		return d.turn(ctx, &of, !back)
	case StepPhrasing:
		return d.turnPhrasing(ctx, s, back)
	case StepStatus:
		return d.turnStatus(ctx, s, back)
	case StepAnswered:
		return d.turnAnswer(ctx, s, back)
	case StepRefused, StepHelped, StepNotHelped:
		return d.turnVerdict(ctx, s, back)
	case StepDecided:
		return d.turnDecision(ctx, s, back)
	case StepTopic:
		return d.turnTopic(ctx, s, back)
	case StepHeld:
		return refuse(ErrInvalid, "шаг %d ждёт решения, его не отменяют: nastavnik question accept %d или nastavnik question refuse %d", s.ID, s.Ref, s.Ref)
	case StepOpened, StepEscalated:
	}
	return refuse(ErrInvalid, "шаг %d — событие, а не изменение: отменить его нельзя", s.ID)
}

func choose(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// turnPhrasing takes a wording from a question or gives it back, and with it
// what people's choices of it count for: who chose it before does not teach it
// again.
func (d Desk) turnPhrasing(ctx context.Context, s Step, back bool) error {
	origin := Origin(s.Was)
	if back {
		if err := d.forget(ctx, s.Question, s.Text); err != nil {
			return err
		}
	} else {
		p := Phrasing{Question: s.Question, Text: s.Text, Origin: origin, Created: d.Now}
		if a, err := d.Tx.Ask(ctx, s.Ref); err == nil {
			p.Person = a.Person
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		added, err := d.Tx.PutPhrasing(ctx, p)
		if err != nil {
			return err
		}
		if !added {
			return refuse(ErrConflict, "формулировка «%s» у вопроса уже есть", s.Text)
		}
	}
	if err := d.void(ctx, s.Question, s.Text, Verdict.For, back); err != nil || origin != SeniorSaid {
		return err
	}
	return d.void(ctx, s.Question, s.Text, rejected, !back)
}

func rejected(v Verdict) bool { return v.Outcome == Rejected }

// forget takes a wording from a question.
func (d Desk) forget(ctx context.Context, question, wording string) error {
	err := d.Tx.DeletePhrasing(ctx, question, wording)
	switch {
	case errors.Is(err, ErrInvalid):
		return refuse(ErrInvalid, "«%s» — текст самого вопроса: без него вопроса нет", wording)
	case errors.Is(err, ErrNotFound):
		return refuse(ErrConflict, "формулировки «%s» у вопроса уже нет", wording)
	}
	return err
}

// void makes the verdicts on a wording count for nothing, or count again but for
// those that have been undone themselves.
func (d Desk) void(ctx context.Context, question, wording string, which func(Verdict) bool, void bool) error {
	verdicts, err := d.Tx.Verdicts(ctx, []string{question})
	if err != nil {
		return err
	}
	undone := map[int64]bool{}
	if !void {
		if undone, err = d.undoneVerdicts(ctx, question); err != nil {
			return err
		}
	}
	fold := FoldText(wording)
	for _, v := range verdicts {
		if v.Void == void || !which(v) || FoldText(v.Wording) != fold || undone[v.ID] {
			continue
		}
		v.Void = void
		if err := d.Tx.PutVerdict(ctx, &v); err != nil {
			return err
		}
	}
	return nil
}

// undoneVerdicts returns the verdicts whose latest steps have been undone.
func (d Desk) undoneVerdicts(ctx context.Context, question string) (map[int64]bool, error) {
	steps, err := d.Tx.Steps(ctx, question, 0, 0)
	if err != nil {
		return nil, err
	}
	out := map[int64]bool{}
	for _, s := range steps {
		switch s.Kind {
		case StepRefused, StepHelped, StepNotHelped:
			out[s.Ref] = s.Undone
		default:
		}
	}
	return out, nil
}

// turnTopic sets the topic that was before, or the one that came after.
func (d Desk) turnTopic(ctx context.Context, s Step, back bool) error {
	q, err := d.Tx.Question(ctx, s.Question)
	if err != nil {
		return err
	}
	from, to := s.Text, s.Was
	if !back {
		from, to = to, from
	}
	if q.Topic != from {
		return refuse(ErrConflict, "тема с тех пор изменилась: сейчас «%s», а не «%s»", q.Topic, from)
	}
	q.Topic = to
	return d.Tx.PutQuestion(ctx, &q)
}

// turnStatus sets the status that was before, or the one that came after.
func (d Desk) turnStatus(ctx context.Context, s Step, back bool) error {
	from, to := Status(s.Text), Status(s.Was)
	if !back {
		from, to = to, from
	}
	if from == AwaitingSenior || to == AwaitingSenior {
		return refuse(ErrConflict, "тем, кто ждал сеньора, уже сообщили: вопрос нужно задать ещё раз")
	}
	q, err := d.Tx.Question(ctx, s.Question)
	if err != nil {
		return err
	}
	if q.Status != from {
		return refuse(ErrConflict, "статус с тех пор изменился: сейчас «%s», а не «%s»", q.Status.Title(), from.Title())
	}
	return d.move(ctx, &q, to)
}

// move takes an answer into the base or out of it, or makes it frequent or not.
func (d Desk) move(ctx context.Context, q *Question, to Status) error {
	switch {
	case !to.Answered():
		q.Closed = AnsweredPrivately
	case q.Answer.ID == 0:
		return refuse(ErrInvalid, "у вопроса %s нет ответа", q.ID)
	case !q.Status.Answered():
		if held, err := d.HeldAnswers(ctx, q.ID); err != nil {
			return err
		} else if len(held) > 0 {
			return refuse(ErrConflict, "ответ ждёт решения: nastavnik question accept %d", held[0].ID)
		}
		// Into the base first: there is no straight way from outside to the
		// frequent ones.
		if err := q.Status.To(InKnowledgeBase); err != nil {
			return err
		}
		q.Status, q.Closed = InKnowledgeBase, NotClosed
	}
	if err := q.Status.To(to); err != nil {
		return err
	}
	q.Status = to
	return d.Tx.PutQuestion(ctx, q)
}

// turnAnswer makes the version before current again, or the one that was taken
// back. Without one before, the answer leaves the base.
func (d Desk) turnAnswer(ctx context.Context, s Step, back bool) error {
	q, err := d.Tx.Question(ctx, s.Question)
	if err != nil {
		return err
	}
	mine, before, err := d.versions(ctx, s)
	if err != nil {
		return err
	}
	current, other := mine, before
	if !back {
		current, other = before, mine
	}
	if before.ID == 0 {
		current = mine // it stays, in the base or outside of it
	}
	if q.Answer.ID != current.ID {
		return refuse(ErrConflict, "ответ с тех пор изменился: сейчас версия %d, а не %d; сначала отмените её", q.Answer.Version, current.Version)
	}
	switch {
	case before.ID != 0:
		return d.Tx.PutAnswer(ctx, &other)
	case back && !q.Status.Answered():
		return refuse(ErrConflict, "ответа и так уже нет в базе")
	case back:
		return d.move(ctx, &q, Unanswered)
	case q.Status != Unanswered || q.Closed != AnsweredPrivately:
		return refuse(ErrConflict, "статус с тех пор изменился: сейчас «%s»", q.Status.Title())
	}
	return d.move(ctx, &q, InKnowledgeBase)
}

// versions returns the version of the answer that a step made, and the one that
// was current before.
func (d Desk) versions(ctx context.Context, s Step) (mine, before Answer, err error) {
	all, err := d.Tx.Answers(ctx, s.Question)
	if err != nil {
		return mine, before, err
	}
	steps, err := d.Tx.Steps(ctx, s.Question, 0, 0)
	if err != nil {
		return mine, before, err
	}
	undone := map[int64]bool{}
	for _, other := range steps {
		if other.Kind == StepAnswered {
			undone[other.Ref] = other.Undone
		}
	}
	for _, a := range all {
		if a.ID == s.Ref {
			return a, before, nil
		}
		if !undone[a.ID] {
			before = a
		}
	}
	return mine, before, fmt.Errorf("answer %d of question %s: %w", s.Ref, s.Question, ErrNotFound)
}

// turnVerdict makes what one person said count for nothing, or count again.
func (d Desk) turnVerdict(ctx context.Context, s Step, back bool) error {
	verdicts, err := d.Tx.Verdicts(ctx, []string{s.Question})
	if err != nil {
		return err
	}
	for _, v := range verdicts {
		if v.ID != s.Ref {
			continue
		}
		switch {
		case !v.At.Equal(s.At):
			return refuse(ErrConflict, "этот человек с тех пор ответил иначе или ещё раз: отменяйте последний его ответ")
		case v.Void == back:
			return refuse(ErrConflict, "этот отзыв и так %s", choose(back, "не учитывается: отменена его формулировка", "учитывается"))
		}
		v.Void = back
		return d.Tx.PutVerdict(ctx, &v)
	}
	return fmt.Errorf("verdict %d of question %s: %w", s.Ref, s.Question, ErrNotFound)
}
