package openai_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5"
	"github.com/nastavnik-bot/nastavnik/knowledge/openai"
)

// e5At are the options for the real server that tests start.
func e5At(url string) openai.Options {
	return openai.Options{
		URL: url, Query: devenv.EmbeddingQuery, Passage: devenv.EmbeddingPassage, Served: devenv.EmbeddingServed, Dim: 384,
		Timeout: time.Minute, // a busy machine is no fault of the server's; tests of faults say their own
		Pause:   time.Millisecond,
	}
}

func open(tb testing.TB, o openai.Options) *openai.Embedder {
	tb.Helper()
	e, err := openai.New(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// cosine of two vectors, which both must have length 1.
func cosine(tb testing.TB, a, b []float32) float64 {
	tb.Helper()
	if len(a) != len(b) {
		tb.Fatalf("%d and %d numbers", len(a), len(b))
	}
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	if aa < 0.9999 || aa > 1.0001 || bb < 0.9999 || bb > 1.0001 {
		tb.Errorf("squared lengths %v and %v, not 1", aa, bb)
	}
	return ab
}

// TestSameVectorsAsTheBuiltInEmbedder: who moves from the built-in model to the same
// one on a server must find the same.
func TestSameVectorsAsTheBuiltInEmbedder(t *testing.T) {
	url := devenv.EmbeddingServer(t)
	path, err := e5.Find("", "")
	if errors.Is(err, e5.ErrNoModel) && os.Getenv("CI") != "true" {
		t.Skip("no embedding model: run make model")
	}
	if err != nil {
		t.Fatal(err)
	}
	builtIn, err := e5.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	o := e5At(url)
	o.Dim = 0
	e := open(t, o)
	if e.Dim() != 384 || e.Name() != open(t, e5At(url)).Name() {
		t.Errorf("learned %d numbers, as %s", e.Dim(), e.Name())
	}
	texts := []string{
		"Как оформить отпуск?", "где взять справку 2-НДФЛ", "VPN не подключается из дома", "Кто согласует командировку",
		"пароль", "ПОМОГИТЕ!!! не работает почта", "How do I reset my password?", "vacation policy",
		"Заявление на отпуск подаётся в системе кадрового учёта не позднее чем за две недели до его начала.",
		"Ёлка, съезд, подъезд — и «кавычки»", "срочно 🙏", "CRM: сделка «зависла» в статусе new, что делать?",
	}
	for kind, expected := range map[knowledge.EmbedKind]func(context.Context, []string) ([][]float32, error){
		knowledge.QueryText: builtIn.EmbedQueries, knowledge.PassageText: builtIn.EmbedPassages,
	} {
		want, err := expected(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Embed(t.Context(), kind, texts)
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range texts {
			if c := cosine(t, got[i], want[i]); c < 0.999 {
				t.Errorf("%s %q: cosine %.5f", kind, text, c)
			}
		}
	}
}

func TestBatchesKeepTheOrder(t *testing.T) {
	o := e5At(devenv.EmbeddingServer(t))
	e := open(t, o)
	texts := make([]string, 200)
	for i := range texts {
		texts[i] = fmt.Sprintf("вопрос номер %d", i)
	}
	texts[70], texts[199] = "", " \n"
	all, err := e.Embed(t.Context(), knowledge.QueryText, texts)
	if err != nil || len(all) != len(texts) {
		t.Fatalf("%d vectors, %v", len(all), err)
	}
	for _, i := range []int{0, 1, 63, 64, 70, 127, 128, 198, 199} {
		one, err := e.Embed(t.Context(), knowledge.QueryText, texts[i:i+1])
		if err != nil {
			t.Fatal(err)
		}
		if c := cosine(t, one[0], all[i]); c < 0.9999 {
			t.Errorf("text %d has another's vector: cosine %.4f", i, c)
		}
	}
	if none, err := e.Embed(t.Context(), knowledge.QueryText, nil); err != nil || len(none) != 0 {
		t.Errorf("of no texts: %v, %v", none, err)
	}
}

// TestAnotherModelIsNoticed: vectors of different models cannot be compared, and
// nothing else would show it but a search that finds nonsense.
func TestAnotherModelIsNoticed(t *testing.T) {
	url := devenv.EmbeddingServer(t)
	swapped := devenv.PrivateEmbeddingServer(t, "--variant", "enpt")
	change := func(change func(*openai.Options)) openai.Options {
		o := e5At(url)
		change(&o)
		return o
	}
	for name, c := range map[string]struct {
		o    openai.Options
		want error
		says string
	}{
		"the server does not have the name":    {change(func(o *openai.Options) { o.Query, o.Served = "text-embedding-3-small", "" }), openai.ErrModel, devenv.EmbeddingServed},
		"the server calls it something else":   {change(func(o *openai.Options) { o.Served = "multilingual-e5-base" }), openai.ErrModel, "multilingual-e5-base"},
		"another model behind the same names":  {change(func(o *openai.Options) { o.URL = devenv.EmbeddingURL(swapped) }), openai.ErrModel, "portuguese"},
		"another dimension":                    {change(func(o *openai.Options) { o.Dim = 1536 }), openai.ErrDimension, "384"},
		"a path that the server does not have": {change(func(o *openai.Options) { o.URL += "/nowhere" }), openai.ErrModel, "…/v1"},
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t, c.o)
			_, err := e.Embed(t.Context(), knowledge.QueryText, []string{"отпуск"})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("embedding: %v", err)
			}
			if _, err := e.Check(t.Context()); !errors.Is(err, c.want) {
				t.Errorf("checking: %v", err)
			}
		})
	}
}

