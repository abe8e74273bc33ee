package openai_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/openai"
)

// serve starts a server that misbehaves as no real one can be told to.
func serve(tb testing.TB, handler http.HandlerFunc) openai.Options {
	tb.Helper()
	s := httptest.NewServer(handler)
	tb.Cleanup(s.Close)
	return openai.Options{URL: s.URL, Query: "m", Dim: 2, Timeout: time.Minute, Retries: -1, Pause: time.Millisecond}
}

func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, text)
	}
}

func status(code int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprint(w, text)
	}
}

// elsewhere redirects to a page that has what was asked for.
func elsewhere(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/elsewhere" {
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
		return
	}
	fmt.Fprint(w, two)
}

const two = `{"model":"m","data":[{"index":0,"embedding":[1,0]},{"index":1,"embedding":[0,1]}]}`

func TestResponses(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    error
	}{
		"in order":                 {body(two), nil},
		"out of order":             {body(`{"model":"m","data":[{"index":1,"embedding":[0,1]},{"index":0,"embedding":[1,0]}]}`), nil},
		"not numbered":             {body(`{"model":"m","data":[{"embedding":[1,0]},{"embedding":[0,1]}]}`), nil},
		"not of length 1":          {body(`{"model":"m","data":[{"index":0,"embedding":[1e300,0]},{"index":1,"embedding":[0,1e-300]}]}`), nil},
		"base64 all the same":      {body(`{"model":"m","data":[{"index":0,"embedding":"AACAPwAAAAA="},{"index":1,"embedding":"AAAAAAAAgD8="}]}`), nil},
		"a version of the model":   {body(strings.Replace(two, `"m"`, `"M-v2"`, 1)), nil},
		"the latest of the model":  {body(strings.Replace(two, `"m"`, `"m:latest"`, 1)), nil},
		"a model without a name":   {body(strings.Replace(two, `"m"`, `null`, 1)), nil},
		"called plain text":        {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, two) }, nil},
		"another model":            {body(strings.Replace(two, `"m"`, `"m-large"`, 1)), openai.ErrModel},
		"too few":                  {body(`{"model":"m","data":[{"index":0,"embedding":[1,0]}]}`), openai.ErrUnusable},
		"too many":                 {body(`{"model":"m","data":[{"index":0,"embedding":[1,0]},{"index":1,"embedding":[1,0]},{"index":2,"embedding":[1,0]}]}`), openai.ErrUnusable},
		"none":                     {body(`{"model":"m"}`), openai.ErrUnusable},
		"the same number twice":    {body(`{"model":"m","data":[{"index":0,"embedding":[1,0]},{"index":0,"embedding":[0,1]}]}`), openai.ErrUnusable},
		"a negative number":        {body(`{"model":"m","data":[{"index":-1,"embedding":[1,0]},{"index":0,"embedding":[0,1]}]}`), openai.ErrUnusable},
		"a number beyond":          {body(`{"model":"m","data":[{"index":0,"embedding":[1,0]},{"index":2,"embedding":[0,1]}]}`), openai.ErrUnusable},
		"zeros":                    {body(`{"model":"m","data":[{"index":0,"embedding":[0,0]},{"index":1,"embedding":[0,1]}]}`), openai.ErrUnusable},
		"NaN in base64":            {body(`{"model":"m","data":[{"index":0,"embedding":"AADAfwAAgD8="},{"index":1,"embedding":[0,1]}]}`), openai.ErrUnusable},
		"infinity in base64":       {body(`{"model":"m","data":[{"index":0,"embedding":"AACAfwAAgD8="},{"index":1,"embedding":[0,1]}]}`), openai.ErrUnusable},
		"NaN as Python writes it":  {body(`{"model":"m","data":[{"index":0,"embedding":[NaN,0]},{"index":1,"embedding":[0,1]}]}`), openai.ErrUnusable},
		"another length":           {body(`{"model":"m","data":[{"index":0,"embedding":[1,0,0]},{"index":1,"embedding":[0,1,0]}]}`), openai.ErrDimension},
		"no numbers":               {body(`{"model":"m","data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]}`), openai.ErrDimension},
		"a web page":               {body(`<html>Войдите в сеть</html>`), openai.ErrUnusable},
		"nothing":                  {body(``), openai.ErrUnusable},
		"a key that is not valid":  {status(http.StatusUnauthorized, `{"error":{"message":"no","code":"invalid_api_key"}}`), openai.ErrRefused},
		"a key without the right":  {status(http.StatusForbidden, `forbidden`), openai.ErrRefused},
		"a model it does not have": {status(http.StatusNotFound, `{"error":{"code":"model_not_found"}}`), openai.ErrModel},
		"the same, told by a code": {status(http.StatusBadRequest, `{"error":{"code":"model_not_found"}}`), openai.ErrModel},
		"a bad request":            {status(http.StatusBadRequest, `{"error":{"message":"no","type":"invalid_request_error","code":null}}`), openai.ErrRejected},
		"too large a request":      {status(http.StatusRequestEntityTooLarge, ``), openai.ErrRejected},
		"a redirect":               {elsewhere, openai.ErrRejected},
		"too many requests":        {status(http.StatusTooManyRequests, `{"error":{"code":"rate_limit_exceeded"}}`), knowledge.ErrAway},
		"a fault":                  {status(http.StatusInternalServerError, `{"error":{"code":"model_is_loading"}}`), knowledge.ErrAway},
		"an overload":              {status(http.StatusServiceUnavailable, `<html>`), knowledge.ErrAway},
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t, serve(t, c.handler))
			got, err := e.Embed(t.Context(), knowledge.QueryText, []string{"Первый", "Второй"})
			if !errors.Is(err, c.want) {
				t.Fatalf("%v", err)
			}
			if c.want == nil && (len(got) != 2 || got[0][0] != 1 || got[1][1] != 1) {
				t.Errorf("got %v", got)
			}
			if c.want != nil && !strings.HasPrefix(err.Error(), "сервер векторов http://127.0.0.1:") {
				t.Errorf("the error does not say which server, or not to an administrator: %v", err)
			}
		})
	}
}

