package openai_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/openai"
)

// FuzzResponse: whatever a server sends, there are vectors of length 1 in the right
// number and dimension, or an error of this package.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{
		two, one, `{}`, `[]`, `null`, `{"data":null}`, `{"data":[null,null]}`, `{"model":1,"data":{}}`,
		`{"data":[{"index":"0","embedding":["1",null]},{"index":1.5,"embedding":[true,{}]}]}`,
		`{"data":[{"index":0,"embedding":[1e999,0]},{"index":1,"embedding":[1e308,1e308]}]}`,
		`{"data":[{"embedding":"AACAPwAAAAA="},{"embedding":"AAAAAAAAgD8"}]}`,
	} {
		f.Add(200, []byte(seed))
		f.Add(400, []byte(seed))
	}
	f.Add(500, []byte(`{"error":{"code":"x","message":"y"}}`))
	var code atomic.Int64
	var text atomic.Value
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(int(code.Load()))
		_, _ = w.Write(text.Load().([]byte))
	}))
	f.Cleanup(s.Close)
	e, err := openai.New(f.Context(), openai.Options{URL: s.URL, Query: "m", Dim: 2, Retries: -1, Pause: time.Nanosecond})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			status = 200
		}
		code.Store(int64(status))
		text.Store(body)
		got, err := e.Embed(t.Context(), knowledge.QueryText, []string{"a", "b"})
		if err != nil {
			for _, known := range []error{knowledge.ErrAway, openai.ErrRefused, openai.ErrModel, openai.ErrDimension, openai.ErrRejected, openai.ErrUnusable} {
				if errors.Is(err, known) {
					return
				}
			}
			t.Fatalf("an error of no kind: %v", err)
		}
		if fault := faultOf(got); fault != "" {
			t.Fatal(fault)
		}
	})
}

func faultOf(vectors [][]float32) string {
	if len(vectors) != 2 {
		return fmt.Sprintf("%d vectors", len(vectors))
	}
	for _, v := range vectors {
		if len(v) != 2 || math.Abs(math.Hypot(float64(v[0]), float64(v[1]))-1) > 1e-6 {
			return fmt.Sprint("vector ", v)
		}
	}
	return ""
}
