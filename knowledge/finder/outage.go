package finder

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// The parts that a search can do without; see Options.Report.
const (
	PartEmbedder = "embedder"
	PartIndex    = "index"
)

// outage knows whether a part that the search can do without is away. The log is told
// once when it goes and once when it is back: a line for each search between would
// bury everything else.
type outage struct {
	part   string
	log    *slog.Logger
	report func(part string, err error)
	away   atomic.Bool
}

func newOutage(part string, o Options) *outage {
	report := o.Report
	if report == nil {
		report = func(string, error) {}
	}
	return &outage{part: part, log: o.Log, report: report}
}

// begins is told of every failure.
func (o *outage) begins(ctx context.Context, err error) {
	o.report(o.part, err)
	if o.away.CompareAndSwap(false, true) {
		o.log.WarnContext(ctx, "a part of the search is away, searching by words until it is back", "part", o.part, "err", err)
	}
}

// over is told of every success.
func (o *outage) over(ctx context.Context) {
	o.report(o.part, nil)
	if o.away.CompareAndSwap(true, false) {
		o.log.InfoContext(ctx, "a part of the search is back", "part", o.part)
	}
}

// watched is an embedder whose successes end its outage, those of indexing too: while
// nobody asks, indexing is what finds out. Its failures are looked at by who asked, as
// one at indexing may be the text's fault.
type watched struct {
	knowledge.Embedder
	outage *outage
}

// Embed implements knowledge.Embedder.
func (w watched) Embed(ctx context.Context, kind knowledge.EmbedKind, texts []string) ([][]float32, error) {
	vectors, err := w.Embedder.Embed(ctx, kind, texts)
	if err == nil {
		w.outage.over(ctx)
	}
	return vectors, err
}
