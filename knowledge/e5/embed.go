package e5

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

const (
	queryPrefix   = "query: "
	passagePrefix = "passage: "

	// maxWindows bounds the time that one text can take: what lies beyond so many windows is left out.
	maxWindows = 8

	// batchTokens is how many tokens go through the network together: enough for the weights, which are read once for
	// all of them, not to count, and few enough for what they are turned into to stay in the processor's cache.
	batchTokens = 256
)

// EmbedQueries returns a unit vector of Dim values for each text, a question or another short text that is compared with such.
// The texts are spread over all processors; one text uses one. The only error is that of ctx.
func (m *Model) EmbedQueries(ctx context.Context, texts []string) ([][]float32, error) {
	return m.embed(ctx, queryPrefix, texts)
}

// EmbedPassages is EmbedQueries for answers and other texts in which questions are looked up.
func (m *Model) EmbedPassages(ctx context.Context, texts []string) ([][]float32, error) {
	return m.embed(ctx, passagePrefix, texts)
}

func (m *Model) embed(ctx context.Context, prefix string, texts []string) ([][]float32, error) {
	var windows []window
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("embed: %w", err)
		}
		windows = m.appendWindows(windows, i, prefix+text)
	}
	m.markPrefix(windows, prefix)
	means := make([]float32, len(windows)*m.dim)
	if err := m.run(ctx, windows, means); err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	return m.vectors(windows, means, len(texts)), nil
}

// window is a part of a text that goes through the network as one sequence.
type window struct {
	text   int     // index of the text
	tokens []int32 // with <s> and </s>
	prefix int     // how many of them say what the text is
}

// weight is the window's share in the vector of its text.
func (w window) weight() float32 { return float32(max(len(w.tokens)-2, 1)) }

// appendWindows cuts a text into windows. There is always one.
func (m *Model) appendWindows(list []window, text int, content string) []window {
	size := m.positions - 2
	ids := m.tokenizer.tokens(content, maxWindows*size)
	for first := true; first || len(ids) > 0; first = false {
		n := min(len(ids), size)
		tokens := make([]int32, 0, n+2)
		tokens = append(tokens, m.tokenizer.bos)
		tokens = append(tokens, ids[:n]...)
		tokens = append(tokens, m.tokenizer.eos)
		list = append(list, window{text: text, tokens: tokens})
		ids = ids[n:]
	}
	return list
}

// markPrefix sets how many tokens of each text's first window stand for the prefix. A piece that the prefix shares with the
// text, which its trailing space makes impossible but for odd characters, would count as text.
func (m *Model) markPrefix(windows []window, prefix string) {
	if !m.informed {
		return
	}
	n := 1 + len(m.tokenizer.tokens(strings.TrimSuffix(prefix, " "), m.positions))
	for i := range windows {
		if i == 0 || windows[i].text != windows[i-1].text {
			windows[i].prefix = n
		}
	}
}

// batch is a number of windows that go through the network together, with where their mean states go.
type batch struct {
	windows []window
	means   []float32
}

// run puts the windows through the network in batches, as many at a time as there are processors, and a single batch on the
// caller's. Row i of means becomes the mean state of window i.
func (m *Model) run(ctx context.Context, windows []window, means []float32) error {
	workers := runtime.GOMAXPROCS(0)
	batches := m.batches(windows, means, workers)
	if len(batches) == 1 {
		return m.runBatch(ctx, batches[0])
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, b := range batches {
		group.Go(func() error { return m.runBatch(ctx, b) })
	}
	return group.Wait()
}

func (m *Model) runBatch(ctx context.Context, b batch) error {
	s := m.scratch.Get().(*scratch)
	defer m.scratch.Put(s)
	return m.forward(ctx, b.windows, s, b.means)
}

// batches divides the windows, in their order, so that every worker gets some.
func (m *Model) batches(windows []window, means []float32, workers int) []batch {
	tokens := 0
	for _, w := range windows {
		tokens += len(w.tokens)
	}
	limit := min(batchTokens, (tokens+workers-1)/workers)

	var list []batch
	for len(windows) > 0 {
		n, size := 1, len(windows[0].tokens)
		for n < len(windows) && size+len(windows[n].tokens) <= limit {
			size += len(windows[n].tokens)
			n++
		}
		list = append(list, batch{windows[:n], means[:n*m.dim]})
		windows, means = windows[n:], means[n*m.dim:]
	}
	return list
}

// vectors joins the means of each text's windows and scales them to length 1.
func (m *Model) vectors(windows []window, means []float32, texts int) [][]float32 {
	all := make([]float32, texts*m.dim)
	out := make([][]float32, texts)
	for i := range out {
		out[i] = all[i*m.dim : (i+1)*m.dim : (i+1)*m.dim]
	}
	for i, w := range windows {
		weight := w.weight()
		for j, v := range means[i*m.dim:][:m.dim] {
			out[w.text][j] += weight * v
		}
	}
	for _, v := range out {
		normalise(v)
	}
	return out
}

// normalise scales v to length 1. A vector of zeros stays one.
func normalise(v []float32) {
	square := 0.0
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	if square == 0 {
		return
	}
	inverse := float32(1 / math.Sqrt(square))
	for i := range v {
		v[i] *= inverse
	}
}