// TestTooLongResponse: a server that never stops talking must not fill the memory.
func TestTooLongResponse(t *testing.T) {
	var sent atomic.Int64
	e := open(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		chunk := strings.Repeat(" ", 1<<16)
		for range 1 << 12 {
			n, err := fmt.Fprint(w, chunk)
			if err != nil {
				return
			}
			sent.Add(int64(n))
		}
	}))
	if _, err := e.Embed(t.Context(), knowledge.QueryText, []string{"отпуск"}); !errors.Is(err, openai.ErrUnusable) {
		t.Error(err)
	}
	if sent.Load() > 64<<20 {
		t.Errorf("%d bytes were read", sent.Load())
	}
}

// requests counts and times what a server is asked.
type requests struct {
	mu   sync.Mutex
	at   []time.Time
	last map[string]any
}

func (r *requests) note(request *http.Request) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = nil
	_ = json.NewDecoder(request.Body).Decode(&r.last)
	r.at = append(r.at, time.Now())
	return len(r.at)
}

func (r *requests) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.at)
}

const one = `{"model":"m","data":[{"index":0,"embedding":[1,0]}]}`

func TestRetries(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first    http.HandlerFunc // what the server does at first
		times    int              // how often
		requests int              // how many there are in all
		want     error
	}{
		"a fault that passes":         {status(http.StatusBadGateway, ``), 2, 3, nil},
		"a fault that lasts":          {status(http.StatusBadGateway, ``), 9, 4, knowledge.ErrAway},
		"too many requests":           {status(http.StatusTooManyRequests, ``), 1, 2, nil},
		"a connection that breaks":    {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 2, 3, nil},
		"a bad request":               {status(http.StatusBadRequest, ``), 9, 1, openai.ErrRejected},
		"a key that is not valid":     {status(http.StatusUnauthorized, ``), 9, 1, openai.ErrRefused},
		"a conflict":                  {status(http.StatusConflict, ``), 9, 1, openai.ErrRejected},
		"a response that is unusable": {body(`[]`), 9, 1, openai.ErrUnusable},
		"a server that wants to be asked, 4xx": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Should-Retry", "true")
			w.WriteHeader(http.StatusBadRequest)
		}, 9, 1, openai.ErrRejected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen requests
			o := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if seen.note(r) <= c.times {
					c.first(w, r)
					return
				}
				fmt.Fprint(w, one)
			})
			o.Retries = 3
			_, err := open(t, o).Embed(t.Context(), knowledge.QueryText, []string{"отпуск"})
			if !errors.Is(err, c.want) || seen.count() != c.requests {
				t.Errorf("after %d requests: %v", seen.count(), err)
			}
		})
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	var seen requests
	o := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch seen.note(r) {
		case 1:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case 2: // a date, two seconds ahead so that a whole one is left
			w.Header().Set("Retry-After", time.Now().Add(2*time.Second).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			fmt.Fprint(w, one)
		}
	})
	o.Retries = 3
	if _, err := open(t, o).Embed(t.Context(), knowledge.QueryText, []string{"отпуск"}); err != nil {
		t.Fatal(err)
	}
	for i, at := range seen.at[1:] {
		if gap := at.Sub(seen.at[i]); gap < 990*time.Millisecond {
			t.Errorf("asked again after %v", gap)
		}
	}
}

