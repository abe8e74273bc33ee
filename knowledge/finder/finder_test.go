package finder_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/memory"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/sqlite/sqlitetest"
)

// record is a store as the finder sees it, and as a test writes to it.
type record struct {
	t     testing.TB
	store *sqlite.Store
}

func openRecord(t testing.TB, dir string) record {
	t.Helper()
	queue, err := late.SQLite(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlitetest.Fill(t.Context(), dir, queue); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, Queue: queue})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return record{t, s}
}

func (r record) View(ctx context.Context, fn func(knowledge.Tx) error) error {
	return r.store.Read(ctx, func(tx bot.Tx) error { return fn(tx) })
}

func (r record) Update(ctx context.Context, fn func(knowledge.Tx) error) error {
	return r.store.Write(ctx, func(tx bot.Tx) error { return fn(tx) })
}

// change writes as any process may.
func (r record) change(fn func(ctx context.Context, tx knowledge.Tx) error) {
	r.t.Helper()
	ctx := context.WithoutCancel(r.t.Context())
	if err := r.Update(ctx, func(tx knowledge.Tx) error { return fn(ctx, tx) }); err != nil {
		r.t.Fatal(err)
	}
}

// entry is a question with its answer; without one it waits for a senior.
type entry struct {
	id, text, answer string
	aliases          []string
}

