package milvus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/entity"
	"google.golang.org/grpc/codes"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Rebuild is an index that does not serve yet: it is filled, compared with the record
// and swapped for the one that serves. It implements knowledge.Index, so what fills and
// verifies an index fills and verifies this one.
type Rebuild struct {
	x *Index
	c collection
}

var _ knowledge.Index = (*Rebuild)(nil)

// Begin makes a collection for the Index's own embedder beside the one that serves,
// whosever vectors that holds. One that an interrupted rebuild has left, for the same
// embedder, is gone on with: Stamps tells what is in it. Other left-overs are dropped.
// Only one rebuild should run at a time: two would fill one collection.
func (x *Index) Begin(ctx context.Context) (*Rebuild, error) {
	serving, err := x.describe(ctx, x.o.Name)
	if err != nil && !errors.Is(err, ErrMissing) {
		return nil, err
	}
	own, free, err := x.own(ctx)
	if err != nil {
		return nil, err
	}
	target := x.named(free)
	for _, c := range own {
		switch {
		case c.name == serving.name:
		case x.fits(c) == nil && c.number() > serving.number() && c.Auto == x.o.AutoIndex:
			target = c
		default:
			if err := c.drop(ctx); err != nil {
				return nil, err
			}
		}
	}
	if err := target.build(ctx); err != nil {
		return nil, err
	}
	return &Rebuild{x: x, c: target}, nil
}

// Collection is the name of the collection that is being filled.
func (r *Rebuild) Collection() string { return r.c.name }

// Upsert implements knowledge.Index.
func (r *Rebuild) Upsert(ctx context.Context, vectors []knowledge.Vector) error {
	rows, err := r.x.prepare(ctx, vectors)
	if err != nil {
		return err
	}
	return r.c.upsert(ctx, rows)
}

// DeleteQuestions implements knowledge.Index.
func (r *Rebuild) DeleteQuestions(ctx context.Context, questions []string, keep ...knowledge.VectorKey) error {
	return r.c.deleteQuestions(ctx, questions, keep)
}

// Nearest implements knowledge.Index.
func (r *Rebuild) Nearest(ctx context.Context, p knowledge.Probe) ([]knowledge.VectorHit, error) {
	if err := r.x.validValues(p.Values); err != nil {
		return nil, fmt.Errorf("nearest: %w", err)
	}
	if p.K <= 0 || p.Topics != nil && len(p.Topics) == 0 {
		return nil, nil
	}
	return r.c.nearest(ctx, p)
}

// Stamps implements knowledge.Index.
func (r *Rebuild) Stamps(ctx context.Context) (map[knowledge.VectorKey]knowledge.Stamp, error) {
	return r.c.stamps(ctx)
}

// indexTime is for how long a swap waits for the graph of what was written: 84 s for
// 100,000 vectors. Without it, searches are right but slow.
const indexTime = 30 * time.Minute

// graphTime is for how long a swap waits until the graphs are in memory.
const graphTime = time.Minute

// Swap lets the rebuilt collection serve and drops the one that did. First it waits
// until the server has indexed what was written, at last until every process has noticed
// the change, which takes some seconds. People search on meanwhile. What is written into
// the old collection during the rebuild is lost with it, so the index is to be verified
// once more afterwards. Swap may be called again after an error.
func (r *Rebuild) Swap(ctx context.Context) error {
	if err := r.settle(ctx); err != nil {
		return err
	}
	old, err := r.x.describe(ctx, r.x.o.Name)
	switch {
	case errors.Is(err, ErrMissing):
		r.c, err = r.c.serve(ctx)
		r.x.forget()
		return err
	case err != nil:
		return err
	case old.name == r.c.name:
		return nil // done before
	}
	old, err = r.replace(ctx, old)
	r.x.forget()
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done(): // the next rebuild drops it
		return r.x.explain(ctx, "drop "+old.name, ctx.Err())
	case <-time.After(resolveEvery + r.x.o.Timeout):
	}
	return old.drop(ctx)
}

// Abort drops what the rebuild has made. It refuses to once that serves.
func (r *Rebuild) Abort(ctx context.Context) error {
	serving, err := r.x.describe(ctx, r.x.o.Name)
	if err != nil && !errors.Is(err, ErrMissing) {
		return err
	}
	if serving.name == r.c.name {
		return fmt.Errorf("abort of a rebuild that was swapped: %w", knowledge.ErrConflict)
	}
	return r.c.drop(ctx)
}

