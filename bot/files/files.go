// Package files gives people the files of answers and asks over HTTP: by a link
// that works for a few minutes and for one person, whose permission is looked up
// again when the file is fetched.
package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Path is where a Server stands: links are Base + Path + token.
const Path = "/files/"

// linkTTL is how long a link works. It is less than knowledge.MaxLinkTTL, so that
// a link of a replica whose clock is ahead is accepted by the others.
const linkTTL = 4 * time.Minute

// minKey is how long the key must be, in bytes: as long as the signature.
const minKey = 32

// Options say what is served, and to whom.
type Options struct {
	Store bot.Store
	Files knowledge.Files
	Say   *texts.Catalogue
	Key   []byte // at least 32 random bytes, the same in every replica
	Base  string // the address of the bot as browsers see it, "https://bot.example.org"
	Now   func() time.Time
	Log   *slog.Logger // nil for none
}

// Server serves files, and makes the links to them. It is safe for concurrent use.
type Server struct{ o Options }

// New returns a server. The error wraps knowledge.ErrInvalid when the key is too
// short.
func New(o Options) (*Server, error) {
	if len(o.Key) < minKey {
		return nil, fmt.Errorf("key for links to files: %w: %d bytes, at least %d", knowledge.ErrInvalid, len(o.Key), minKey)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Base = strings.TrimSuffix(o.Base, "/")
	return &Server{o}, nil
}

// Link returns an address that gives the file to whoever opens it within the
// next minutes, made for a person who may read it: of the store of files where it
// has links, of this server otherwise. The error wraps knowledge.ErrNotFound when
// there is no such file, or not for this person.
func (s *Server) Link(ctx context.Context, attachment, person int64) (string, error) {
	a, err := s.allowed(ctx, attachment, person)
	if err != nil {
		return "", err
	}
	address, err := s.o.Files.Link(ctx, a.Key, knowledge.FileLink{Name: a.Name, Media: a.Media, TTL: linkTTL})
	if err == nil {
		return address, nil
	}
	if !errors.Is(err, knowledge.ErrNoLinks) {
		return "", fmt.Errorf("link to file %d: %w", attachment, err)
	}
	return s.o.Base + Path + sign(s.o.Key, ticket{attachment, person, s.o.Now().Add(linkTTL)}), nil
}

// allowed returns a file that a person may read now.
func (s *Server) allowed(ctx context.Context, attachment, person int64) (a knowledge.Attachment, err error) {
	err = s.o.Store.Read(ctx, func(tx bot.Tx) error {
		if a, err = tx.Attachment(ctx, attachment); err != nil {
			return err
		}
		may, err := knowledge.Desk{Tx: tx, Now: s.o.Now()}.MayRead(ctx, person, a)
		if err == nil && !may {
			err = fmt.Errorf("file %d for person %d: %w", attachment, person, knowledge.ErrNotFound)
		}
		return err
	})
	return a, err
}

// ServeHTTP gives one file: GET and HEAD of Path and a token. To who may not have
// it, a file does not exist.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		s.refuse(w, http.StatusMethodNotAllowed, "file_unknown")
		return
	}
	t, err := check(s.o.Key, strings.TrimPrefix(r.URL.Path, Path), s.o.Now())
	switch {
	case errors.Is(err, errExpired):
		s.refuse(w, http.StatusGone, "file_expired")
		return
	case err != nil:
		s.refuse(w, http.StatusNotFound, "file_unknown")
		return
	}
	a, err := s.allowed(r.Context(), t.attachment, t.person)
	if err != nil {
		s.fail(w, r, t.attachment, err)
		return
	}
	s.give(w, r, a)
}

// secure makes browsers save what comes, whatever it is, and keep no copy.
func secure(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Cache-Control", "private, no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
}

func (s *Server) give(w http.ResponseWriter, r *http.Request, a knowledge.Attachment) {
	body, size, err := s.o.Files.Open(r.Context(), a.Key)
	if err == nil && size != a.Size {
		err = errors.Join(fmt.Errorf("%d bytes of %d: %w", size, a.Size, knowledge.ErrFileChanged), body.Close())
	}
	if err != nil {
		s.fail(w, r, a.ID, err)
		return
	}
	defer func() { _ = body.Close() }()
	h := w.Header()
	h.Set("Content-Disposition", knowledge.Disposition(a.Name))
	h.Set("Content-Type", a.Media)
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	if r.Method == http.MethodHead {
		return
	}
	if _, err := io.Copy(w, body); err != nil && r.Context().Err() == nil {
		s.o.Log.ErrorContext(r.Context(), "a file broke off while it was sent", "attachment", a.ID, "err", err)
		// A connection that is cut is the only way to say that it is not whole.
		panic(http.ErrAbortHandler)
	}
}

// fail says why there is no file, as far as the person may know.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, attachment int64, err error) {
	status, text := http.StatusInternalServerError, "file_failed"
	switch {
	case errors.Is(err, knowledge.ErrAway):
		status, text = http.StatusServiceUnavailable, "file_away"
		w.Header().Set("Retry-After", "60")
	case errors.Is(err, knowledge.ErrNotFound):
		status, text = http.StatusNotFound, "file_unknown"
	}
	if r.Context().Err() == nil {
		s.o.Log.WarnContext(r.Context(), "a file was not given", "attachment", attachment, "status", status, "err", err)
	}
	s.refuse(w, status, text)
}

func (s *Server) refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, s.o.Say.Say(text, nil)+"\n")
}
