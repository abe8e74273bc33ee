package openai_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/openai"
)

// The canaries: what must be told nobody.
const (
	words  = "зарплата Иванова"
	likely = "canary"
)

// keys are of the usual kind, and of one that changes when it is quoted.
func keys() []string { return []string{"sk-canary-Q7f3e", `sk-canary"Q\7f3e`} }

// echoes are the ways in which a server gives back what it was sent.
func echoes() map[string]http.HandlerFunc {
	quote := func(r *http.Request) string {
		var sent struct{ Input []string }
		_ = json.NewDecoder(r.Body).Decode(&sent)
		text, _ := json.Marshal(r.Header.Get("Authorization") + " " + strings.Join(sent.Input, " "))
		return string(text)
	}
	says := func(status int, form string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			q := quote(r)
			w.Header().Set("X-Echo", q)
			w.WriteHeader(status)
			fmt.Fprint(w, strings.ReplaceAll(form, "ECHO", q))
		}
	}
	return map[string]http.HandlerFunc{
		"in an error's message": says(400, `{"error":{"message":ECHO,"type":"invalid_request_error","code":"bad"}}`),
		"in an error's code":    says(401, `{"error":{"message":ECHO,"type":ECHO,"code":ECHO,"param":ECHO}}`),
		"in a fault":            says(500, `ECHO`),
		"in a limit":            says(429, `{"error":ECHO}`),
		"as the model":          says(200, `{"model":ECHO,"data":[{"index":0,"embedding":[1,0]}]}`),
		"as the model, bare": func(w http.ResponseWriter, r *http.Request) {
			text, _ := json.Marshal(map[string]any{"model": strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "data": []any{map[string]any{"embedding": []int{1, 0}}}})
			_, _ = w.Write(text)
		},
		"as a vector":     says(200, `{"model":"m","data":[{"index":0,"embedding":ECHO}]}`),
		"as the response": says(200, `ECHO`),
		"as no JSON":      says(200, `{"data": ECHO ECHO`),
		"as a content type": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", r.Header.Get("Authorization"))
			fmt.Fprint(w, "[1")
		},
		"in a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/?"+r.Header.Get("Authorization"), http.StatusPermanentRedirect)
		},
		"instead of HTTP": func(w http.ResponseWriter, r *http.Request) {
			q := r.Header.Get("Authorization")
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprintf(conn, "%s %s\r\n\r\n", q, words)
				_ = conn.Close()
			}
		},
		"in a header that is none": func(w http.ResponseWriter, r *http.Request) {
			q := r.Header.Get("Authorization")
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n%s %s\r\n\r\n", q, words)
				_ = conn.Close()
			}
		},
	}
}

// TestNothingIsTold: neither the key nor people's words are in any error or log, nor
// in any way of printing what knows them, whatever the server does with them.
func TestNothingIsTold(t *testing.T) {
	for name, handler := range echoes() {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(handler)
			t.Cleanup(s.Close)
			s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			for _, key := range keys() {
				examine(t, s.URL, key)
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		examine(t, "http://"+l.Addr().String(), keys()[0])
	})
}

func examine(t *testing.T, url, key string) {
	t.Helper()
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))
	o := openai.Options{URL: url, Key: key, Query: "m", Dim: 2, Retries: 1, Log: logger}
	told := []string{fmt.Sprintf("%v %+v %#v %s", o, o, o, o)}
	marshalled, _ := json.Marshal(struct{ URL, Key any }{o.URL, o})
	told = append(told, string(marshalled))
	e, err := openai.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Embed(t.Context(), knowledge.QueryText, []string{words})
	if err == nil {
		t.Fatal("the server was believed")
	}
	_, checked := e.Check(t.Context())
	o.Dim = 0
	_, learned := openai.New(context.Background(), o)
	for _, err := range []error{err, checked, learned} {
		for ; err != nil; err = errors.Unwrap(err) {
			told = append(told, fmt.Sprintf("%v %+v %#v", err, err, err))
		}
	}
	logger.Info("values", "options", o, "embedder", e, "err", err)
	told = append(told, fmt.Sprintf("%v %+v %#v %s", e, e, e, e), e.Name(), log.String())
	for _, text := range told {
		for _, canary := range []string{key, likely, words, "зарплата", base64.StdEncoding.EncodeToString([]byte(key))} {
			if strings.Contains(text, canary) {
				t.Errorf("%q is told: %s", canary, text)
			}
		}
	}
}
