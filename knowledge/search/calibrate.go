package search

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// EmbedderE5 names the built-in embedder. Longer names that begin with it are
// variants of the same vectors.
const EmbedderE5 = "multilingual-e5-small-q4-informed"

// DefaultWeights returns the shipped weights for an embedder. One that is not
// known gets those of the built-in one, which suit cosines squeezed into a small
// range; refit where that is wrong.
// There is one set so far; the name keeps callers right when there are more.
func DefaultWeights(_ string) Weights {
	return Weights{
		Vector: 15, Passage: 15, Hub: 0.25, HubZero: 0.77, Centre: 0.5,
		Lexical: Lexical{Chars: 1, Words: 0, Whole: 1},
		Alone:   Lexical{Chars: 2, Words: 0, Whole: 1},
	}
}

// Calibration turns a ranking into the probability that its first question is the
// one meant: a logistic function of few features (Platt 1999). It belongs to the
// embedder and the weights that it was fitted with, and is stored as JSON.
type Calibration struct {
	Embedder string  `json:"embedder"` // empty: words only
	Bias     float64 `json:"bias"`
	// The coefficients of the log odds. None is negative, so that a better match is
	// never trusted less.
	Score   float64 `json:"score"`   // of its score
	Depth   float64 `json:"depth"`   // of its Parts.Depth
	Meaning float64 `json:"meaning"` // of its lead over all others by the vectors, 0 if it has none
	Words   float64 `json:"words"`   // of its lead over all others by the words, 0 if it has none
	Peak    float64 `json:"peak"`    // of its lead over the mean score of the next ten
	// AnswerAt is the confidence from which the first is given as the answer.
	AnswerAt float64 `json:"answer_at"`
	// MinChars is the least Parts.Chars of a direct answer: where there is no vector
	// to vouch for the meaning, the words themselves must nearly agree.
	MinChars float64 `json:"min_chars,omitempty"`
	// SuggestAt is the confidence below which nothing is worth suggesting.
	SuggestAt float64 `json:"suggest_at"`
	// Floor is the score below which one candidate is not worth suggesting.
	Floor float64 `json:"floor"`
}

// ErrCalibration is returned by [Calibration.Validate].
var ErrCalibration = errors.New("invalid calibration")

// Validate reports a calibration that cannot be used, as a file edited by hand may
// be.
func (c Calibration) Validate() error {
	for _, f := range []struct {
		name   string
		value  float64
		lo, hi float64
	}{
		{"bias", c.Bias, -1e6, 1e6}, {"floor", c.Floor, -1e6, 1e6},
		{"score", c.Score, 0, 1e6}, {"depth", c.Depth, 0, 1e6}, {"meaning", c.Meaning, 0, 1e6},
		{"words", c.Words, 0, 1e6}, {"peak", c.Peak, 0, 1e6},
		{"answer_at", c.AnswerAt, 0, 1}, {"suggest_at", c.SuggestAt, 0, 1}, {"min_chars", c.MinChars, 0, 1},
	} {
		if !(f.value >= f.lo && f.value <= f.hi) {
			return fmt.Errorf("%w: %s is %v, want %g to %g", ErrCalibration, f.name, f.value, f.lo, f.hi)
		}
	}
	return nil
}

// DefaultCalibration returns the shipped calibration for an embedder: the built-in
// one's, that for words only if the name is empty, and for any other embedder one
// that answers nothing but exact matches until it is fitted. They were fitted on
// four sets of real questions, each weighing alike, and stand on the safe side.
func DefaultCalibration(embedder string) Calibration {
	switch {
	case embedder == "":
		return Calibration{
			Bias: -3.475, Score: 0.313, Depth: 3.646, Words: 1.446, Peak: 1.677,
			AnswerAt: 0.9, MinChars: 0.6, SuggestAt: 0.08, Floor: 0.3,
		}
	case strings.HasPrefix(embedder, EmbedderE5):
		return Calibration{
			Embedder: embedder, Bias: -15.05, Score: 0.486, Depth: 0.756, Meaning: 1.336, Words: 1.584, Peak: 0.501,
			AnswerAt: 0.82, SuggestAt: 0.03, Floor: 22,
		}
	default:
		return Calibration{Embedder: embedder, Bias: -2.62, Depth: 3, Words: 1, AnswerAt: certain, MinChars: 0.95}
	}
}

const (
	// certain is the confidence from which a phrasing was asked word for word; what
	// was not stays below it.
	certain = 0.99
	// contested is the confidence below which two different questions have the very
	// words, and contestedFrom what it is above.
	contested, contestedFrom = 0.5, 0.45
)

// FeatureNames names, in order, what [Calibration.Features] returns. They are the
// names of the coefficients in the JSON of a [Calibration].
func FeatureNames() []string { return []string{"score", "depth", "meaning", "words", "peak"} }

