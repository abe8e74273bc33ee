package milvus

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// collection is one collection of the server, under its own name: an alias may move
// between two exchanges.
type collection struct {
	x    *Index
	name string
	origin
}

// origin stands in a collection's description as JSON. Without it a collection is not
// ours, and nothing of ours touches it.
type origin struct {
	Nastavnik int    `json:"nastavnik"` // version of the layout
	Name      string `json:"name"`      // the alias that it was made for
	Embedder  string `json:"embedder"`
	Dim       int    `json:"dim"`
	Auto      bool   `json:"auto,omitempty"` // the server chose the index
}

// layout is the version of the fields below.
const layout = 1

// The fields, and the bytes that texts of them may have. Ids and topics have up to
// 200 characters, of four bytes at most.
const (
	keyField      = "key"
	kindField     = "kind"
	questionField = "question"
	topicField    = "topic"
	versionField  = "version"
	valuesField   = "values"

	maxKey, maxKind, maxText = 1280, 32, 1024
)

// Parameters of a graph: how many neighbours a vector has in it, and how wide a
// search looks for them when it is built.
const hnswM, efConstruction = 16, 200

func (x *Index) origin() origin {
	return origin{Nastavnik: layout, Name: x.o.Name, Embedder: x.o.Embedder, Dim: x.o.Dim, Auto: x.o.AutoIndex}
}

// with does something with the collection that serves. When the server refuses, the
// alias may have moved meanwhile: it is looked up anew, and a collection that is
// another one is asked in its place. One that is not loaded is loaded.
func (x *Index) with(ctx context.Context, f func(collection) error) error {
	c, err := x.resolve(ctx)
	if err != nil {
		return err
	}
	err = f(c)
	if !refused(err) {
		return err
	}
	x.forget()
	now, again := x.resolve(ctx)
	switch {
	case again != nil:
		return again
	case refusedWith(err, codeNotLoaded, codeNotFullyLoaded):
		if loading := now.load(ctx, x.o.Timeout); loading != nil {
			return loading
		}
	case now.name == c.name && !missing(err): // else it has been made again, or another has its name
		return err
	}
	return f(now)
}

// forget makes the next call look up the alias.
func (x *Index) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.serving = nil
}

