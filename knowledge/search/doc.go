// Package search finds the stored question that a person means.
//
// It is pure: no I/O, no clock, no other package of the project. What it needs
// from outside comes in as values: the text of a message, the entries of the
// knowledge base, and the hits of a vector index. The same functions therefore
// rank alike over every store, and the whole package can be replaced.
//
// The way of a message:
//
//	q := parser.Parse(text)               // cleaned, repaired, stemmed
//	near := …                             // the caller embeds q.Text and searches its vectors
//	ranked := lexicon.Rank(q, near, w)    // words and vectors fused into one order
//	d := search.Decide(ranked, cal)    // answer, suggest or nothing
//
// Scores are only comparable within one ranking and one set of [Weights]; a
// [Calibration] turns a ranking into the probability that its first is right.
package search
