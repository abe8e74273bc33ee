package slack

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	api "github.com/slack-go/slack"
)

// maxRequest bounds a request in bytes: a message has up to 40,000 characters, which
// it repeats in its blocks.
const maxRequest = 1 << 20

// Handler takes what Slack sends over HTTP, signed: events, interactivity and slash
// commands, which may all have the same address.
func (a *App) Handler() http.Handler { return handler{a} }

type handler struct{ a *App }

// ServeHTTP implements http.Handler. What has not been stored is refused, so that
// Slack sends it again; what it sends again is looked at like any other, as the first
// may never have come.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	body, status := h.read(w, r)
	if status != http.StatusOK {
		h.a.o.Log.WarnContext(r.Context(), "a request that is not Slack's is refused", "platform", Platform, "status", status)
		http.Error(w, http.StatusText(status), status)
		return
	}
	in, err := parseHTTP(r.Header.Get("Content-Type"), body)
	if err == nil && in.event != nil && in.event.Type == verification {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, in.event.Challenge)
		return
	}
	var reply answer
	if err == nil {
		reply, err = h.a.receive(r.Context(), in)
	}
	switch {
	case errors.Is(err, errMalformed):
		http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
	case err != nil:
		h.a.o.Log.WarnContext(r.Context(), "a request of Slack's is not taken", "platform", Platform, "retry", r.Header.Get("X-Slack-Retry-Num"), "err", err)
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
	case reply != nil:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(reply)
	}
}

// read returns the body of a request that Slack has signed within the last five
// minutes; the same one sent again is known by its key.
func (h handler) read(w http.ResponseWriter, r *http.Request) (body []byte, status int) {
	verifier, err := api.NewSecretsVerifier(r.Header, h.a.o.Secret)
	if err != nil {
		return nil, http.StatusUnauthorized
	}
	body, err = io.ReadAll(io.TeeReader(http.MaxBytesReader(w, r.Body, maxRequest), &verifier))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, http.StatusRequestEntityTooLarge
	}
	if err != nil {
		return nil, http.StatusBadRequest
	}
	if verifier.Ensure() != nil {
		return nil, http.StatusUnauthorized
	}
	return body, http.StatusOK
}

func parseHTTP(contentType string, body []byte) (request, error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err == nil && kind == "application/x-www-form-urlencoded" {
		return parseForm(body)
	}
	return parse(kindEvents, body)
}