// resolve returns the collection that serves.
func (x *Index) resolve(ctx context.Context) (collection, error) {
	x.mu.Lock()
	serving, at := x.serving, x.resolvedAt
	x.mu.Unlock()
	if serving != nil && time.Since(at) < resolveEvery {
		return *serving, nil
	}
	now := time.Now()
	c, err := x.describe(ctx, x.o.Name)
	if err == nil {
		err = x.fits(c)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil {
		x.serving = nil
		return collection{}, err
	}
	x.serving, x.resolvedAt = &c, now
	return c, nil
}

// describe reads what a name or an alias stands for. The error wraps ErrMissing or
// ErrForeign, beside those of any call.
func (x *Index) describe(ctx context.Context, name string) (collection, error) {
	var found *entity.Collection
	err := x.call(ctx, "collection "+name, x.o.Timeout, func(ctx context.Context) (err error) {
		found, err = x.client.DescribeCollection(ctx, name)
		return err
	})
	if refusedWith(err, codeCollectionNotFound) {
		return collection{}, fmt.Errorf("в Milvus нет коллекции %s; создайте её командой nastavnik index rebuild: %w", name, ErrMissing)
	}
	if err != nil {
		return collection{}, err
	}
	c := collection{x: x, name: found.Name}
	if json.Unmarshal([]byte(found.Schema.Description), &c.origin) != nil || c.Nastavnik != layout || c.Name != x.o.Name || !c.shaped(found.Schema) {
		return collection{}, fmt.Errorf("коллекцию %s в Milvus создал не этот Наставник; укажите другое имя в milvus.collection: %w", name, ErrForeign)
	}
	return c, nil
}

// shaped says whether a collection has the fields that its description promises.
func (c collection) shaped(s *entity.Schema) bool {
	want, same := c.schema(), 0
	for _, field := range s.Fields {
		i := slices.IndexFunc(want.Fields, func(f *entity.Field) bool { return f.Name == field.Name })
		if i >= 0 && want.Fields[i].DataType == field.DataType && want.Fields[i].PrimaryKey == field.PrimaryKey &&
			want.Fields[i].TypeParams[entity.TypeParamDim] == field.TypeParams[entity.TypeParamDim] {
			same++
		}
	}
	return same == len(want.Fields)
}

// fits says whether a collection of ours holds the vectors of our embedder.
func (x *Index) fits(c collection) error {
	if c.Embedder != x.o.Embedder {
		return fmt.Errorf("коллекция %s в Milvus хранит векторы модели %q, а настроена %q; выполните nastavnik index rebuild или верните прежнюю модель: %w",
			c.name, c.Embedder, x.o.Embedder, ErrOtherEmbedder)
	}
	if c.Dim != x.o.Dim {
		return fmt.Errorf("коллекция %s в Milvus хранит векторы из %d чисел, а модель %q даёт %d; выполните nastavnik index rebuild: %w",
			c.name, c.Dim, c.Embedder, x.o.Dim, knowledge.ErrInvalid)
	}
	return nil
}

// EnsureCollection makes the collection and its alias when there are none. Any number
// of processes may do so at once: they make one collection. The errors are those of
// Check.
func (x *Index) EnsureCollection(ctx context.Context) error {
	x.forget()
	_, err := x.resolve(ctx)
	if !errors.Is(err, ErrMissing) {
		return err
	}
	own, free, err := x.own(ctx)
	if err != nil {
		return err
	}
	target := x.named(free)
	// One without an alias is being made by another process this very moment, or a
	// rebuild was interrupted. What is in it fits and may stay.
	for _, c := range own {
		if x.fits(c) == nil {
			target = c
		}
	}
	if err := target.build(ctx); err != nil {
		return err
	}
	if _, err := target.serve(ctx); err != nil {
		return err
	}
	x.forget()
	_, err = x.resolve(ctx)
	return err
}

// named is a collection that may not exist yet.
func (x *Index) named(number int) collection {
	return collection{x: x, name: x.o.Name + "_" + strconv.Itoa(number), origin: x.origin()}
}

func (c collection) withName(name string) collection {
	c.name = name
	return c
}

// number is that in a collection's name, 0 when it has none.
func (c collection) number() int {
	digits, _ := strings.CutPrefix(c.name, c.x.o.Name+"_")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || strconv.Itoa(n) != digits {
		return 0
	}
	return n
}

// own returns the collections that were made for our alias, in the order of their
// numbers, whatever embedder's vectors they hold, and the first number after all that
// are taken. Others of similar names are not ours.
func (x *Index) own(ctx context.Context) (own []collection, free int, err error) {
	var all []*entity.Collection
	err = x.call(ctx, "collections", x.o.Timeout, func(ctx context.Context) (err error) {
		all, err = x.client.ListCollections(ctx)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	free = 1
	for _, found := range all {
		number := x.named(0).withName(found.Name).number()
		if number == 0 && found.Name != x.o.Name {
			continue
		}
		free = max(free, number+1)
		c, err := x.describe(ctx, found.Name)
		switch {
		case errors.Is(err, ErrForeign), errors.Is(err, ErrMissing):
			continue
		case err != nil:
			return nil, 0, err
		}
		own = append(own, c)
	}
	slices.SortFunc(own, func(a, b collection) int { return cmp.Compare(a.number(), b.number()) })
	return own, free, nil
}

func (c collection) schema() *entity.Schema {
	about, _ := json.Marshal(c.origin) // strings and numbers always can be
	text := func(name string, size int64) *entity.Field {
		return entity.NewField().WithName(name).WithDataType(entity.FieldTypeVarChar).WithMaxLength(size)
	}
	return entity.NewSchema().WithName(c.name).WithDescription(string(about)).
		WithField(text(keyField, maxKey).WithIsPrimaryKey(true)).
		WithField(text(kindField, maxKind)).
		WithField(text(questionField, maxText)).
		WithField(text(topicField, maxText)).
		WithField(entity.NewField().WithName(versionField).WithDataType(entity.FieldTypeInt64)).
		WithField(entity.NewField().WithName(valuesField).WithDataType(entity.FieldTypeFloatVector).WithDim(int64(c.Dim)))
}

// build makes the collection, its index, and loads it. What is there already stays.
func (c collection) build(ctx context.Context) error {
	err := c.x.call(ctx, "create "+c.name, c.x.write(), func(ctx context.Context) error {
		return c.x.client.CreateCollection(ctx, c.schema(), 1, client.WithConsistencyLevel(entity.ClBounded))
	})
	if err != nil {
		if errors.Is(err, knowledge.ErrAway) || errors.Is(err, ErrDenied) {
			return err
		}
		// Another process was first, with options of its own; or the name is taken.
		made, seen := c.x.describe(ctx, c.name)
		if seen != nil {
			return cmp.Or(ignoreMissing(seen), err)
		}
		if made.name != c.name {
			return err
		}
		if unfit := c.x.fits(made); unfit != nil {
			return unfit
		}
	}
	index, err := c.index()
	if err != nil {
		return err
	}
	err = c.x.call(ctx, "index "+c.name, c.x.write(), func(ctx context.Context) error {
		return c.x.client.CreateIndex(ctx, c.name, valuesField, index, true)
	})
	if err != nil {
		return err
	}
	return c.load(ctx, loadTime)
}

func ignoreMissing(err error) error {
	if errors.Is(err, ErrMissing) {
		return nil
	}
	return err
}

func (c collection) index() (entity.Index, error) {
	if c.Auto {
		return entity.NewIndexAUTOINDEX(entity.COSINE)
	}
	return entity.NewIndexHNSW(entity.COSINE, hnswM, efConstruction)
}

// loadTime is for how long a collection may be being loaded: three seconds when it is
// empty, minutes with millions of vectors.
const loadTime = 10 * time.Minute

// load asks the server to load the collection and waits until it has.
func (c collection) load(ctx context.Context, atMost time.Duration) error {
	err := c.x.call(ctx, "load "+c.name, c.x.write(), func(ctx context.Context) error {
		return c.x.client.LoadCollection(ctx, c.name, true)
	})
	if err != nil {
		return err
	}
	return c.x.wait(ctx, "load "+c.name, atMost, func(ctx context.Context) (bool, error) {
		state, err := c.x.client.GetLoadState(ctx, c.name, nil)
		return state == entity.LoadStateLoaded, err
	})
}

// wait asks until the answer is yes. Each question has a time of its own.
func (x *Index) wait(ctx context.Context, doing string, atMost time.Duration, done func(context.Context) (bool, error)) error {
	deadline := time.Now().Add(atMost)
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		yes := false
		err := x.call(ctx, doing, x.o.Timeout, func(ctx context.Context) (err error) {
			yes, err = done(ctx)
			return err
		})
		if yes || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return x.explain(ctx, doing, context.DeadlineExceeded)
		}
		select {
		case <-ctx.Done():
			return x.explain(ctx, doing, ctx.Err())
		case <-time.After(pause):
		}
	}
}
