package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/internal/flaky"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5/e5test"
)

const (
	crowdOnPlatform = 200
	crowdWithin     = 10 * time.Second
)

// known are questions that the base answers, with what is in the answers.
func known() [][2]string {
	return [][2]string{
		{"Как оформить отпуск?", "Раздел «Кадры»"}, {"Как добавить наблюдателя в сделку?", "Наблюдатели"}, {"Где получить ноутбук?", "В отделе техники"},
		{"Где парковка для велосипедов?", "За корпусом"}, {"Как заказать пропуск для гостя?", "В приёмной"}, {"Где получить ключ от переговорной?", "У охраны"},
	}
}

// crowdVenues are the platforms with many people.
func crowdVenues() map[string]func(t testing.TB) venue {
	return map[string]func(t testing.TB) venue{
		"slack": func(t testing.TB) venue {
			var all []human
			for i := range crowdOnPlatform {
				all = append(all, newcomer(i))
			}
			return newSlackVenue(t, false, all...)
		},
		"telegram": func(t testing.TB) venue { return newTelegramVenue(t, false) },
	}
}

// Two hundred people ask within ten seconds: everybody gets the right answer, in their
// own thread. How long that takes is in the log, and decides nothing.
func TestACrowdOnAPlatform(t *testing.T) { // one after the other, or the figures mean nothing
	for name, at := range crowdVenues() {
		t.Run(name, func(t *testing.T) {
			took := crowded(t, at(t), crowdWithin)
			t.Logf("%d answers, own time: p50 %v, p95 %v, longest %v", len(took), took[len(took)/2], p95(took), took[len(took)-1])
		})
	}
}

// BenchmarkACrowdOnAPlatform is the same for figures. Limits of the platforms, which it
// does not wait for, are no part of them.
func BenchmarkACrowdOnAPlatform(b *testing.B) {
	for name, at := range crowdVenues() {
		b.Run(name, func(b *testing.B) {
			took := crowded(b, at(b), crowdWithin)
			b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
			b.ReportMetric(float64(p95(took).Milliseconds()), "p95-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func p95(sorted []time.Duration) time.Duration { return sorted[len(sorted)*95/100] }

// crowded has everybody ask once, and returns how long after that the bot sent each
// answer, sorted.
func crowded(t testing.TB, v venue, within time.Duration) (took []time.Duration) {
	t.Helper()
	c := newCLI(t)
	model := filepath.Join(t.TempDir(), "tiny.bin")
	if err := os.WriteFile(model, e5test.File().Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	c.env = []string{"NASTAVNIK_MODEL_OFF=false", "NASTAVNIK_MODEL_PATH=" + model}
	s := newStage(t, c, v).open()
	if slack, ok := v.(*slackVenue); ok {
		for i := range crowdOnPlatform {
			slack.dm(newcomer(i)) // which are there before anybody asks
		}
	}
	eventually(t, "the model is at work", func() bool { return s.c.count(`SELECT COUNT(*) FROM embeddings`) > 0 })
	asks := make([]sentAsk, crowdOnPlatform)
	each := time.NewTicker(within / crowdOnPlatform)
	defer each.Stop()
	for i := range asks {
		<-each.C
		asks[i].at = time.Now()
		asks[i].id = v.say(newcomer(i), "", known()[i%len(known())][0], nil)
	}
	eventually(t, "all questions are in", func() bool { return s.c.count(`SELECT COUNT(*) FROM inbox WHERE kind = 'said'`) >= len(asks) })
	s.quiet()
	replies := repliesOf(t, v)
	for i, ask := range asks {
		want := known()[i%len(known())][1]
		var right []reply
		for _, r := range replies[addressOf(v, newcomer(i))] {
			switch {
			case strings.Contains(r.text, want):
				right = append(right, r)
			case slices.ContainsFunc(known(), func(k [2]string) bool { return strings.HasPrefix(r.text, k[0]) }):
				t.Errorf("%s asked «%s» and was told %q", newcomer(i).name, known()[i%len(known())][0], r.text)
			}
			if v.platform() == "slack" && r.under != ask.id {
				t.Errorf("%s is answered beneath %q, want %q", newcomer(i).name, r.under, ask.id)
			}
		}
		if len(right) != 1 {
			t.Errorf("%s has %d answers", newcomer(i).name, len(right))
			continue
		}
		took = append(took, right[0].at.Sub(ask.at))
	}
	if len(took) == 0 {
		t.Fatal("nobody is answered")
	}
	slices.Sort(took)
	return took
}

// sentAsk is a question on its way.
type sentAsk struct {
	id string
	at time.Time
}

// reply is a message that the bot has sent.
type reply struct {
	text, under string
	at          time.Time
}

// addressOf is what the bot calls somebody's private chat when it sends.
func addressOf(v venue, h human) string {
	if slack, ok := v.(*slackVenue); ok {
		return slack.dm(h)
	}
	return fmt.Sprint(h.number)
}

// repliesOf are the messages that the bot has sent, by chat.
func repliesOf(t testing.TB, v venue) map[string][]reply {
	t.Helper()
	out := map[string][]reply{}
	for _, r := range proxyOf(v).Requests(sending(v)) {
		a, err := flaky.Request.Arguments(r)
		if err != nil {
			t.Fatal(err)
		}
		in := a.Values["channel"] + a.Values["chat_id"] // the one or the other
		out[in] = append(out[in], reply{text: a.Values["text"], under: a.Values["thread_ts"], at: r.At})
	}
	return out
}
