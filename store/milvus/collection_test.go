package milvus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/milvus"
)

func TestOptions(t *testing.T) {
	good := milvus.Options{Address: "127.0.0.1:1", Embedder: "e", Dim: 4}
	for name, spoil := range map[string]func(*milvus.Options){
		"no address":             func(o *milvus.Options) { o.Address = "" },
		"no port":                func(o *milvus.Options) { o.Address = "milvus" },
		"no host":                func(o *milvus.Options) { o.Address = ":19530" },
		"scheme":                 func(o *milvus.Options) { o.Address = "http://milvus:19530" },
		"password in address":    func(o *milvus.Options) { o.Address = "root:hunter2@milvus:19530" },
		"name of other letters":  func(o *milvus.Options) { o.Name = "наставник" },
		"name with a dash":       func(o *milvus.Options) { o.Name = "a-b" },
		"name begins with digit": func(o *milvus.Options) { o.Name = "1a" },
		"long name":              func(o *milvus.Options) { o.Name = strings.Repeat("a", 300) },
		"no embedder":            func(o *milvus.Options) { o.Embedder = "" },
		"no dimension":           func(o *milvus.Options) { o.Dim = 0 },
		"too many dimensions":    func(o *milvus.Options) { o.Dim = 40_000 },
		"time-out":               func(o *milvus.Options) { o.Timeout = -1 },
	} {
		o := good
		spoil(&o)
		_, err := milvus.Open(t.Context(), o)
		if !errors.Is(err, knowledge.ErrInvalid) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if x, err := milvus.Open(t.Context(), good); err != nil {
		t.Error(err)
	} else {
		x.Close()
	}
}

// expect wants every call but those named to fail in a certain way.
func expect(t *testing.T, x *milvus.Index, want error, remedy string, but ...string) {
	t.Helper()
	for name, err := range everyCall(x) {
		if slices.Contains(but, name) {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, want) || !strings.Contains(err.Error(), remedy) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A change of the embedder is refused with the remedy, which works.
func TestOtherEmbedder(t *testing.T) {
	t.Parallel()
	o := fresh(t, 4)
	x := opened(t, o)
	if err := x.Upsert(t.Context(), []knowledge.Vector{vector("old", axis(0))}); err != nil {
		t.Fatal(err)
	}
	o.Embedder = "other"
	other := open(t, o)
	expect(t, other, milvus.ErrOtherEmbedder, "nastavnik index rebuild", "begin")
	o.Embedder, o.Dim = "test", 5
	_, err := open(t, o).Check(t.Context())
	if !errors.Is(err, knowledge.ErrInvalid) || !strings.Contains(err.Error(), "nastavnik index rebuild") {
		t.Errorf("vectors of another size: %v", err)
	}
	if keys, err := found(x, 0); err != nil || keys != "old" {
		t.Errorf("the old embedder finds %q, %v", keys, err)
	}

	r, err := other.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Upsert(t.Context(), []knowledge.Vector{vector("new", axis(0))}); err != nil {
		t.Fatal(err)
	}
	if err := r.Swap(t.Context()); err != nil {
		t.Fatal(err)
	}
	if keys, err := found(other, 0); err != nil || keys != "new" {
		t.Errorf("after the rebuild: %q, %v", keys, err)
	}
	// A replica that was not told to change goes no further.
	expect(t, x, milvus.ErrOtherEmbedder, "nastavnik index rebuild", "begin")
}

// What somebody else made under our name is left alone.
func TestForeign(t *testing.T) {
	t.Parallel()
	for _, description := range []string{"", "photos", `{"nastavnik":1,"name":"another","embedder":"test","dim":4}`, `{"nastavnik":2}`, `{"nastavnik":1}`} {
		o := fresh(t, 4)
		c := admin(t, o.Address)
		schema := entity.NewSchema().WithName(o.Name).WithDescription(description).
			WithField(entity.NewField().WithName("id").WithDataType(entity.FieldTypeInt64).WithIsPrimaryKey(true)).
			WithField(entity.NewField().WithName("v").WithDataType(entity.FieldTypeFloatVector).WithDim(4))
		if err := c.CreateCollection(t.Context(), schema, 1); err != nil {
			t.Fatal(err)
		}
		expect(t, open(t, o), milvus.ErrForeign, "milvus.collection")
		if got := names(t, o); !slices.Equal(got, []string{""}) {
			t.Errorf("collections afterwards: %q", got)
		}
	}
}

// Another bot on the same server, whose alias is the very name of our collection.
func TestNeighbouringBot(t *testing.T) {
	t.Parallel()
	o := fresh(t, 4)
	x := opened(t, o)
	o.Name += "_1"
	expect(t, open(t, o), milvus.ErrForeign, "milvus.collection")
	if err := check(x); err != nil {
		t.Error(err)
	}
}

// A collection of somebody else that has the name of our next one is stepped over.
func TestForeignNeighbour(t *testing.T) {
	t.Parallel()
	o := fresh(t, 4)
	c := admin(t, o.Address)
	for _, suffix := range []string{"_1", "_2x", "_03"} {
		schema := entity.NewSchema().WithName(o.Name + suffix).
			WithField(entity.NewField().WithName("id").WithDataType(entity.FieldTypeInt64).WithIsPrimaryKey(true)).
			WithField(entity.NewField().WithName("v").WithDataType(entity.FieldTypeFloatVector).WithDim(4))
		if err := c.CreateCollection(t.Context(), schema, 1); err != nil {
			t.Fatal(err)
		}
	}
	x := opened(t, o)
	if err := check(x); err != nil {
		t.Error(err)
	}
	if got := names(t, o); !slices.Equal(got, []string{"_03", "_1", "_2", "_2x"}) {
		t.Errorf("collections: %q", got)
	}
}

// Processes that start at once make one collection.
func TestRace(t *testing.T) {
	t.Parallel()
	o := fresh(t, 4)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			x := open(t, o)
			if err := x.Upsert(context.Background(), []knowledge.Vector{vector(fmt.Sprint("k", i), axis(i))}); err != nil {
				t.Error(err)
			}
			if keys, err := found(x, i); err != nil || !strings.Contains(keys, fmt.Sprint("k", i)) {
				t.Errorf("found %q, %v", keys, err)
			}
		})
	}
	wg.Wait()
	if got := names(t, o); !slices.Equal(got, []string{"_1"}) {
		t.Errorf("collections: %q", got)
	}
	if got := len(stamps(t, open(t, o))); got != 4 {
		t.Errorf("%d vectors, 4 were written", got)
	}
}