// TestServerThatWantsToBeLeftAlone: when the wait is longer than the time that there
// is, it is not waited for at all, nor is the server asked meanwhile.
func TestServerThatWantsToBeLeftAlone(t *testing.T) {
	var seen requests
	o := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if seen.note(r) > 1 {
			fmt.Fprint(w, one)
			return
		}
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	o.Retries = 3
	e := open(t, o)
	for range 20 {
		wantAway(t, e)
	}
	if seen.count() != 1 {
		t.Errorf("it was asked %d times", seen.count())
	}
	if _, err := e.Check(t.Context()); err != nil { // doctor asks all the same
		t.Error(err)
	}
	if _, err := e.Embed(t.Context(), knowledge.QueryText, []string{"отпуск"}); err != nil {
		t.Errorf("after a check that succeeded: %v", err)
	}
}

// TestCallerIsLeftTime: a search whose embedder hangs must have time to go on by words.
func TestCallerIsLeftTime(t *testing.T) {
	hang := make(chan struct{})
	o := serve(t, func(http.ResponseWriter, *http.Request) { <-hang })
	t.Cleanup(func() { close(hang) }) // before the server is closed, which waits for it
	e := open(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := e.Embed(ctx, knowledge.QueryText, []string{"отпуск"}); !errors.Is(err, knowledge.ErrAway) || ctx.Err() != nil {
		t.Errorf("%v, and the caller's time: %v", err, ctx.Err())
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := open(t, o).Embed(ctx, knowledge.QueryText, []string{"отпуск"}); !errors.Is(err, context.Canceled) || errors.Is(err, knowledge.ErrAway) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestIndexingMayTakeLonger: a server that is slow with many texts is not given up by
// those who ask one question.
func TestIndexingMayTakeLonger(t *testing.T) {
	hang := make(chan struct{})
	o := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var sent struct{ Input []string }
		_ = json.NewDecoder(r.Body).Decode(&sent)
		if len(sent.Input) > 1 {
			<-hang
		}
		fmt.Fprint(w, one)
	})
	t.Cleanup(func() { close(hang) })
	o.Timeout, o.Pause = 100*time.Millisecond, time.Hour
	e := open(t, o)
	begun := time.Now()
	if _, err := e.Embed(t.Context(), knowledge.PassageText, []string{"Первый", "Второй"}); !errors.Is(err, knowledge.ErrAway) {
		t.Error(err)
	}
	if after := time.Since(begun); after < time.Second {
		t.Errorf("indexing was given up after %v", after)
	}
	// That may fail on a slow machine, but not by repeating what indexing was told.
	if _, err := e.Embed(t.Context(), knowledge.QueryText, []string{"отпуск"}); err != nil && strings.Contains(err.Error(), "1.2s") {
		t.Errorf("a question is not even asked: %v", err)
	}
}

func TestRequests(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "from the environment")
	t.Setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/")
	var seen requests
	var path, authorization atomic.Value
	o := serve(t, func(w http.ResponseWriter, r *http.Request) {
		path.Store(r.URL.Path)
		authorization.Store(r.Header.Get("Authorization"))
		seen.note(r)
		fmt.Fprint(w, `{"data":[{"index":0,"embedding":[1,0]}]}`)
	})
	o.Query, o.Passage, o.QueryPrefix, o.PassagePrefix, o.MaxChars = "q", "p", "query: ", "passage: ", 5
	for _, c := range []struct {
		kind               knowledge.EmbedKind
		key, text          string
		input, model, auth string
	}{
		{knowledge.QueryText, "", "отпуск", "query: отпус", "q", ""},
		{knowledge.PassageText, "k\n", "да", "passage: да", "p", "Bearer k"},
		{knowledge.PassageText, "k", " \t", "passage: .", "p", "Bearer k"},
		{knowledge.QueryText, "k", "a\xffb", "query: a\uFFFDb", "q", "Bearer k"},
	} {
		o.Key = c.key
		if _, err := open(t, o).Embed(t.Context(), c.kind, []string{c.text}); err != nil {
			t.Fatal(err)
		}
		input, _ := seen.last["input"].([]any)
		if len(input) != 1 || input[0] != c.input || seen.last["model"] != c.model || seen.last["encoding_format"] != "float" {
			t.Errorf("%q was sent as %v", c.text, seen.last)
		}
		if path.Load() != "/v1/embeddings" || authorization.Load() != c.auth {
			t.Errorf("sent to %v with %q", path.Load(), authorization.Load())
		}
	}
}
