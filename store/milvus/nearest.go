package milvus

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

const (
	// maxHits is how many rows a server returns at most.
	maxHits = 16_384
	// spareHits are asked for beside those wanted, to see whether the last of them ties
	// with the next. A server returns any of the rows that tie.
	spareHits = 8
	// minWidth is how wide a graph is searched at least. Wider finds more of the nearest
	// and takes longer.
	minWidth = 128
)

// nearest finds up to p.K rows, ties by key.
func (c collection) nearest(ctx context.Context, p knowledge.Probe) ([]knowledge.VectorHit, error) {
	k := min(p.K, maxHits)
	for limit := min(k+spareHits, maxHits); ; limit = min(2*limit, maxHits) {
		hits, err := c.search(ctx, p, limit)
		if err != nil {
			return nil, err
		}
		all := len(hits) < limit || limit == maxHits
		slices.SortFunc(hits, func(a, b knowledge.VectorHit) int {
			return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), cmp.Compare(a.Key, b.Key))
		})
		if all || hits[limit-1].Similarity < hits[k-1].Similarity {
			return hits[:min(k, len(hits))], nil
		}
	}
}

// search makes one search, whose hits are in no order.
func (c collection) search(ctx context.Context, p knowledge.Probe, limit int) ([]knowledge.VectorHit, error) {
	how, err := entity.NewIndexHNSWSearchParam(max(limit, minWidth)) // what AUTOINDEX makes takes it, too
	if err != nil {
		return nil, fmt.Errorf("milvus: %w", err)
	}
	filter := ""
	if p.Topics != nil {
		filter = in(topicField, p.Topics)
	}
	level := entity.ClBounded
	if p.Fresh {
		level = entity.ClStrong
	}
	var results []client.SearchResult
	err = c.x.call(ctx, "search", c.x.o.Timeout, func(ctx context.Context) (err error) {
		results, err = c.x.client.Search(ctx, c.name, nil, filter, []string{kindField, questionField, versionField},
			[]entity.Vector{entity.FloatVector(p.Values)}, valuesField, entity.COSINE, limit, how, client.WithSearchQueryConsistencyLevel(level))
		return err
	})
	// Without hits the library misses the type of the fields, and calls that an error.
	if err != nil || len(results) == 0 || results[0].ResultCount == 0 {
		return nil, err
	}
	return hitsOf(results[0])
}

func hitsOf(r client.SearchResult) ([]knowledge.VectorHit, error) {
	if r.Err != nil {
		return nil, fmt.Errorf("milvus: search: %w", r.Err)
	}
	keys, ok := r.IDs.(*entity.ColumnVarChar)
	found := fields{columns: r.Fields, rows: r.ResultCount}
	kinds, questions, versions := found.texts(kindField), found.texts(questionField), found.numbers(versionField)
	if found.err != nil {
		return nil, found.err
	}
	if !ok || keys.Len() != r.ResultCount || len(r.Scores) != r.ResultCount {
		return nil, fmt.Errorf("milvus: search: %d hits without a key or a similarity for each", r.ResultCount)
	}
	hits := make([]knowledge.VectorHit, r.ResultCount)
	for i, key := range keys.Data() {
		hits[i] = knowledge.VectorHit{
			Key: knowledge.VectorKey(key), Kind: knowledge.EmbedKind(kinds[i]), Question: questions[i], Version: versions[i],
			Similarity: float64(r.Scores[i]),
		}
	}
	return hits, nil
}

// in is the filter of rows whose field is one of some texts.
func in(field string, texts []string) string {
	var b strings.Builder
	b.WriteString(field + " in [")
	for i, text := range texts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(text))
	}
	b.WriteByte(']')
	return b.String()
}

// quote writes a text into a filter. The server reads Go's own notation.
func quote(text string) string { return strconv.Quote(text) }