// A Milvus that is wiped while the bot runs: searches say so, verifying finds
// nothing, and writing restores.
func TestWiped(t *testing.T) {
	t.Parallel()
	o := fresh(t, 4)
	x, c := open(t, o), admin(t, o.Address)
	if _, err := x.Check(t.Context()); !errors.Is(err, milvus.ErrMissing) || !strings.Contains(err.Error(), "nastavnik index rebuild") {
		t.Errorf("check before there is a collection: %v", err)
	}
	for _, alias := range []bool{true, false} {
		if err := x.Upsert(t.Context(), []knowledge.Vector{vector("a", axis(0))}); err != nil {
			t.Fatal(err)
		}
		if keys, err := found(x, 0); err != nil || keys != "a" {
			t.Errorf("found %q, %v", keys, err)
		}
		if alias { // else it stands for nothing
			if err := c.DropAlias(t.Context(), o.Name); err != nil {
				t.Fatal(err)
			}
		}
		for _, suffix := range names(t, o) {
			if err := c.DropCollection(t.Context(), o.Name+suffix); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := found(x, 0); !errors.Is(err, milvus.ErrMissing) {
			t.Errorf("a search in what was wiped: %v", err)
		}
		if got := stamps(t, x); len(got) != 0 {
			t.Errorf("stamps of what was wiped: %v", got)
		}
		if err := x.DeleteQuestions(t.Context(), []string{"q"}); err != nil {
			t.Error(err)
		}
	}
	if err := x.Upsert(t.Context(), []knowledge.Vector{vector("b", axis(0))}); err != nil {
		t.Fatal(err)
	}
	if keys, err := found(x, 0); err != nil || keys != "b" {
		t.Errorf("found %q, %v", keys, err)
	}
}

// A collection that an administrator has put out of memory is loaded again.
func TestReleased(t *testing.T) {
	t.Parallel()
	o := fresh(t, 4)
	o.Timeout = 20e9
	x := open(t, o)
	if err := x.Upsert(t.Context(), []knowledge.Vector{vector("a", axis(0))}); err != nil {
		t.Fatal(err)
	}
	if err := admin(t, o.Address).ReleaseCollection(t.Context(), o.Name); err != nil {
		t.Fatal(err)
	}
	eventually(t, x)
	if keys, err := found(x, 0); err != nil || keys != "a" {
		t.Errorf("found %q, %v", keys, err)
	}
}