// settle has the server keep and index what was written, and proves that it finds.
func (r *Rebuild) settle(ctx context.Context) error {
	written, err := r.c.count(ctx)
	if err != nil {
		return err
	}
	err = r.x.call(ctx, "flush "+r.c.name, r.x.write(), func(ctx context.Context) error {
		return r.x.client.Flush(ctx, r.c.name, true)
	})
	if err != nil {
		return err
	}
	// The rows of the index are those that were flushed, replaced ones among them.
	err = r.x.wait(ctx, "index "+r.c.name, indexTime, func(ctx context.Context) (bool, error) {
		total, indexed, err := r.x.client.GetIndexBuildProgress(ctx, r.c.name, valuesField)
		return total >= written && indexed >= total, err
	})
	if err != nil {
		return err
	}
	if err := r.c.load(ctx, loadTime); err != nil {
		return err
	}
	// What is indexed is searched by its graph only when that is in memory, some seconds
	// later. Until then a search is as right, and slower: no reason to give up.
	err = r.x.wait(ctx, "graph "+r.c.name, graphTime, r.graphsLoaded)
	if ctx.Err() != nil {
		return err
	}
	if err != nil {
		r.x.o.Log.WarnContext(ctx, "milvus has not loaded the new index yet, searches may be slow", "collection", r.c.name, "err", err)
	}
	probe := knowledge.Probe{Values: make([]float32, r.x.o.Dim), K: 1, Fresh: true}
	probe.Values[0] = 1
	_, err = r.c.nearest(ctx, probe)
	return err
}

// graphsLoaded says whether every part of the collection is searched by its graph. The
// server makes none for a part of less than some thousand rows.
func (r *Rebuild) graphsLoaded(ctx context.Context) (bool, error) {
	const smallPart = 2_048
	server, ok := r.x.client.(interface {
		GetQuerySegmentInfo(ctx context.Context, collection string) ([]*entity.Segment, error)
	})
	if !ok {
		return true, nil
	}
	parts, err := server.GetQuerySegmentInfo(ctx, r.c.name)
	return !slices.ContainsFunc(parts, func(s *entity.Segment) bool { return s.NumRows >= smallPart && s.IndexID == 0 }), err
}

// serve lets the alias stand for the collection where it stands for none, and returns
// the collection under the name that it has then. When another process is faster, its
// collection serves.
func (c collection) serve(ctx context.Context) (collection, error) {
	err := c.x.call(ctx, "alias "+c.x.o.Name, c.x.write(), func(ctx context.Context) error {
		if c.x.noAliases {
			return errNoAliases
		}
		return c.x.client.CreateAlias(ctx, c.name, c.x.o.Name)
	})
	if unsupported(err) {
		var renamed collection
		if renamed, err = c.rename(ctx, c.x.o.Name); err == nil {
			return renamed, nil
		}
	}
	if err == nil || errors.Is(err, knowledge.ErrAway) {
		return c, err
	}
	_, seen := c.x.describe(ctx, c.x.o.Name)
	if errors.Is(seen, ErrMissing) && refusedWith(err, codeAliasExists) {
		return c, c.alter(ctx) // it stands for a collection that was dropped behind our back
	}
	if errors.Is(seen, ErrMissing) {
		return c, err
	}
	return c, seen
}

// replace lets the alias stand for the rebuilt collection in place of the old one, which
// it returns under the name that it has then.
func (r *Rebuild) replace(ctx context.Context, old collection) (collection, error) {
	if old.name != r.x.o.Name {
		return old, r.c.alter(ctx)
	}
	// No alias: the collection itself has the name. For a moment there is none.
	_, free, err := r.x.own(ctx)
	if err != nil {
		return old, err
	}
	if old, err = old.rename(ctx, r.x.named(free).name); err != nil {
		return old, err
	}
	r.c, err = r.c.serve(ctx)
	return old, err
}

func (c collection) alter(ctx context.Context) error {
	return c.x.call(ctx, "alias "+c.x.o.Name, c.x.write(), func(ctx context.Context) error {
		return c.x.client.AlterAlias(ctx, c.name, c.x.o.Name)
	})
}

// rename gives the collection another name, and keeps all that is in it.
func (c collection) rename(ctx context.Context, name string) (collection, error) {
	err := c.x.call(ctx, "rename "+c.name, c.x.write(), func(ctx context.Context) error {
		return c.x.client.RenameCollection(ctx, c.name, name)
	})
	if err != nil {
		return c, err
	}
	return c.withName(name), nil
}

func (c collection) drop(ctx context.Context) error {
	return c.x.call(ctx, "drop "+c.name, c.x.write(), func(ctx context.Context) error {
		return c.x.client.DropCollection(ctx, c.name)
	})
}

var errNoAliases = errors.New("no aliases")

func unsupported(err error) bool {
	return errors.Is(err, errNoAliases) || grpcCode(err) == codes.Unimplemented || refusedWith(err, 10)
}
