package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
	"github.com/nastavnik-bot/nastavnik/knowledge/quality"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// labelled is a ranking of which it is known whether its first is right.
type labelled struct {
	quality.Case
	features []float64 // nil when no coefficient has a say in it
	among    int       // how many questions the base had
}

func (l labelled) example() search.Example {
	return search.Example{Features: l.features, Among: l.among, Right: l.Right()}
}

// fitted is what came of a fit.
type fitted struct {
	Was, Now search.Calibration
	Examples int // labelled rankings that the fit could use
	Right    int // of them with the right question first
	FromAsks int
	FromSets int
	Promised float64
	Stored   bool
	Curve    []quality.Point    // on rankings that the fit has not seen
	Unseen   []quality.Estimate // by thresholds that were not chosen on them either
}

// A fit of five numbers needs that many of each kind; below it the shipped
// calibration knows more than the examples.
const (
	leastRight = 20
	leastWrong = 20
)

// evenOdds bounds the threshold from below: where others do so well that the promise
// would leave room for it, an answer more probably wrong than right is still not
// given.
const evenOdds = 0.5

// errTooLittle says that there is not enough to fit on.
var errTooLittle = errors.New("размеченных вопросов мало")

// fit fits a calibration and chooses the threshold that keeps a promise. Both are
// judged on examples that they were not made from. The error says what is missing.
func fit(shipped search.Calibration, all []labelled, p quality.Promise) (fitted, error) {
	f := fitted{Promised: p.Precision}
	var usable []labelled
	for _, l := range all {
		if l.features != nil {
			usable = append(usable, l)
			if l.Right() {
				f.Right++
			}
		}
	}
	f.Examples, f.Now = len(usable), shipped
	if wrong := f.Examples - f.Right; f.Right < leastRight || wrong < leastWrong {
		return f, fmt.Errorf("%w: верных первых ответов %d, неверных %d; нужно хотя бы %d и %d", errTooLittle, f.Right, wrong, leastRight, leastWrong)
	}
	cases := unseen(shipped, usable)
	f.Curve = quality.Curve(cases)
	at := quality.Threshold(cases, p)
	if math.IsInf(at, 1) {
		return f, fmt.Errorf("%w: точность %v с запасом не держится ни при каком пороге; лучшее, что видно на %d вопросах, — %s",
			errTooLittle, p.Precision, f.Examples, bestOf(f.Curve))
	}
	f.Now = shipped.Fit(examples(usable, nil))
	f.Now.AnswerAt = max(at, evenOdds)
	f.Now.SuggestAt = min(f.Now.SuggestAt, f.Now.AnswerAt)
	measured, err := quality.Measure(cases, nil, quality.Options{Promise: p})
	f.Unseen = measured.Unseen
	return f, err
}

// chosen returns the point of the curve at which the new threshold stands; false when
// there is none.
func (f fitted) chosen() (quality.Point, bool) {
	var at quality.Point
	for _, p := range f.Curve {
		if p.Threshold >= f.Now.AnswerAt {
			at = p
		}
	}
	return at, at.Answers > 0 && len(f.Unseen) > 0
}

// examples returns those that are not in a fold.
func examples(all []labelled, left func(i int) bool) []search.Example {
	var out []search.Example
	for i, l := range all {
		if left == nil || !left(i) {
			out = append(out, l.example())
		}
	}
	return out
}

// crossings is how often the folds are drawn anew; the confidences of one example
// are averaged.
const crossings = 10

// unseen gives every example the confidence of fits that have not seen it.
func unseen(shipped search.Calibration, all []labelled) []quality.Case {
	out := make([]quality.Case, len(all))
	for i, l := range all {
		out[i] = l.Case
		out[i].Conf = 0
	}
	for repeat := range crossings {
		fold := quality.Folds{}.Split(out, repeat)
		for k := range slices.Max(fold) + 1 {
			c := shipped.Fit(examples(all, func(i int) bool { return fold[i] == k }))
			for i, l := range all {
				if fold[i] == k {
					out[i].Conf += c.Trust(l.example()) / crossings
				}
			}
		}
	}
	return out
}

// bestOf says which point of a curve is the most precise with some weight behind it.
func bestOf(curve []quality.Point) string {
	var best quality.Point
	for _, p := range curve {
		if p.Answers >= quality.DefaultLeast && p.Precision >= best.Precision {
			best = p
		}
	}
	if best.Answers == 0 {
		return fmt.Sprintf("прямых ответов меньше %d", quality.DefaultLeast)
	}
	return fmt.Sprintf("%.3f на %d ответах", best.Precision, best.Answers)
}

