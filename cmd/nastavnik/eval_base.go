package main

import (
	"bufio"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
	"github.com/nastavnik-bot/nastavnik/knowledge/kbfile"
	"github.com/nastavnik-bot/nastavnik/knowledge/quality"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// trialBase is a knowledge base in a folder of its own that goes when it is
// closed: measuring leaves the data folder alone.
type trialBase struct {
	dir   string
	store *sqlite.Store
	find  *finder.Finder
}

// newTrial makes an empty base that searches with the embedder (nil: by words).
func (a *app) newTrial(ctx context.Context, e knowledge.Embedder) (b *trialBase, err error) {
	dir, err := os.MkdirTemp("", "nastavnik-eval-")
	if err != nil {
		return nil, fmt.Errorf("временная папка: %w", err)
	}
	b = &trialBase{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.store, err = sqlite.Open(ctx, sqlite.Options{Dir: dir, Queue: sqlite.NoQueue{}, Log: a.log}); err != nil {
		return nil, err
	}
	b.find, err = newFinder(finder.Options{Record: record{b.store}, Embedder: e, Synonyms: a.slang, Log: a.log})
	return b, err
}

func (b *trialBase) close() error {
	var err error
	if b.store != nil {
		err = b.store.Close()
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

// fill stores entries and computes their vectors. Only answered questions are
// search results: an entry without an answer is measured with its question in the
// answer's place.
func (b *trialBase) fill(ctx context.Context, a *app, entries []kbfile.Entry) error {
	entries = slices.Clone(entries)
	for i := range entries {
		if entries[i].Answer == "" {
			entries[i].Answer = entries[i].Question
		}
	}
	if _, err := store(ctx, b.store, entries, a.progress("Запись", len(entries))); err != nil {
		return err
	}
	ids, err := b.find.Backlog(ctx)
	if err != nil {
		return err
	}
	progress := a.progress("Векторы", len(ids))
	const atOnce = 8
	for i := 0; i < len(ids); i += atOnce {
		if err := b.find.IndexQuestions(ctx, ids[i:min(i+atOnce, len(ids))]); err != nil {
			return err
		}
		progress(min(i+atOnce, len(ids)))
	}
	return b.find.Sync(ctx)
}

// trialEmbedder loads the embedder, remembering its vectors in a file when one is
// named. save keeps what is new.
func (a *app) trialEmbedder(ctx context.Context, file string) (e knowledge.Embedder, save func() error, err error) {
	if a.find != nil {
		e = a.vectors
	} else {
		e, err = a.embedder(ctx)
	}
	if err != nil || e == nil {
		return nil, func() error { return nil }, err
	}
	v := &vectorFile{Embedder: e, path: file, known: map[string][]float32{}}
	return v, v.save, v.load()
}

// vectorFile is an embedder that computes nothing twice, not even in several runs
// when it has a file.
type vectorFile struct {
	knowledge.Embedder
	path string

	mu    sync.Mutex
	known map[string][]float32 // by TextHash
	fresh bool                 // there is something to save
}

// savedVectors is what the file holds.
type savedVectors struct {
	Embedder string
	Vectors  map[string][]float32
}

// load reads the file. One that is not there yet, is damaged or has another
// embedder's vectors is as good as empty: it is written anew.
func (v *vectorFile) load() error {
	if v.path == "" {
		return nil
	}
	f, err := os.Open(v.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("файл %s не открывается: %s", v.path, reason(err))
	}
	defer func() { _ = f.Close() }()
	var s savedVectors
	if err := gob.NewDecoder(bufio.NewReader(f)).Decode(&s); err == nil && s.Embedder == v.Name() && s.Vectors != nil {
		v.known = s.Vectors
	}
	return nil
}

func (v *vectorFile) save() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.path == "" || !v.fresh {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(v.path), filepath.Base(v.path)+".*")
	if err != nil {
		return fmt.Errorf("файл %s не создаётся: %s", v.path, reason(err))
	}
	w := bufio.NewWriter(f)
	err = errors.Join(gob.NewEncoder(w).Encode(savedVectors{Embedder: v.Name(), Vectors: v.known}), w.Flush(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), v.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("файл %s не записывается: %w", v.path, err), os.Remove(f.Name()))
	}
	v.fresh = false
	return nil
}

// Embed implements knowledge.Embedder.
func (v *vectorFile) Embed(ctx context.Context, kind knowledge.EmbedKind, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	var missing []string
	var at []int
	v.mu.Lock()
	for i, text := range texts {
		if out[i] = v.known[knowledge.TextHash(kind, text)]; out[i] == nil {
			missing, at = append(missing, text), append(at, i)
		}
	}
	v.mu.Unlock()
	if len(missing) == 0 {
		return out, nil
	}
	computed, err := v.Embedder.Embed(ctx, kind, missing)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, c := range computed {
		out[at[i]] = c
		v.known[knowledge.TextHash(kind, missing[i])] = c
	}
	v.fresh = true
	return out, nil
}

// readQueries reads labelled queries, one JSON object in a line.
func readQueries(path string) ([]quality.Query, error) {
	return readLines[quality.Query](path, `{"text": …, "expected_ids": […]}`, "запроса")
}

// readRun reads a run that was saved by --out.
func readRun(path string) ([]quality.Run, error) {
	return readLines[quality.Run](path, `{"ranked": […], "conf": …}`, "результата")
}

func readLines[T any](path, shape, noun string) ([]T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("файл %s не открывается: %s", path, reason(err))
	}
	defer func() { _ = f.Close() }()
	var out []T
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 8<<20)
	for line := 1; sc.Scan(); line++ {
		if len(sc.Bytes()) == 0 {
			continue
		}
		var v T
		if err := json.Unmarshal(sc.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("%s, строка %d: не JSON; нужно %s", path, line, shape)
		}
		out = append(out, v)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: нет ни одного %s", path, noun)
	}
	return out, nil
}

func writeRuns(path string, runs []quality.Run) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("файл %s не создаётся: %s", path, reason(err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	e := json.NewEncoder(w)
	for _, r := range runs {
		if err := e.Encode(r); err != nil {
			return err
		}
	}
	return w.Flush()
}
