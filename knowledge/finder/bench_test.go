//go:build !race

package finder_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
)

// instant is an embedder of the built-in one's size that takes no time: its
// vectors are drawn by the text's hash.
type instant struct{}

const instantDim = 384

func (instant) Name() string { return "instant" }
func (instant) Dim() int     { return instantDim }

func (instant) Embed(_ context.Context, kind knowledge.EmbedKind, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = drawn(knowledge.TextHash(kind, text))
	}
	return out, nil
}

// drawn returns a vector of length 1. All of them lie around one middle, as those
// of embedders do: their cosines are about 0.8.
func drawn(hash string) []float32 {
	seed := binary.LittleEndian.Uint64([]byte(hash))
	r := rand.New(rand.NewPCG(seed, 1))
	v := make([]float32, instantDim)
	var sum float64
	for j := range v {
		x := float64(j%2*2-1) + r.Float64()*2 - 1
		v[j] = float32(x)
		sum += x * x
	}
	for j := range v {
		v[j] /= float32(math.Sqrt(sum))
	}
	return v
}

// drawing is a record whose questions all have their vectors: storing those of a
// large base would take the most of a benchmark's time.
type drawing struct{ record }

func (d drawing) View(ctx context.Context, fn func(knowledge.Tx) error) error {
	return d.record.View(ctx, func(tx knowledge.Tx) error { return fn(drawingTx{tx}) })
}

type drawingTx struct{ knowledge.Tx }

func (drawingTx) Embeddings(_ context.Context, _ string, hashes []string) (map[string][]float32, error) {
	out := make(map[string][]float32, len(hashes))
	for _, hash := range hashes {
		out[hash] = drawn(hash)
	}
	return out, nil
}

// manyEntries makes n different questions of a CRM, each with aliases more
// wordings, and answers of a usual length.
func manyEntries(n, aliases int) []entry {
	verbs := []string{"создать", "изменить", "удалить", "найти", "восстановить", "передать", "закрыть", "выгрузить", "скопировать", "объединить", "напечатать", "отправить", "согласовать", "перенести", "отменить", "проверить", "скрыть", "подключить", "настроить", "оплатить"}
	things := []string{"сделку", "контакт", "счёт", "задачу", "звонок", "письмо", "отчёт", "договор", "компанию", "воронку", "шаблон", "встречу", "заявку", "скидку", "возврат", "чек", "акт", "пропуск", "отпуск", "доступ", "роль", "фильтр", "тег", "комментарий", "файл"}
	where := []string{"в списке", "с телефона", "за прошлый месяц", "для нового сотрудника", "без прав администратора", "в архиве", "по почте", "из таблицы", "вручную", "для филиала", "во время отпуска", "в тестовой папке", "после оплаты", "до согласования", "с ошибкой", "по ссылке", "на планшете", "в календаре", "для партнёра", "с другим ответственным"}
	out := make([]entry, 0, n)
	for i := range n {
		v, th, w := verbs[i%len(verbs)], things[i/len(verbs)%len(things)], where[i/len(verbs)/len(things)%len(where)]
		if part := i / len(verbs) / len(things) / len(where); part > 0 {
			w += fmt.Sprint(" в разделе ", part)
		}
		e := entry{
			id:     fmt.Sprint("e", i),
			text:   fmt.Sprintf("Как %s %s %s?", v, th, w),
			answer: strings.Repeat(fmt.Sprintf("Откройте раздел, выберите %s и нажмите кнопку «%s»; %s это делается так же. ", th, v, w), 3),
		}
		for a := range aliases {
			e.aliases = append(e.aliases, fmt.Sprintf("не получается %s %s %s, вариант %d", v, th, w, a+1))
		}
		out = append(out, e)
	}
	return out
}

// fill stores entries with the vectors of an embedder.
func fill(b *testing.B, r record, entries []entry, e knowledge.Embedder) *finder.Finder {
	b.Helper()
	for part := range slices.Chunk(entries, 500) {
		r.put(part...)
	}
	f := newFinder(b, r, e)
	ids, err := f.Backlog(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for part := range slices.Chunk(ids, 50) {
		if err := f.IndexQuestions(b.Context(), part); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Sync(b.Context()); err != nil {
		b.Fatal(err)
	}
	return f
}

// BenchmarkFind searches 10,000 and 100,000 phrasings, two of each question, and the
// answers, by words and vectors, and reads what is shown from SQLite; the embedder
// takes no time. It reports the median and the 99th percentile of a search whose
// result is a list, and of one that gives an answer with what is related to it.
func BenchmarkFind(b *testing.B) {
	for _, phrasings := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(phrasings), func(b *testing.B) {
			r := openRecord(b, b.TempDir())
			entries := manyEntries(phrasings/2, 1)
			for part := range slices.Chunk(entries, 500) {
				r.put(part...)
			}
			f := finder.New(finder.Options{Record: drawing{r}, Index: newIndex(b, instantDim), Open: newIndex(b, instantDim), Embedder: instant{}})
			if err := f.Sync(b.Context()); err != nil {
				b.Fatal(err)
			}
			texts := []string{
				"как сменить ответственного в сделке", "не могу удалить контакт с телефона", "выгрузить отчёт за прошлый месяц по почте",
				"rfr cjplfnm pflfxe", "где взять пропуск для нового сотрудника", "восстановить файл", "kak nastroit shablon pisma", "почему не проходит оплата по ссылке у клиента с другим ответственным",
			}
			b.Run("list", func(b *testing.B) {
				benchmarkFind(b, f, func(i int) string {
					// A new text each time: what has been asked before is remembered.
					return fmt.Sprintf("%s %d", texts[i%len(texts)], i)
				})
			})
			b.Run("answer", func(b *testing.B) {
				benchmarkFind(b, f, func(i int) string { return entries[i*7%len(entries)].text })
			})
		})
	}
}

// benchmarkFind searches for one text after another.
func benchmarkFind(b *testing.B, f *finder.Finder, text func(i int) string) {
	b.Helper()
	var took []time.Duration
	for b.Loop() {
		t := text(len(took))
		began := time.Now()
		if _, err := f.Find(b.Context(), knowledge.Inquiry{Text: t}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1e3, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1e3, "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkStart opens a data folder with 10,000 questions and their vectors
// until they can be searched.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	fill(b, openRecord(b, dir), manyEntries(10_000, 0), instant{})
	for b.Loop() {
		r := openRecord(b, dir)
		f := newFinder(b, r, instant{})
		if err := f.Sync(b.Context()); err != nil {
			b.Fatal(err)
		}
		if got, err := f.Find(b.Context(), knowledge.Inquiry{Text: "Как создать сделку в списке?"}); err != nil || len(got.Matches) == 0 {
			b.Fatal(got, err)
		}
	}
}

// BenchmarkIndex embeds questions with their answers by the built-in embedder,
// as after an import of what is new.
func BenchmarkIndex(b *testing.B) {
	path, err := e5.Find("", "")
	if err != nil {
		b.Skip(err)
	}
	m, err := e5.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	const questions = 40
	for b.Loop() {
		b.StopTimer()
		r := openRecord(b, b.TempDir())
		r.put(manyEntries(questions, 0)...)
		f := newFinder(b, r, model{m.Informed()})
		ids, err := f.Backlog(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := f.IndexQuestions(b.Context(), ids); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(questions*float64(b.N)/b.Elapsed().Seconds(), "questions/s")
}
