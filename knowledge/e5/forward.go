package e5

import (
	"context"
	"encoding/binary"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5/weightfile"
)

// feedTokens is how many tokens go through a feed-forward block together. Its middle is four times as wide as the rest: more
// of them would not stay in the processor's cache.
const feedTokens = 128

// scratch holds what a batch is turned into on its way. Rows are tokens; the tokens of all windows lie one after the other.
type scratch struct {
	state     []float32 // the states, rows of the hidden size
	projected []float32 // queries, keys and values, rows of three times the hidden size
	context   []float32 // what attention gathers
	added     []float32 // what a block adds to the states
	middle    []float32 // rows of the feed-forward size
	acts      activations
	attention attention
}

// forward puts a batch of windows through the network. Row i of means becomes what the states of window i come to: their mean,
// unless the model is informed.
func (m *Model) forward(ctx context.Context, batch []window, s *scratch, means []float32) error {
	tokens := 0
	for _, w := range batch {
		tokens += len(w.tokens)
	}
	m.start(batch, tokens, s)
	for i := range m.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		m.attentionBlock(&m.layers[i], batch, tokens, s)
		m.feedForwardBlock(&m.layers[i], tokens, s)
		m.pool(i, batch, s.state, means)
	}
	return nil
}

// start sets the states to the embeddings of the tokens.
func (m *Model) start(batch []window, tokens int, s *scratch) {
	// Kernels write whole tiles, and attention reads a few rows more than there are.
	rows := (tokens+tileTokens-1)/tileTokens*tileTokens + productRows
	s.state = grow(s.state, rows*m.dim)
	s.projected = grow(s.projected, rows*3*m.dim)
	s.context = grow(s.context, rows*m.dim)
	s.added = grow(s.added, rows*m.dim)

	token := 0
	for _, w := range batch {
		for position, id := range w.tokens {
			state := s.state[token*m.dim:][:m.dim]
			m.table.word(state, id)
			m.kernels.addNorm(state, m.table.positions[position*m.dim:][:m.dim], &m.table.norm)
			token++
		}
	}
}

// word sets row to the embedding of a token.
func (e *embeddings) word(row []float32, id int32) {
	blocks := len(row) / blockLen
	src := e.words[int(id)*blocks*weightfile.BlockBytes:]
	for b := range blocks {
		block := src[b*weightfile.BlockBytes:][:weightfile.BlockBytes]
		scale := float16(binary.LittleEndian.Uint16(block))
		out := row[b*blockLen:][:blockLen]
		for j, q := range block[2:] {
			out[j] = float32(int(q&15)-8) * scale
			out[j+blockLen/2] = float32(int(q>>4)-8) * scale
		}
	}
}

// attentionBlock lets each token gather from the others of its window.
func (m *Model) attentionBlock(l *layer, batch []window, tokens int, s *scratch) {
	m.quantize(&s.acts, s.state, tokens, m.dim)
	m.kernels.matmul(l.attention, &s.acts, s.projected)
	first := 0
	for _, w := range batch {
		m.attend(s, first, len(w.tokens))
		first += len(w.tokens)
	}
	m.quantize(&s.acts, s.context, tokens, m.dim)
	m.kernels.matmul(l.attentionOut, &s.acts, s.added)
	m.add(s.state, s.added, tokens, &l.attentionNorm)
}

// feedForwardBlock lets each token think for itself.
func (m *Model) feedForwardBlock(l *layer, tokens int, s *scratch) {
	width := l.widen.rows
	s.middle = grow(s.middle, (min(tokens, feedTokens)+tileTokens)*width)
	for first := 0; first < tokens; first += feedTokens {
		n := min(feedTokens, tokens-first)
		state := s.state[first*m.dim:]
		m.quantize(&s.acts, state, n, m.dim)
		m.kernels.matmul(l.widen, &s.acts, s.middle)
		m.kernels.gelu(s.middle[:n*width])
		m.quantize(&s.acts, s.middle, n, width)
		m.kernels.matmul(l.narrow, &s.acts, s.added)
		m.add(state, s.added, n, &l.feedNorm)
	}
}

// quantize stores the first rows of values as the inputs of a matrix.
func (m *Model) quantize(a *activations, values []float32, rows, width int) {
	a.reset(rows, width)
	for t := range rows {
		m.kernels.quantize(a, t, values[t*width:][:width])
	}
}

// add adds the first rows of added to the states and normalises them.
func (m *Model) add(state, added []float32, rows int, n *norm) {
	for t := range rows {
		m.kernels.addNorm(state[t*m.dim:][:m.dim], added[t*m.dim:][:m.dim], n)
	}
}

// mean sets out to the mean of the rows.
func mean(out, rows []float32) {
	clear(out)
	for row := rows; len(row) > 0; row = row[len(out):] {
		for i, v := range row[:len(out)] {
			out[i] += v
		}
	}
	inverse := float32(len(out)) / float32(len(rows))
	for i := range out {
		out[i] *= inverse
	}
}
