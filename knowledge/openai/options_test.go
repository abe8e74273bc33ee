package openai_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/openai"
)

func TestOptionsThatCannotBeUsed(t *testing.T) {
	good := openai.Options{URL: "https://vectors.example/v1", Query: "m", Dim: 3}
	for name, change := range map[string]func(*openai.Options){
		"no address":                func(o *openai.Options) { o.URL = "" },
		"no scheme":                 func(o *openai.Options) { o.URL = "vectors.example/canary" },
		"another scheme":            func(o *openai.Options) { o.URL = "ftp://vectors.example/canary" },
		"no host":                   func(o *openai.Options) { o.URL = "https:///canary" },
		"not an address":            func(o *openai.Options) { o.URL = "https://vectors.example:canary/" },
		"a password in the address": func(o *openai.Options) { o.URL = "https://user:canary@vectors.example/v1" },
		"a query in the address":    func(o *openai.Options) { o.URL = "https://vectors.example/v1?key=canary" },
		"a fragment":                func(o *openai.Options) { o.URL = "https://vectors.example/v1#canary" },
		"no model":                  func(o *openai.Options) { o.Query = "" },
		"a key of two lines":        func(o *openai.Options) { o.Key = "canary\r\nX-Admin: 1" },
		"a negative dimension":      func(o *openai.Options) { o.Dim = -1 },
		"a negative batch":          func(o *openai.Options) { o.Batch = -1 },
		"a negative time":           func(o *openai.Options) { o.Timeout = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			change(&o)
			_, err := openai.New(t.Context(), o)
			if !errors.Is(err, knowledge.ErrInvalid) || strings.Contains(err.Error(), "canary") {
				t.Error(err)
			}
			if strings.Contains(o.String()+o.GoString()+o.LogValue().String(), "canary") {
				t.Errorf("shown as %v", o)
			}
		})
	}
	if _, err := openai.New(t.Context(), good); err != nil {
		t.Error(err)
	}
}

// TestAddresses: people give the address as their server's documentation has it.
func TestAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"":                          "/v1/embeddings",
		"/":                         "/v1/embeddings",
		"/v1":                       "/v1/embeddings",
		"/v1/":                      "/v1/embeddings",
		"/v1/embeddings":            "/v1/embeddings",
		"/v1/embeddings/":           "/v1/embeddings",
		"/openai/deployments/x/v1":  "/openai/deployments/x/v1/embeddings",
		"/embeddings":               "/v1/embeddings",
		"/company/llm//v1":          "/company/llm//v1/embeddings",
		"/%D0%B2%D0%B5%D0%BA%D1%82": "/%D0%B2%D0%B5%D0%BA%D1%82/embeddings",
	} {
		var got string
		o := serve(t, func(w http.ResponseWriter, r *http.Request) {
			got = r.URL.EscapedPath()
			body(one)(w, r)
		})
		o.URL += address
		if _, err := open(t, o).Embed(t.Context(), knowledge.QueryText, []string{"отпуск"}); err != nil || got != want {
			t.Errorf("%q is asked at %q: %v", address, got, err)
		}
	}
}

// TestNameIsWhatChangesVectors: two embedders have the same name exactly if their
// vectors may be compared.
func TestNameIsWhatChangesVectors(t *testing.T) {
	text := rapid.SampledFrom([]string{"", "a", "b", "a+b", "a/3", "query: "})
	options := rapid.Custom(func(t *rapid.T) openai.Options {
		return openai.Options{
			URL: rapid.SampledFrom([]string{"http://127.0.0.1:1", "http://127.0.0.2/v1"}).Draw(t, "url"), Key: text.Draw(t, "key"),
			Query: "m" + text.Draw(t, "query"), Passage: text.Draw(t, "passage"), Served: text.Draw(t, "served"),
			QueryPrefix: text.Draw(t, "query prefix"), PassagePrefix: text.Draw(t, "passage prefix"),
			Dim: rapid.IntRange(1, 3).Draw(t, "dim"), MaxChars: rapid.SampledFrom([]int{0, openai.DefaultMaxChars, 3}).Draw(t, "chars"),
			Batch: rapid.IntRange(0, 3).Draw(t, "batch"),
		}
	})
	same := func(o openai.Options) openai.Options {
		o.URL, o.Key, o.Batch = "", "", 0
		if o.Passage == "" {
			o.Passage = o.Query
		}
		if o.MaxChars == 0 {
			o.MaxChars = openai.DefaultMaxChars
		}
		return o
	}
	name := func(t *rapid.T, o openai.Options) string {
		e, err := openai.New(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		return e.Name()
	}
	rapid.Check(t, func(t *rapid.T) {
		a, other := options.Draw(t, "a"), options.Draw(t, "other")
		b := a // but for one thing, or they would hardly ever be the same
		[]func(){
			func() { b.URL, b.Key, b.Batch = other.URL, other.Key, other.Batch },
			func() { b.Query = other.Query },
			func() { b.Passage = other.Passage },
			func() { b.Query, b.Passage = other.Query, other.Passage },
			func() { b.Served = other.Served },
			func() { b.QueryPrefix = other.QueryPrefix },
			func() { b.PassagePrefix = other.PassagePrefix },
			func() { b.QueryPrefix, b.PassagePrefix = b.PassagePrefix, b.QueryPrefix },
			func() { b.Dim = other.Dim },
			func() { b.MaxChars = other.MaxChars },
		}[rapid.IntRange(0, 9).Draw(t, "what")]()
		x, y := same(a), same(b)
		if (name(t, a) == name(t, b)) != (x.String() == y.String() && x.Served == y.Served && x.QueryPrefix == y.QueryPrefix &&
			x.PassagePrefix == y.PassagePrefix && x.MaxChars == y.MaxChars) {
			t.Errorf("%s and %s", name(t, a), name(t, b))
		}
	})
}

func TestNameOfTheUsual(t *testing.T) {
	for want, o := range map[string]openai.Options{
		"openai/text-embedding-3-small/1536": {Query: "text-embedding-3-small", Dim: 1536},
		"openai/e5-query+e5-passage/384":     {Query: "e5-query", Passage: "e5-passage", Dim: 384},
	} {
		o.URL = "https://vectors.example"
		if e := open(t, o); e.Name() != want {
			t.Errorf("%s, want %s", e.Name(), want)
		}
	}
}
