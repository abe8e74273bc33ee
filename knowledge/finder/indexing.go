package finder

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// embedAtOnce is how many texts go to the embedder in one call: enough for all
// cores, few enough that an interruption loses little.
const embedAtOnce = 32

// IndexQuestions computes the vectors that are missing for the questions and
// stores them; every process then takes them in by Sync. A shared index is brought in
// line with the record as far as these questions go. Without an embedder it does
// nothing. It may be called again and again, and by several at once: what
// is there is kept, and in this process no text is embedded twice.
func (f *Finder) IndexQuestions(ctx context.Context, ids []string) error {
	if f.o.Embedder == nil || len(ids) == 0 {
		return nil
	}
	missing, err := f.missing(ctx, ids)
	if err != nil {
		return fmt.Errorf("index questions: %w", err)
	}
	for batch := range slices.Chunk(missing, embedAtOnce) {
		if err := f.embedLeft(ctx, batch); err != nil {
			return fmt.Errorf("index questions: %w", err)
		}
	}
	if err := f.share(ctx, ids); err != nil {
		return fmt.Errorf("index questions: %w", err)
	}
	return nil
}

// embedLeft embeds what nobody else has embedded of a batch meanwhile.
func (f *Finder) embedLeft(ctx context.Context, batch []wanted) error {
	f.indexing.Lock()
	defer f.indexing.Unlock()
	hashes := make([]string, len(batch))
	for i, w := range batch {
		hashes[i] = w.text.hash
	}
	var there map[string][]float32
	err := f.o.Record.View(ctx, func(tx knowledge.Tx) (err error) {
		there, err = tx.Embeddings(ctx, f.o.Embedder.Name(), hashes)
		return err
	})
	if err != nil {
		return err
	}
	left := make([]wanted, 0, len(batch))
	for _, w := range batch {
		if there[w.text.hash] == nil {
			left = append(left, w)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return f.embed(ctx, left)
}

// indexNow embeds what is missing of one question without waiting for others.
func (f *Finder) indexNow(ctx context.Context, question string) error {
	if f.o.Embedder == nil {
		return nil
	}
	missing, err := f.missing(ctx, []string{question})
	if err == nil && len(missing) > 0 {
		err = f.embed(ctx, missing)
	}
	if err != nil {
		return err
	}
	return f.share(ctx, []string{question})
}

// wanted is a text that has no vector yet.
type wanted struct {
	question string
	text     text
}

func (f *Finder) missing(ctx context.Context, ids []string) ([]wanted, error) {
	var out []wanted
	err := f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		s, err := f.load(ctx, tx, ids)
		if err != nil {
			return err
		}
		out = s.missing()
		return nil
	})
	return out, err
}

func (s snapshot) missing() []wanted {
	var out []wanted
	seen := map[string]bool{}
	for _, q := range s.questions {
		if !q.Status.Answered() && !q.Open() {
			continue
		}
		for _, t := range s.texts[q.ID] {
			if s.vectors[t.hash] == nil && !seen[t.hash] {
				seen[t.hash] = true
				out = append(out, wanted{question: q.ID, text: t})
			}
		}
	}
	return out
}

// embed computes and stores a batch, and lets everybody know.
func (f *Finder) embed(ctx context.Context, batch []wanted) error {
	vectors := map[string][]float32{}
	var changed []string
	seen := map[string]bool{}
	for _, kind := range []knowledge.EmbedKind{knowledge.QueryText, knowledge.PassageText} {
		var texts, hashes []string
		for _, w := range batch {
			if w.text.kind == kind {
				texts, hashes = append(texts, w.text.text), append(hashes, w.text.hash)
			}
		}
		if len(texts) == 0 {
			continue
		}
		vs, err := f.o.Embedder.Embed(ctx, kind, texts)
		if err != nil {
			return err
		}
		for i, v := range vs {
			vectors[hashes[i]] = v
		}
	}
	for _, w := range batch {
		if !seen[w.question] {
			seen[w.question] = true
			changed = append(changed, w.question)
		}
	}
	return f.o.Record.Update(ctx, func(tx knowledge.Tx) error {
		if err := tx.PutEmbeddings(ctx, f.o.Embedder.Name(), vectors); err != nil {
			return err
		}
		return tx.Touch(ctx, changed)
	})
}

// Backlog returns the questions some of whose vectors are missing, by id. A finder
// that has loaded nothing yet leaves it at that, and reads them from the record.
func (f *Finder) Backlog(ctx context.Context) ([]string, error) {
	if f.o.Embedder == nil {
		return nil, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	behind := f.behind
	var err error
	if f.all {
		err = f.catchUp(ctx)
	} else {
		behind, err = f.readBehind(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("backlog: %w", err)
	}
	return slices.Sorted(maps.Keys(behind)), nil
}

// readBehind reads which questions lack vectors.
func (f *Finder) readBehind(ctx context.Context) (map[string]bool, error) {
	behind := map[string]bool{}
	err := f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		s, err := f.loadWords(ctx, tx, nil)
		if err != nil {
			return err
		}
		return f.eachPortion(ctx, tx, s, func(portion snapshot) error {
			for _, w := range portion.missing() {
				behind[w.question] = true
			}
			return nil
		})
	})
	return behind, err
}
