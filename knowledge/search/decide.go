package search

// Kind is what a decision tells the conversation to do.
type Kind int

// The kinds of decisions.
const (
	Nothing Kind = iota // nothing is close: say so
	Suggest             // offer the candidates
	Answer              // give the answer of the first candidate
)

// String returns the kind in lower case, as the command line prints it.
func (k Kind) String() string {
	switch k {
	case Suggest:
		return "suggest"
	case Answer:
		return "answer"
	default:
		return "nothing"
	}
}

// MaxCandidates is how many questions are offered at most.
const MaxCandidates = 5

// Decision is what to do about a message.
type Decision struct {
	Kind       Kind
	Confidence float64  // that the first of the ranking is meant, 0–1
	Candidates []Scored // at most five, best first, no near-duplicates; empty for Nothing
}

// Decide answers if the confidence in the first question keeps the calibration's
// promise, and otherwise offers up to five that are different from one another and
// not below its floor.
func Decide(ranked []Scored, c Calibration) Decision {
	if len(ranked) == 0 {
		return Decision{}
	}
	d := Decision{Confidence: c.Confidence(ranked)}
	c = c.forRanking(ranked)
	if d.Confidence < c.SuggestAt {
		return d
	}
	d.Candidates = c.worthwhile(ranked, MaxCandidates)
	switch {
	case len(d.Candidates) == 0:
		d.Kind = Nothing
	case d.Confidence >= c.AnswerAt && c.vouches(ranked[0]):
		d.Kind = Answer
	default:
		d.Kind = Suggest
	}
	return d
}

// Worth returns the questions of a ranking that are worth offering, however many:
// not below the floor, and no near-duplicates of better ones.
func (c Calibration) Worth(ranked []Scored) []Scored {
	if len(ranked) == 0 {
		return nil
	}
	return c.forRanking(ranked).worthwhile(ranked, len(ranked))
}

// worthwhile returns the first of them, as many as the limit.
func (c Calibration) worthwhile(ranked []Scored, limit int) []Scored {
	var out []Scored
	for _, s := range ranked {
		if s.TwinOf != "" || s.Score < c.Floor && !s.Parts.Exact {
			continue
		}
		if out = append(out, s); len(out) == limit {
			break
		}
	}
	return out
}

// vouches reports whether the words of a question agree enough to give its answer,
// whatever the confidence.
func (c Calibration) vouches(s Scored) bool {
	if s.Parts.Refused {
		return false
	}
	return s.Parts.Exact || s.Score >= c.Floor && s.Parts.Chars >= c.MinChars
}
