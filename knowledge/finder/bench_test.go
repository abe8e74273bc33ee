//go:build !race

package finder_test

import (
	"context"
	"fmt"
	"hash/fnv"
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
// vectors are drawn by the text.
type instant struct{}

const instantDim = 384

func (instant) Name() string { return "instant" }
func (instant) Dim() int     { return instantDim }

func (instant) Embed(_ context.Context, _ knowledge.EmbedKind, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		h := fnv.New64a()
		_, _ = h.Write([]byte(text))
		r := rand.New(rand.NewPCG(h.Sum64(), 1))
		v := make([]float32, instantDim)
		var sum float64
		for j := range v {
			x := r.NormFloat64()
			v[j] = float32(x)
			sum += x * x
		}
		for j := range v {
			v[j] /= float32(math.Sqrt(sum))
		}
		out[i] = v
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

// BenchmarkFind searches 10,000 phrasings of 5,000 questions (and their answers)
// by words and vectors, and reads what is shown from SQLite; the embedder takes
// no time. It reports the median and the 99th percentile of a search.
func BenchmarkFind(b *testing.B) {
	f := fill(b, openRecord(b, b.TempDir()), manyEntries(5_000, 1), instant{})
	texts := []string{
		"как сменить ответственного в сделке", "не могу удалить контакт с телефона", "выгрузить отчёт за прошлый месяц по почте",
		"rfr cjplfnm pflfxe", "где взять пропуск для нового сотрудника", "восстановить файл", "kak nastroit shablon pisma", "почему не проходит оплата по ссылке у клиента с другим ответственным",
	}
	var took []time.Duration
	for b.Loop() {
		for i, text := range texts {
			began := time.Now()
			// A new text each time: what has been asked before is remembered.
			if _, err := f.Find(b.Context(), knowledge.Inquiry{Text: fmt.Sprintf("%s %d", text, len(took)+i)}); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(began))
		}
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
		f := newFinder(b, r, model{m})
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
