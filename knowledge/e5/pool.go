package e5

import "strings"

const (
	// informedSuffix tells the vectors of an informed model from the plain ones.
	informedSuffix = "-informed"

	// innerShare is the share of the last but one layer in an informed vector, that of the last being one. Last layers are bent
	// to the task that a model was trained on; the one below helps to tell what it was not trained on.
	innerShare = 0.15
)

// Informed returns the same model with another way to make a vector out of the states of its tokens. The plain one, which the
// model was trained with, takes the mean of the last layer's states, so that «how do I» and the prefix weigh as much as what
// the question is about. The informed one
//
//   - weighs each token by its information, −log p, under the unigram vocabulary, as Arora, Liang and Ma ("A Simple but
//     Tough-to-Beat Baseline for Sentence Embeddings", 2017) weigh words by their rarity; the prefix and <s> weigh nothing;
//   - adds the last but one layer's vector with a small share.
//
// On short questions that tells related from unrelated texts better, and takes no more time. Its name is another: vectors of
// the two must not be compared. It shares the weights with m.
func (m *Model) Informed() *Model {
	c := *m
	if !c.informed {
		c.informed = true
		c.name = informedName(m.name)
	}
	return &c
}

// informedName puts the suffix before the checksum of the weight file.
func informedName(name string) string {
	if at := strings.LastIndexByte(name, '-'); at >= 0 {
		return name[:at] + informedSuffix + name[at:]
	}
	return name + informedSuffix
}

// pool puts into means, one row of zeros for each window at first, what the states after layer i give to the vectors.
func (m *Model) pool(i int, batch []window, states, means []float32) {
	last := i == len(m.layers)-1
	if !last && (!m.informed || i != len(m.layers)-2) {
		return
	}
	for w, row := range batch {
		rows := states[:len(row.tokens)*m.dim]
		states = states[len(rows):]
		out := means[w*m.dim:][:m.dim]
		switch {
		case !m.informed:
			mean(out, rows)
		case last:
			m.informedMean(out, rows, row, 1)
		default:
			m.informedMean(out, rows, row, innerShare)
		}
	}
}

// informedMean adds to out the mean of the rows, each weighed by the information of its token, with the given length.
func (m *Model) informedMean(out, rows []float32, w window, length float32) {
	sum := make([]float32, len(out))
	total := float32(0)
	for i, id := range w.tokens {
		weight := m.tokenizer.information(id)
		if i < w.prefix {
			weight = 0
		}
		total += weight
		for j, v := range rows[i*len(out):][:len(out)] {
			sum[j] += weight * v
		}
	}
	if total == 0 { // nothing but a prefix
		mean(sum, rows)
	}
	normalise(sum)
	for j, v := range sum {
		out[j] += length * v
	}
}

// information returns −log p of a piece. <s>, </s> and what is no piece have the score 0 and carry none.
func (t *tokenizer) information(id int32) float32 { return max(0, -t.scores[id]) }
