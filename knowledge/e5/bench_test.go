package e5

import (
	"strings"
	"testing"
)

// These run with the real model, see needModel. The command e5bench compares with the original engine.

const (
	// benchQuestion has 12 pieces; with the prefix, <s> and </s> the network reads 17 tokens.
	benchQuestion = "Как мне сменить ответственного за сделку клиента?"
	benchSentence = "Откройте карточку сделки, справа нажмите на имя ответственного и выберите коллегу. "
)

func benchmark(b *testing.B, texts ...string) {
	b.Helper()
	model := needModel(b)
	for _, k := range availableKernels() {
		b.Run(k.name, func(b *testing.B) {
			m := model.withKernels(k)
			b.ReportAllocs()
			for b.Loop() {
				embed(b, m, texts...)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N*len(texts)), "ms/text")
		})
	}
}

// BenchmarkEmbed12Tokens embeds a question as a newcomer asks it.
func BenchmarkEmbed12Tokens(b *testing.B) { benchmark(b, benchQuestion) }

// BenchmarkEmbedPassage embeds an answer of about 600 characters.
func BenchmarkEmbedPassage(b *testing.B) { benchmark(b, strings.Repeat(benchSentence, 7)) }

// BenchmarkEmbedBatch embeds 64 questions at a time, on all processors.
func BenchmarkEmbedBatch(b *testing.B) {
	texts := make([]string, 64)
	for i := range texts {
		texts[i] = strings.Repeat("ну ", i%8) + benchQuestion
	}
	benchmark(b, texts...)
}

// BenchmarkOpen loads the model from its file.
func BenchmarkOpen(b *testing.B) {
	needModel(b)
	path, err := realModelPath()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Open(path); err != nil {
			b.Fatal(err)
		}
	}
}
