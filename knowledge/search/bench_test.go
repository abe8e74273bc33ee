package search_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// synthetic makes a base whose words follow Zipf's law, as those of people do.
func synthetic(entries, answerWords int) []search.Entry {
	rng := rand.New(rand.NewPCG(1, 2))
	var syllables []string
	for _, c := range "бвгджзклмнпрстфхцчш" {
		for _, v := range "аеиоуыя" {
			syllables = append(syllables, string(c)+string(v), string(c)+string(v)+"н", "ст"+string(v)+string(c))
		}
	}
	vocabulary := make([]string, 20_000)
	for i := range vocabulary {
		for range 2 + rng.IntN(3) {
			vocabulary[i] += syllables[rng.IntN(len(syllables))]
		}
	}
	zipf := rand.NewZipf(rng, 1.1, 8, uint64(len(vocabulary)-1))
	text := func(n int) string {
		words := make([]string, n)
		for i := range words {
			words[i] = vocabulary[zipf.Uint64()]
		}
		return strings.Join(words, " ")
	}
	out := make([]search.Entry, entries)
	for i := range out {
		out[i] = search.Entry{ID: fmt.Sprint("q", i), Topic: fmt.Sprint(i % 20), Phrasings: []string{text(5 + rng.IntN(5))}, Answer: text(answerWords)}
	}
	return out
}

// nearOf stands in for a vector index that returns a hundred of each kind.
func nearOf(entries []search.Entry, i int) []search.Near {
	var near []search.Near
	for j := range 100 {
		id := entries[(i*31+j*17)%len(entries)].ID
		near = append(near, search.Near{Question: id, Similarity: 0.9 - float64(j)/1000}, search.Near{Question: id, Kind: search.Passage, Similarity: 0.85 - float64(j)/1000})
	}
	return near
}

func BenchmarkRank(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			entries := synthetic(n, 0)
			l := search.NewLexicon()
			l.Put(entries...)
			queries, near := make([]search.Query, 200), make([][]search.Near, 200)
			for i := range queries {
				words := strings.Fields(entries[i*7].Phrasings[0])
				queries[i] = search.Parse("как " + strings.Join(words[:len(words)-1], " ") + " быстро")
				near[i] = nearOf(entries, i)
			}
			took := make([]time.Duration, 0, 1<<16)
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				l.Rank(queries[i%len(queries)], near[i%len(queries)], weights())
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

func BenchmarkPut(b *testing.B) {
	entries := synthetic(10_000, 60)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var l *search.Lexicon
	for b.Loop() {
		l = search.NewLexicon()
		l.Put(entries...)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB")
	runtime.KeepAlive(l)
}

func BenchmarkParse(b *testing.B) {
	l := search.NewLexicon()
	l.Put(synthetic(10_000, 60)...)
	p := search.NewParser(search.ParserOptions{Vocabulary: l})
	for name, text := range map[string]string{
		"plain":    "Здравствуйте, как мне изменить ответственного по сделке?",
		"layout":   "rfr vyt bpvtybnm jndtncndtyyjuj gj cltkrt",
		"translit": "kak mne izmenit otvetstvennogo po sdelke",
		"long":     strings.Repeat("изминить ответственава ", 5000),
		"junk":     strings.Repeat("ъ,", 50_000),
		"latin":    strings.Repeat("zxcvb ", 17_000),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p.Parse(text)
			}
		})
	}
}
