package openai

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	client "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Embedder embeds by asking a server. It is safe for concurrent use.
type Embedder struct {
	o       Options       // without the key
	key     func() string // a func, so that no way of printing an Embedder shows it; nil for none
	name    string
	service client.EmbeddingService
	rest    *rest
	served  atomic.Pointer[string] // the model that the latest response named
}

var _ knowledge.Embedder = (*Embedder)(nil)

// New returns an embedder. It asks nothing of the server unless the dimension has to
// be learned. The errors about options wrap knowledge.ErrInvalid, those about the
// server this package's.
func New(ctx context.Context, o Options) (*Embedder, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	if o.exposed() {
		o.Log.WarnContext(ctx, "the key of the embedding server crosses the network unencrypted", "server", origin(o.URL))
	}
	e := &Embedder{rest: &rest{pause: o.Pause}}
	settings := []option.RequestOption{
		option.WithBaseURL(o.URL), option.WithHTTPClient(o.HTTPClient),
		option.WithMaxRetries(0), // our own know how much time there is, and what not to repeat
	}
	if key := o.Key; key != "" {
		e.key = func() string { return key }
		settings = append(settings, option.WithAPIKey(key))
	}
	o.Key = ""
	e.o, e.service = o, client.NewEmbeddingService(settings...)
	if o.Dim == 0 {
		vectors, err := e.call(ctx, knowledge.QueryText, []string{probe})
		if err != nil {
			return nil, err // it says in full what cannot be asked
		}
		e.o.Dim = len(vectors[0])
	}
	e.name = e.o.name()
	return e, nil
}

// probe is what is embedded to see whether the server works.
const probe = "проверка"

// Name implements knowledge.Embedder: models, dimension, and a checksum of what else
// changes vectors. It tells nothing of where the server is.
func (e *Embedder) Name() string { return e.name }

// Dim implements knowledge.Embedder.
func (e *Embedder) Dim() int { return e.o.Dim }

// String tells which embedder it is, without the key.
func (e *Embedder) String() string { return e.name + " at " + origin(e.o.URL) }

// GoString is String, for %#v.
func (e *Embedder) GoString() string { return e.String() }

// Embed implements knowledge.Embedder. The error wraps one of this package's, or that
// of ctx. While a server that was away is left alone, it returns knowledge.ErrAway at once.
func (e *Embedder) Embed(ctx context.Context, kind knowledge.EmbedKind, texts []string) ([][]float32, error) {
	out := make([][]float32, 0, len(texts))
	for batch := range slices.Chunk(texts, e.o.Batch) {
		if err := e.rest.enter(); err != nil {
			return nil, err
		}
		vectors, err := e.call(ctx, kind, batch)
		if err != nil {
			return nil, err
		}
		out = append(out, vectors...)
	}
	return out, nil
}

// Check embeds a word with each model, for doctor, even if Embed leaves the server
// alone for now. The version is the model's name as the server tells it, with the
// length of its vectors.
func (e *Embedder) Check(ctx context.Context) (version string, err error) {
	kinds := []knowledge.EmbedKind{knowledge.QueryText, knowledge.PassageText}
	if e.o.Passage == e.o.Query {
		kinds = kinds[:1]
	}
	for _, kind := range kinds {
		if _, err := e.call(ctx, kind, []string{probe}); err != nil {
			return "", err
		}
		model := e.o.model(kind)
		if served := e.served.Load(); served != nil {
			model = e.clean(*served)
		}
		switch version {
		case "", model:
			version = model
		default:
			version += "+" + model
		}
	}
	return fmt.Sprintf("%s/%d", version, e.o.Dim), nil
}

// call embeds one batch, again and again while it may yet succeed and there is time.
func (e *Embedder) call(ctx context.Context, kind knowledge.EmbedKind, texts []string) ([][]float32, error) {
	urgent := urgent(kind, texts)
	budget := e.budget(ctx, urgent)
	limited, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	for attempt := 0; ; attempt++ {
		vectors, err := e.ask(limited, kind, texts)
		if err == nil {
			e.rest.over()
			return vectors, nil
		}
		if ctx.Err() != nil { // the caller's own end says nothing of the server
			return nil, fmt.Errorf("embed: %w", ctx.Err())
		}
		f := e.failed(limited, err, budget)
		wait := max(backoff(attempt), f.wait)
		if !f.again || attempt >= e.o.Retries || !leaves(limited, wait) {
			return nil, e.giveUp(f, urgent)
		}
		e.o.Log.DebugContext(ctx, "embedding is tried again", "server", origin(e.o.URL), "attempt", attempt+1, "wait", wait, "err", e.public(f))
		if sleep(limited, wait) != nil && ctx.Err() != nil {
			return nil, fmt.Errorf("embed: %w", ctx.Err())
		}
	}
}

// failed makes a failure of whatever went wrong. What the client library says is not
// told: it quotes the response.
func (e *Embedder) failed(limited context.Context, err error, budget time.Duration) *failure {
	if limited.Err() != nil {
		return late(budget)
	}
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return strange()
}

// giveUp tells a failure, and leaves a server that is away alone for a while. One that
// was only slow with many texts may be quick enough with a question.
func (e *Embedder) giveUp(f *failure, urgent bool) error {
	err := e.public(f)
	if errors.Is(f.kind, knowledge.ErrAway) && (urgent || !f.late) {
		e.rest.begin(err, f.wait)
	}
	return err
}