func TestCheckTellsTheVersion(t *testing.T) {
	e := open(t, e5At(devenv.EmbeddingServer(t)))
	if version, err := e.Check(t.Context()); err != nil || version != devenv.EmbeddingServed+"/384" {
		t.Errorf("%q, %v", version, err)
	}
}

// untilItWorks embeds until that succeeds, as searches do while people ask.
func untilItWorks(t *testing.T, e *openai.Embedder) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		_, err := e.Embed(t.Context(), knowledge.QueryText, []string{"снова"})
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not recover: %v", err)
		}
	}
}

// wantAway embeds and wants to hear, in the embedder's own time and not in that of
// ctx, that the server is away.
func wantAway(t *testing.T, e *openai.Embedder) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	vectors, err := e.Embed(ctx, knowledge.QueryText, []string{"отпуск"})
	if !errors.Is(err, knowledge.ErrAway) || errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		t.Errorf("%d vectors, %v", len(vectors), err)
	}
}

func TestServerThatIsKilledAndStartedAnew(t *testing.T) {
	server := devenv.PrivateEmbeddingServer(t)
	o := e5At(devenv.EmbeddingURL(server))
	o.Retries = 1
	e := open(t, o)
	many := make([]string, 2000)
	for i := range many {
		many[i] = fmt.Sprintf("Заявление номер %d подаётся не позднее чем за две недели", i)
	}
	result := make(chan error, 1)
	go func() {
		_, err := e.Embed(t.Context(), knowledge.PassageText, many)
		result <- err
	}()
	untilItWorks(t, e) // while the many are on their way
	server.Kill()
	if err := <-result; !errors.Is(err, knowledge.ErrAway) {
		t.Errorf("killed midway: %v", err)
	}
	wantAway(t, e)
	server.Start()
	untilItWorks(t, e)
}

// TestFaultsOfTheNetwork puts a proxy before the real server that does to connections
// what networks do.
func TestFaultsOfTheNetwork(t *testing.T) {
	upstream := strings.TrimSuffix(strings.TrimPrefix(devenv.EmbeddingServer(t), "http://"), "/v1")
	for name, c := range map[string]struct {
		toxic string
		works bool
	}{
		"latency":        {`{"type":"latency","attributes":{"latency":100,"jitter":20}}`, true},
		"bandwidth":      {`{"type":"bandwidth","attributes":{"rate":100}}`, true},
		"slow close":     {`{"type":"slow_close","attributes":{"delay":300}}`, true},
		"reset":          {`{"type":"reset_peer","attributes":{"timeout":0}}`, false},
		"blackhole":      {`{"type":"timeout","attributes":{"timeout":0}}`, false},
		"truncated body": {`{"type":"limit_data","attributes":{"bytes":1000}}`, false},
		"no body at all": {`{"type":"limit_data","attributes":{"bytes":0}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "embeddings", "127.0.0.1:0", upstream)
			if err := proxy.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(proxy.Stop)
			if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(c.toxic)); err != nil {
				t.Fatal(err)
			}
			o := e5At("http://" + proxy.Listen + "/v1")
			o.Retries = 1
			if !c.works {
				o.Timeout = time.Second
			}
			e := open(t, o)
			if c.works {
				if _, err := e.Embed(t.Context(), knowledge.QueryText, []string{"отпуск"}); err != nil {
					t.Error(err)
				}
				return
			}
			wantAway(t, e)
			proxy.Toxics.ResetToxics(t.Context())
			untilItWorks(t, e)
		})
	}
}
