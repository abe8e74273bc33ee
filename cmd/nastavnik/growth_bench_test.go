package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
)

// longVariable adds a million vectors to the sizes; make bench-long sets it.
const longVariable = "NASTAVNIK_TEST_BENCH_LONG"

// sizes are the numbers of questions that growth is measured at; each has two vectors.
func sizes() []int {
	s := []int{1_000, 10_000, 100_000}
	if os.Getenv(longVariable) != "" {
		s = append(s, 500_000)
	}
	return s
}

// scattered is an embedder under the built-in one's name that takes no time: a text's
// vector is random, always the same, and no two are alike.
type scattered struct{ model embedder }

func (s scattered) Name() string { return s.model.Name() }
func (s scattered) Dim() int     { return s.model.Dim() }

func (s scattered) Embed(_ context.Context, _ knowledge.EmbedKind, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		h := fnv.New64a()
		_, _ = h.Write([]byte(t))
		r := rand.New(rand.NewPCG(h.Sum64(), 1))
		v, sum := make([]float32, s.Dim()), 0.0
		for j := range v {
			x := r.NormFloat64()
			v[j], sum = float32(x), sum+x*x
		}
		for j := range v {
			v[j] /= float32(math.Sqrt(sum))
		}
		out[i] = v
	}
	return out, nil
}

// figures are what is measured at one size on one backend.
type figures struct {
	imported, indexed float64 // questions a second
	start             float64 // seconds until the first search, with everything stored
	p50, p99          float64 // ms of a search by one caller, its vector at hand
	eight             float64 // searches a second by eight callers
	memory            float64 // MB of a bot process
}

// BenchmarkGrowth shows how import, indexing, start and search grow with the base, on
// the embedded stores and on PostgreSQL with Milvus, the latter with its ratio to the
// former.
func BenchmarkGrowth(b *testing.B) {
	model := useModel(b)
	for _, n := range sizes() {
		var embedded figures
		for _, backend := range backends() {
			b.Run(fmt.Sprintf("%d/%s", n, backend), func(b *testing.B) {
				f := grow(b, backend, n, scattered{model})
				if backend == backends()[0] {
					embedded = f
				}
				for b.Loop() { // once is enough: all of it takes minutes
				}
				b.ReportMetric(f.imported, "imported/s")
				b.ReportMetric(f.indexed, "indexed/s")
				b.ReportMetric(f.start, "s-start")
				b.ReportMetric(f.p50, "ms-p50")
				b.ReportMetric(f.p99, "ms-p99")
				b.ReportMetric(f.eight, "searches/s-of-8")
				b.ReportMetric(f.memory, "MB-bot")
				b.ReportMetric(f.imported/embedded.imported, "import-ratio")
				b.ReportMetric(f.p50/embedded.p50, "p50-ratio")
				b.ReportMetric(f.eight/embedded.eight, "8-ratio")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func grow(b *testing.B, backend string, n int, e scattered) (f figures) {
	b.Helper()
	a := openBackend(b, backend, e)
	f.imported, f.indexed = a.fill(b, n)
	f.start = seconds(b, func() error {
		a.find = a.searcher(b)
		_, err := a.find.Find(b.Context(), knowledge.Inquiry{Text: "как выгрузить отчёт в разделе 7"})
		return err
	})
	f.p50, f.p99 = latency(b, a.find, n)
	f.eight = throughput(b, a.find, n)
	a.find = nil
	f.memory = float64(a.botMemory(b))
	return f
}

// botMemory starts a bot on the same stores, and returns its resident set in MB.
func (a *app) botMemory(b *testing.B) int {
	b.Helper()
	for _, kv := range a.environ {
		name, value, _ := strings.Cut(kv, "=")
		b.Setenv(name, value)
	}
	bot := startBot(b, a.cfg.Data)
	defer bot.kill()
	return residentMB(b, bot.cmd.Process.Pid, "VmRSS:")
}

func seconds(b *testing.B, fn func() error) float64 {
	b.Helper()
	began := time.Now()
	if err := fn(); err != nil {
		b.Fatal(err)
	}
	return time.Since(began).Seconds()
}

// asked is one of the questions that people ask of manyQuestions.
func asked(i, n int) string {
	return fmt.Sprintf("подскажите как %s в разделе %d", []string{"выгрузить отчёт", "удалить контакт", "найти договор", "закрыть сделку"}[i%4], i*37%(n/100+1))
}

// latency searches one by one, and returns the median and the 99th percentile in
// milliseconds.
func latency(b *testing.B, f *finder.Finder, n int) (p50, p99 float64) {
	b.Helper()
	const searches = 400
	var took []float64
	for i := range searches {
		took = append(took, 1000*seconds(b, func() error {
			_, err := f.Find(b.Context(), knowledge.Inquiry{Text: asked(i, n)})
			return err
		}))
	}
	slices.Sort(took)
	return took[searches/2], took[searches*99/100]
}

// throughput searches by eight callers at once.
func throughput(b *testing.B, f *finder.Finder, n int) (perSecond float64) {
	b.Helper()
	const callers, searches = 8, 800
	var next atomic.Int64
	var wg sync.WaitGroup
	took := seconds(b, func() error {
		for range callers {
			wg.Go(func() {
				for i := next.Add(1); i <= searches; i = next.Add(1) {
					if _, err := f.Find(b.Context(), knowledge.Inquiry{Text: asked(int(i), n)}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		return nil
	})
	return searches / took
}