// Features returns what the log odds of a ranking are made of, in the order of
// [FeatureNames]: none is negative, and more of each speaks for the first question.
// It returns nil for a ranking on which no coefficient has a say: an empty one, one
// whose first has the very words, and one without vectors if c was fitted with an
// embedder.
func (c Calibration) Features(ranked []Scored) []float64 {
	if len(ranked) == 0 || ranked[0].Parts.Exact || c.forRanking(ranked) != c {
		return nil
	}
	return features(ranked)
}

// Coefficients returns those of the features, in the order of [FeatureNames].
func (c Calibration) Coefficients() []float64 {
	return []float64{c.Score, c.Depth, c.Meaning, c.Words, c.Peak}
}

// WithCoefficients returns c with another bias and other coefficients, in the order
// of [FeatureNames]. It returns c as it is if their number is wrong.
func (c Calibration) WithCoefficients(bias float64, of []float64) Calibration {
	if len(of) != len(FeatureNames()) {
		return c
	}
	c.Bias = bias
	c.Score, c.Depth, c.Meaning, c.Words, c.Peak = of[0], of[1], of[2], of[3], of[4]
	return c
}

// crowd is how many of the next questions a peak is measured against.
const crowd = 10

// features look at the first from several sides. That its score is high says that
// the query is about something the base knows; that it leads by meaning and by words
// alike, each on its own, says that nothing else is meant; that it stands out of the
// crowd says that the query is not about something all of them touch.
func features(ranked []Scored) []float64 {
	first := ranked[0]
	var peak float64
	meaning, words := math.Inf(1), math.Inf(1)
	n := 0
	for _, s := range ranked[1:] {
		if s.TwinOf == first.ID { // who gets one has been given the other
			continue
		}
		meaning = min(meaning, first.Meaning-s.Meaning)
		words = min(words, (first.Score-first.Meaning)-(s.Score-s.Meaning))
		if n++; n <= crowd { // a base of few gives little of a peak: little was beaten
			peak += (first.Score - s.Score) / crowd
		}
	}
	if n == 0 {
		meaning, words = 0, 0
	}
	return []float64{first.Score, first.Parts.Depth, max(0, meaning), max(0, words), max(0, peak)}
}

// Confidence returns the probability, 0 to 1, that the first of ranked is the
// question meant. It is never clipped, so that it orders rankings: those whose first
// has the very words stand above .99 (between .45 and .5 if a different question has
// them too), all others below, each by their log odds. A ranking without vectors is
// judged by the words-only default if c was fitted with an embedder. What people's
// verdicts say against the question lowers it.
func (c Calibration) Confidence(ranked []Scored) float64 {
	if len(ranked) == 0 {
		return 0
	}
	c = c.forRanking(ranked)
	z := c.Bias
	for i, f := range features(ranked) {
		z += c.Coefficients()[i] * f
	}
	if !ranked[0].Parts.Exact {
		z -= c.youth(ranked[0].Parts.Among)
	}
	p := 1 / (1 + math.Exp(-z))
	if math.IsNaN(p) {
		p = 0
	}
	doubt := ranked[0].Parts.Doubt
	if !ranked[0].Parts.Exact {
		return lowered(certain*p, doubt)
	}
	if second, ok := rival(ranked); ok && second.Parts.Exact {
		return lowered(contestedFrom+(contested-contestedFrom)*p, doubt)
	}
	return lowered(certain+(1-certain)*p, doubt)
}

// young is the number of questions in a base at which the odds that the one meant is
// among them are half of what they are in a full one.
const young = 80

// youth is by how much, in log odds, a base of n questions makes it less probable that
// the one meant is among them: calibrations are fitted on bases that have most of what
// is asked, and a base that is being filled has not. Words alone must nearly agree
// anyway.
func (c Calibration) youth(n int) float64 {
	if c.Embedder == "" || n == 0 {
		return 0
	}
	return math.Log(1 + young/float64(n))
}

// lowered returns the probability p with its log odds less by doubt.
func lowered(p, doubt float64) float64 {
	if doubt <= 0 || p <= 0 || p >= 1 {
		return p
	}
	return 1 / (1 + math.Exp(doubt)*(1-p)/p)
}

// forRanking returns the calibration that suits the parts of a ranking.
func (c Calibration) forRanking(ranked []Scored) Calibration {
	if c.Embedder != "" && ranked[0].Parts.Vector == 0 && ranked[0].Parts.Passage == 0 {
		return DefaultCalibration("")
	}
	return c
}

// rival returns the best question that is not a near-duplicate of the first.
func rival(ranked []Scored) (Scored, bool) {
	for _, s := range ranked[1:] {
		if s.TwinOf != ranked[0].ID {
			return s, true
		}
	}
	return Scored{}, false
}