// latestAsks bounds how many asks are looked at: people and the base change.
const latestAsks = 5_000

// labelledAsks ranks anew what people have asked, as far as it is known what would
// have been right. What they said then is the label; their words are taken out of
// the base meanwhile.
func (a *app) labelledAsks(ctx context.Context, by search.Calibration) ([]labelled, error) {
	assess, err := a.find.Assessor(ctx)
	if err != nil {
		return nil, err
	}
	asks, questions, err := a.judgedAsks(ctx)
	if err != nil {
		return nil, err
	}
	progress := a.progress("Вопросы людей", len(asks))
	var out []labelled
	for i, ask := range asks {
		v := verdictOf(ask, questions)
		if v.known {
			ranked, err := assess.Rank(ctx, ask.Text, finder.Leave{Wording: ask.Text, Entries: v.leave})
			if err != nil {
				return nil, err
			}
			if l, ok := v.label(ask, ranked, questions); ok {
				l.features, l.among = by.Features(ranked), ranked[0].Parts.Among
				out = append(out, l)
			}
		}
		progress(i + 1)
	}
	return out, nil
}

// judgedAsks reads the latest asks, without those whose choice somebody has undone,
// and the questions by id.
func (a *app) judgedAsks(ctx context.Context) (asks []knowledge.Ask, questions map[string]knowledge.Question, err error) {
	questions = map[string]knowledge.Question{}
	err = a.store.Read(ctx, func(tx bot.Tx) error {
		if asks, err = tx.Asks(ctx, 0, "", latestAsks); err != nil {
			return err
		}
		all, err := tx.Questions(ctx, knowledge.QuestionFilter{})
		if err != nil {
			return err
		}
		for _, q := range all {
			questions[q.ID] = q
		}
		verdicts, err := tx.Verdicts(ctx, nil)
		undone := map[int64]bool{}
		for _, v := range verdicts {
			// That a senior overruled a refusal is no undoing: the ask says so itself.
			undone[v.Ask] = undone[v.Ask] || v.Void && v.Outcome != knowledge.Rejected
		}
		asks = slices.DeleteFunc(asks, func(a knowledge.Ask) bool { return undone[a.ID] })
		return err
	})
	return asks, questions, err
}

// verdict is what is known about an ask.
type verdict struct {
	known bool
	right string   // the entry that answers it; "" when the base had none
	wrong []string // entries that do not
	leave []string // entries that were made for it
}

// verdictOf reads what a person did. What was neither chosen nor refused tells
// nothing.
func verdictOf(a knowledge.Ask, questions map[string]knowledge.Question) verdict {
	if a.Decision == knowledge.DecisionDetail || a.Decision == knowledge.DecisionOpened {
		return verdict{} // never searched for
	}
	switch a.Outcome {
	case knowledge.Helped, knowledge.Picked:
		q, ok := questions[a.Question]
		return verdict{known: ok && q.Status.Answered(), right: a.Question}
	case knowledge.NotHelped:
		return verdict{known: true, wrong: []string{a.Question}}
	case knowledge.Rejected:
		v := verdict{known: true}
		for _, c := range a.Candidates {
			v.wrong = append(v.wrong, c.Question)
		}
		q := questions[a.Question]
		switch {
		case !q.Status.Answered():
		case q.Asked.Before(a.Asked): // the senior pointed to what was there
			v.right = q.ID
		default:
			v.leave = []string{q.ID}
		}
		return v
	default:
		return verdict{}
	}
}

// label judges the first of a ranking; false when nothing is known of it. What came
// into the base after the ask was not judged by its asker.
func (v verdict) label(a knowledge.Ask, ranked []search.Scored, questions map[string]knowledge.Question) (labelled, bool) {
	if len(ranked) == 0 {
		return labelled{}, false
	}
	first := ranked[0].ID
	l := labelled{Case: quality.Case{Answerable: v.right != "", Group: knowledge.FoldText(a.Text)}}
	if v.right != "" {
		l.Group = v.right
		l.Rank = 1 + slices.IndexFunc(ranked, func(s search.Scored) bool { return s.ID == v.right })
		return l, true
	}
	later := questions[first].Asked.After(a.Asked)
	return l, slices.Contains(v.wrong, first) || a.Outcome == knowledge.Rejected && !later
}