func (r record) put(entries ...entry) {
	r.t.Helper()
	r.change(func(ctx context.Context, tx knowledge.Tx) error {
		for _, e := range entries {
			q := knowledge.Question{ID: e.id, Text: e.text, Status: knowledge.InKnowledgeBase, Asked: time.Now()}
			if e.answer == "" {
				q.Status = knowledge.AwaitingSenior
			}
			if err := tx.PutQuestion(ctx, &q); err != nil {
				return err
			}
			for _, a := range e.aliases {
				if _, err := tx.PutPhrasing(ctx, knowledge.Phrasing{Question: e.id, Text: a, Origin: knowledge.Imported}); err != nil {
					return err
				}
			}
			if e.answer == "" {
				continue
			}
			if err := tx.PutAnswer(ctx, &knowledge.Answer{Question: e.id, Text: e.answer, Created: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
}

// set changes a question's row.
func (r record) set(id string, change func(*knowledge.Question)) {
	r.t.Helper()
	r.change(func(ctx context.Context, tx knowledge.Tx) error {
		q, err := tx.Question(ctx, id)
		if err != nil {
			return err
		}
		change(&q)
		return tx.PutQuestion(ctx, &q)
	})
}

const dim = 64

// words is an embedder that puts a text where its words and their beginnings
// are, the same on every machine.
type words struct {
	broken   atomic.Bool
	embedded atomic.Int64 // texts so far
}

func (w *words) Name() string { return "words" }
func (w *words) Dim() int     { return dim }

var errBroken = errors.New("the embedder is broken")

func (w *words) Embed(ctx context.Context, _ knowledge.EmbedKind, texts []string) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if w.broken.Load() {
		return nil, errBroken
	}
	w.embedded.Add(int64(len(texts)))
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = make([]float32, dim)
		out[i][0] = 0.01
		for word := range strings.FieldsSeq(knowledge.FoldText(text)) {
			r := []rune(word)
			h := fnv.New32a()
			_, _ = h.Write([]byte(string(r[:min(5, len(r))])))
			out[i][h.Sum32()%dim]++
		}
		var sum float64
		for _, x := range out[i] {
			sum += float64(x) * float64(x)
		}
		for j := range out[i] {
			out[i][j] /= float32(math.Sqrt(sum))
		}
	}
	return out, nil
}

func newIndex(t testing.TB, dim int) *memory.Index {
	t.Helper()
	x, err := memory.New(dim)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// newFinder returns a finder on a record; a nil embedder means words only.
func newFinder(t testing.TB, r record, e knowledge.Embedder) *finder.Finder {
	t.Helper()
	d := 1
	if e != nil {
		d = e.Dim()
	}
	return finder.New(finder.Options{Record: r, Index: newIndex(t, d), Open: newIndex(t, d), Embedder: e})
}

func base() []entry {
	return []entry{
		{id: "deal-owner", text: "Как изменить ответственного по сделке?", answer: "Карточка сделки → «Ответственный».", aliases: []string{"переназначить сделку"}},
		{id: "deal-observer", text: "Как добавить наблюдателя в сделку?", answer: "Карточка сделки → «Наблюдатели»."},
		{id: "deal-new", text: "Как создать сделку?", answer: "«Сделки» → «Новая сделка»."},
		{id: "contact-owner", text: "Как изменить ответственного за контакт?", answer: "Карточка контакта → «Ответственный»."},
		{id: "vacation", text: "Как оформить отпуск?", answer: "Раздел «Кадры»."},
		{id: "password", text: "Как сменить пароль?", answer: "Профиль → «Безопасность»."},
	}
}

// first is the id of what a text finds first, "" for nothing.
func first(t testing.TB, f *finder.Finder, text string) string {
	t.Helper()
	found, err := f.Find(t.Context(), knowledge.Inquiry{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Matches) == 0 {
		return ""
	}
	return found.Matches[0].ID
}

func eachEmbedder(t *testing.T, test func(t *testing.T, e knowledge.Embedder)) {
	t.Run("words only", func(t *testing.T) { test(t, nil) })
	t.Run("with vectors", func(t *testing.T) { test(t, &words{}) })
}

func TestFindFollowsWhatAnotherProcessWrites(t *testing.T) {
	eachEmbedder(t, func(t *testing.T, e knowledge.Embedder) {
		dir := t.TempDir()
		ours, theirs := openRecord(t, dir), openRecord(t, dir)
		f := newFinder(t, ours, e)
		if got := first(t, f, "Как оформить отпуск?"); got != "" {
			t.Fatalf("an empty base finds %q", got)
		}
		theirs.put(base()...)
		found, err := f.Find(t.Context(), knowledge.Inquiry{Text: "Как оформить отпуск?"})
		if err != nil || found.Decision != knowledge.DecisionAnswer || found.Page == nil || found.Page.Answer != "Раздел «Кадры»." {
			t.Fatalf("a new entry: %+v, %v", found, err)
		}
		// Another version of the answer, another wording, another text.
		theirs.put(entry{id: "vacation", text: "Как оформить отпуск?", answer: "У Ольги.", aliases: []string{"хочу отдохнуть на море"}})
		if p, err := f.Show(t.Context(), "vacation", nil); err != nil || p.Answer != "У Ольги." {
			t.Errorf("a new version: %+v, %v", p, err)
		}
		if got := first(t, f, "хочу отдохнуть на море"); got != "vacation" {
			t.Errorf("a new wording finds %q", got)
		}
		// Taken out of the base, and put back.
		theirs.set("vacation", func(q *knowledge.Question) { q.Status, q.Closed = knowledge.Unanswered, knowledge.AnsweredPrivately })
		if got := first(t, f, "Как оформить отпуск?"); got == "vacation" {
			t.Error("an entry that was taken out is found")
		}
		if _, err := f.Show(t.Context(), "vacation", nil); !errors.Is(err, knowledge.ErrNotFound) {
			t.Errorf("an entry that was taken out is shown: %v", err)
		}
		theirs.set("vacation", func(q *knowledge.Question) { q.Status, q.Closed = knowledge.FAQ, knowledge.NotClosed })
		if got := first(t, f, "Как оформить отпуск?"); got != "vacation" {
			t.Errorf("an entry that was put back finds %q", got)
		}
	})
}

func TestSyncFollowsMoreChangesThanOneStepTakes(t *testing.T) {
	dir := t.TempDir()
	ours, theirs := openRecord(t, dir), openRecord(t, dir)
	f := newFinder(t, ours, nil)
	theirs.put(base()...)
	if err := f.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	var many []entry
	for i := range 4_500 {
		many = append(many, entry{id: fmt.Sprint("e", i), text: fmt.Sprintf("Что значит ошибка номер %d?", i), answer: fmt.Sprint("Ответ ", i)})
	}
	theirs.put(many...)
	for _, i := range []int{0, 1_999, 2_000, 4_499} {
		if got := first(t, f, fmt.Sprintf("Что значит ошибка номер %d?", i)); got != fmt.Sprint("e", i) {
			t.Errorf("entry %d is not followed: %q", i, got)
		}
	}
}

// stale is an index that has not heard yet that questions are gone.
type stale struct {
	knowledge.Index
	gone []knowledge.VectorHit
	err  error
}

func (s *stale) Nearest(ctx context.Context, p knowledge.Probe) ([]knowledge.VectorHit, error) {
	if s.err != nil {
		return nil, s.err
	}
	hits, err := s.Index.Nearest(ctx, p)
	return append(slices.Clone(s.gone), hits...), err
}

func TestWhatTheRecordNoLongerHasIsNotShown(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	index := &stale{Index: newIndex(t, dim)}
	for i := range 30 { // more than are checked against the record
		id := fmt.Sprint("gone", i)
		index.gone = append(index.gone, knowledge.VectorHit{Key: knowledge.AnswerKey(id), Kind: knowledge.QueryText, Question: id, Similarity: 1})
	}
	// One that is in the record, but has no answer to give.
	r.put(entry{id: "open", text: "Как получить пропуск?"})
	index.gone = append(index.gone, knowledge.VectorHit{Key: "x", Kind: knowledge.QueryText, Question: "open", Similarity: 1})
	f := finder.New(finder.Options{Record: r, Index: index, Open: newIndex(t, dim), Embedder: &words{}})
	found, err := f.Find(t.Context(), knowledge.Inquiry{Text: "Как оформить отпуск?"})
	if err != nil {
		t.Fatal(err)
	}
	if found.Decision == knowledge.DecisionAnswer && (found.Page == nil || found.Page.ID != "vacation" || found.Page.Answer == "") {
		t.Errorf("answered with %+v", found.Page)
	}
	for _, m := range found.Matches {
		if strings.HasPrefix(m.ID, "gone") || m.ID == "open" || m.Text == "" {
			t.Errorf("shown: %+v", m)
		}
	}
	if len(found.Matches) == 0 || found.Matches[0].ID != "vacation" {
		t.Errorf("the entry itself is not found first: %+v", found.Matches)
	}
	page, err := f.Show(t.Context(), "vacation", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range page.Related {
		if strings.HasPrefix(b.ID, "gone") || b.ID == "open" {
			t.Errorf("related: %+v", b)
		}
	}
}

func TestWithoutEmbedderOrIndexWordsDo(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	e := &words{}
	index := &stale{Index: newIndex(t, dim)}
	f := finder.New(finder.Options{Record: r, Index: index, Open: newIndex(t, dim), Embedder: e})
	e.broken.Store(true)
	if got := first(t, f, "Как оформить отпуск?"); got != "vacation" {
		t.Errorf("with a broken embedder: %q", got)
	}
	if p, err := f.Show(t.Context(), "vacation", nil); err != nil || p.Answer == "" {
		t.Errorf("with a broken embedder: %+v, %v", p, err)
	}
	if ok, err := f.Proves(t.Context(), "Как оформить отпуск?", "vacation"); err != nil || !ok {
		t.Errorf("with a broken embedder the proof is %v, %v", ok, err)
	}
	if err := f.IndexQuestions(t.Context(), []string{"vacation"}); !errors.Is(err, errBroken) {
		t.Errorf("indexing must be tried again, and yet: %v", err)
	}
	e.broken.Store(false)
	index.err = errors.New("the index is away")
	if got := first(t, f, "Как сменить пароль?"); got != "password" {
		t.Errorf("without an index: %q", got)
	}
	index.err = nil
	if err := f.IndexQuestions(t.Context(), []string{"vacation"}); err != nil {
		t.Errorf("it does not recover: %v", err)
	}
}

func TestACancelledSearchIsNoFinding(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	f := newFinder(t, r, &words{})
	if err := f.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if found, err := f.Find(ctx, knowledge.Inquiry{Text: "Как оформить отпуск?"}); err == nil {
		t.Errorf("found %+v", found)
	}
}

func TestIndexQuestionsEmbedsEachTextOnce(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	e := &words{}
	f := newFinder(t, r, e)
	all, err := f.Backlog(t.Context())
	if err != nil || len(all) != len(base()) {
		t.Fatalf("backlog %q, %v", all, err)
	}
	const texts = 6 + 1 + 6 // questions, an alias, answers
	for range 3 {
		if err := f.IndexQuestions(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		if n := e.embedded.Load(); n != texts {
			t.Fatalf("%d texts were embedded, want %d", n, texts)
		}
	}
	if left, err := f.Backlog(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("backlog %q, %v", left, err)
	}
	// A new version of an answer is one text; the version before is still there.
	r.put(entry{id: "vacation", text: "Как оформить отпуск?", answer: "У Ольги."})
	for _, answer := range []string{"Раздел «Кадры».", "У Ольги."} {
		if err := f.IndexQuestions(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		r.put(entry{id: "vacation", text: "Как оформить отпуск?", answer: answer})
	}
	if n := e.embedded.Load(); n != texts+1 {
		t.Errorf("%d texts were embedded, want %d", n, texts+1)
	}
	// Another finder, as another process has it, embeds nothing again.
	again := newFinder(t, r, e)
	if left, err := again.Backlog(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("backlog of another process: %q, %v", left, err)
	}
	if err := f.IndexQuestions(t.Context(), []string{"nowhere"}); err != nil {
		t.Errorf("a question that is gone: %v", err)
	}
}

func TestFindWithoutLeavesOneOut(t *testing.T) {
	eachEmbedder(t, func(t *testing.T, e knowledge.Embedder) {
		r := openRecord(t, t.TempDir())
		r.put(base()...)
		found, err := newFinder(t, r, e).Find(t.Context(), knowledge.Inquiry{Text: "Как изменить ответственного по сделке?", Without: "deal-owner"})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range found.Matches {
			if m.ID == "deal-owner" {
				t.Error("it is there")
			}
		}
		if found.Page != nil && found.Page.ID == "deal-owner" {
			t.Error("it is the answer")
		}
	})
}

func TestFindOpen(t *testing.T) {
	eachEmbedder(t, func(t *testing.T, e knowledge.Embedder) {
		r := openRecord(t, t.TempDir())
		r.put(base()...)
		r.put(entry{id: "pass", text: "где получить пропуск на парковку"}, entry{id: "mine", text: "где получить пропуск на парковку?"})
		f := newFinder(t, r, e)
		open := func(text, own string) string {
			t.Helper()
			b, err := f.FindOpen(t.Context(), text, own)
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				return ""
			}
			return b.ID
		}
		if got := open("Где получить пропуск на парковку?", "mine"); got != "pass" {
			t.Errorf("the same words find %q", got)
		}
		if got := open("Как оформить отпуск?", ""); got != "" {
			t.Errorf("an answered question is open: %q", got)
		}
		if got := open("сколько стоит обед в столовой", ""); got != "" {
			t.Errorf("something else finds %q", got)
		}
		r.set("pass", func(q *knowledge.Question) { q.Status = knowledge.Unanswered })
		if got := open("где получить пропуск на парковку", "mine"); got != "" {
			t.Errorf("a question that is at no senior's: %q", got)
		}
		r.set("pass", func(q *knowledge.Question) { q.Closed = knowledge.Cancelled })
		if got := open("где получить пропуск на парковку", "mine"); got != "" {
			t.Errorf("a closed question: %q", got)
		}
	})
}

func TestRelatedLeavesOutWhatWasSeen(t *testing.T) {
	eachEmbedder(t, func(t *testing.T, e knowledge.Embedder) {
		r := openRecord(t, t.TempDir())
		r.put(base()...)
		f := newFinder(t, r, e)
		if err := f.IndexQuestions(t.Context(), []string{"deal-owner", "deal-observer", "deal-new", "contact-owner"}); err != nil {
			t.Fatal(err)
		}
		page, err := f.Show(t.Context(), "deal-owner", nil)
		if err != nil || len(page.Related) == 0 || len(page.Related) > 3 {
			t.Fatalf("%+v, %v", page.Related, err)
		}
		seen := []string{page.Related[0].ID}
		again, err := f.Show(t.Context(), "deal-owner", seen)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range again.Related {
			if b.ID == seen[0] || b.ID == "deal-owner" {
				t.Errorf("%s is offered again", b.ID)
			}
		}
	})
}

func TestProvesIndexesFirst(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	e := &words{}
	f := newFinder(t, r, e)
	if ok, err := f.Proves(t.Context(), "Как оформить отпуск?", "vacation"); err != nil || !ok {
		t.Errorf("%v, %v", ok, err)
	}
	if left, err := f.Backlog(t.Context()); err != nil || slices.Contains(left, "vacation") {
		t.Errorf("its vectors are not there: %q, %v", left, err)
	}
	if ok, err := newFinder(t, r, nil).Proves(t.Context(), "xyzzy plugh", "vacation"); err != nil || ok {
		t.Errorf("other words prove it: %v, %v", ok, err)
	}
}

// TestConcurrentUse searches, writes and indexes at once; the race detector and
// the consistency of each finding judge.
func TestConcurrentUse(t *testing.T) {
	dir := t.TempDir()
	ours, theirs := openRecord(t, dir), openRecord(t, dir)
	ours.put(base()...)
	f := newFinder(t, ours, &words{})
	const rounds = 12
	var wg sync.WaitGroup
	var written atomic.Bool
	for w := range 4 {
		wg.Go(func() {
			for i := 0; !written.Load(); i++ {
				e := base()[(w+i)%len(base())]
				found, err := f.Find(t.Context(), knowledge.Inquiry{Text: e.text})
				if err != nil {
					t.Errorf("find: %v", err)
					return
				}
				// Also while another search takes in a change of this very entry.
				if len(found.Matches) == 0 || found.Matches[0].ID != e.id {
					t.Errorf("%q finds %+v", e.text, found.Matches)
				}
				if found.Page != nil && found.Page.Answer == "" {
					t.Errorf("%q is answered with nothing: %+v", e.text, found)
				}
				if _, err := f.FindOpen(t.Context(), e.text, ""); err != nil {
					t.Errorf("find open: %v", err)
				}
			}
		})
	}
	wg.Go(func() {
		defer written.Store(true)
		for i := range rounds {
			changed := base()
			for j := range changed {
				changed[j].answer = fmt.Sprint("Версия ", i)
			}
			for j := range 100 {
				changed = append(changed, entry{id: fmt.Sprint("new", j), text: fmt.Sprint("Новое слово ", j), answer: fmt.Sprint("Версия ", i)})
			}
			theirs.put(changed...)
		}
	})
	wg.Go(func() {
		for range rounds {
			ids, err := f.Backlog(t.Context())
			if err == nil {
				err = f.IndexQuestions(t.Context(), ids)
			}
			if err != nil {
				t.Errorf("index: %v", err)
				return
			}
		}
	})
	wg.Wait()
	if p, err := f.Show(t.Context(), "vacation", nil); err != nil || p.Answer != fmt.Sprint("Версия ", rounds-1) {
		t.Errorf("in the end %+v, %v", p, err)
	}
}
