package search

// Overlap returns how much the words of a query and of a stored wording have in
// common, 0 to 1: the Dice coefficient (Dice 1945) of their stems, function words
// left out. Unlike the parts of a score it does not depend on what else there is.
func (q Query) Overlap(wording string) float64 {
	a, b := subject(q.Words), subject(words(fold(Clean(wording)), maxQueryWords))
	if len(a)+len(b) == 0 {
		return 0
	}
	common := 0
	for s := range a {
		if b[s] {
			common++
		}
	}
	return 2 * float64(common) / float64(len(a)+len(b))
}

// subject returns the stems of the words that carry a subject.
func subject(of []string) map[string]bool {
	out := map[string]bool{}
	for _, w := range of {
		if !containsWord(functionWords, w) {
			out[stem(w)] = true
		}
	}
	return out
}
