// Package milvus is a vector index on a Milvus server, shared by every process of
// the bot. It is derived from the record of truth: whatever is lost here can be
// written again from there.
//
// Vectors live in collections called NAME_1, NAME_2, …, and an alias NAME points at
// the one that serves. A rebuild fills the next collection and moves the alias. Who
// made a collection, and with which model, stands in its description as JSON, so
// vectors of different models are never compared.
//
// The server may be away, at the start too: calls fail in time with knowledge.ErrAway, and the
// same Index works again when it is back.
package milvus

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Options say where the index is and what is in it.
type Options struct {
	Address  string // host:port of gRPC
	User     string // "" when the server asks for no password
	Password string
	TLS      bool // with the certificates that the system trusts

	Name     string // of the alias; "" is nastavnik
	Embedder string // knowledge.Embedder's Name
	Dim      int    // knowledge.Embedder's Dim
	// AutoIndex lets the server choose the kind of a new collection's index. False is
	// HNSW with M 16 and efConstruction 200.
	AutoIndex bool

	// Timeout bounds one exchange with the server in a search or in Check; 0 is 3 s.
	// Writing, which nobody waits for, has five times that.
	Timeout time.Duration
	Log     *slog.Logger // nil: none
}

func (o Options) withDefaults() Options {
	o.Name = cmp.Or(o.Name, "nastavnik")
	o.Timeout = cmp.Or(o.Timeout, 3*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// validName is what Milvus takes for a collection, with room for a number.
var validName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,199}$`)

// validate finds what no server would make right. The address is not repeated: a
// password may have been put into it.
func (o Options) validate() error {
	if host, port, err := net.SplitHostPort(o.Address); err != nil || host == "" || port == "" || strings.ContainsAny(o.Address, "@/? ") {
		return fmt.Errorf("milvus.address должен быть вида хост:порт, без схемы и пароля: %w", knowledge.ErrInvalid)
	}
	switch {
	case !validName.MatchString(o.Name):
		return fmt.Errorf("имя коллекции Milvus %q не годится: нужны латинские буквы, цифры и подчёркивания, сначала не цифра (milvus.collection): %w", o.Name, knowledge.ErrInvalid)
	case o.Embedder == "":
		return fmt.Errorf("index in milvus: no name of the embedder: %w", knowledge.ErrInvalid)
	case o.Dim < 1 || o.Dim > maxDim:
		return fmt.Errorf("вектор из %d чисел Milvus не хранит: можно от 1 до %d: %w", o.Dim, maxDim, knowledge.ErrInvalid)
	case o.Timeout < 0:
		return fmt.Errorf("index in milvus: time-out %v: %w", o.Timeout, knowledge.ErrInvalid)
	}
	return nil
}

// maxDim is how many numbers a vector of Milvus may have.
const maxDim = 32_768

// resolveEvery is how long the alias is believed to point where it pointed. A rebuild
// waits for as long before it drops the old collection: a server may answer a search in
// one that is being dropped as if it were empty.
const resolveEvery = 3 * time.Second

// Index implements knowledge.Index. Open makes one.
type Index struct {
	o       Options
	client  client.Client
	breaker breaker
	// noAliases is for tests of what is done on servers that have none.
	noAliases bool

	mu         sync.Mutex
	serving    *collection // where the alias pointed at resolvedAt; nil: not known
	resolvedAt time.Time
}

var _ knowledge.Index = (*Index)(nil)

// Open prepares an index. It does not wait for the server, which may be away; Check
// tells. The error wraps knowledge.ErrInvalid when the options cannot be right.
func Open(ctx context.Context, o Options) (*Index, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	c, err := dial(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("milvus at %s: %w", o.Address, err)
	}
	return &Index{o: o, client: c, breaker: breaker{log: o.Log, address: o.Address, trial: o.Timeout}}, nil
}

// Close closes the connection. Calls that are under way fail.
func (x *Index) Close() error { return x.client.Close() }

// Check says whether searching works: it asks the server for its version, finds the
// collection and makes a search in it. The version is returned beside an error, too,
// when the server told it. Errors wrap knowledge.ErrAway, ErrDenied, ErrMissing, ErrForeign,
// ErrOtherEmbedder or, for vectors of another size, knowledge.ErrInvalid.
func (x *Index) Check(ctx context.Context) (version string, err error) {
	err = x.call(ctx, "version", x.o.Timeout, func(ctx context.Context) error {
		version, err = x.client.GetVersion(ctx)
		return err
	})
	if err != nil {
		return "", err
	}
	probe := knowledge.Probe{Values: make([]float32, x.o.Dim), K: 1}
	probe.Values[0] = 1
	return version, x.with(ctx, func(c collection) error {
		_, err := c.nearest(ctx, probe)
		return err
	})
}

// Upsert implements knowledge.Index. When one vector is refused none is written; when
// the server goes away some may have been. It makes the collection when there is none.
func (x *Index) Upsert(ctx context.Context, vectors []knowledge.Vector) error {
	rows, err := x.prepare(ctx, vectors)
	if err != nil || len(rows) == 0 {
		return err
	}
	err = x.with(ctx, func(c collection) error { return c.upsert(ctx, rows) })
	if missing(err) {
		if err := x.EnsureCollection(ctx); err != nil {
			return err
		}
		err = x.with(ctx, func(c collection) error { return c.upsert(ctx, rows) })
	}
	return err
}

// DeleteQuestions implements knowledge.Index. A vector that another process moves from
// one of the questions to another at the same moment may go with it; verifying the
// index brings it back.
func (x *Index) DeleteQuestions(ctx context.Context, questions []string, keep ...knowledge.VectorKey) error {
	if err := ctx.Err(); err != nil || len(questions) == 0 {
		return err
	}
	err := x.with(ctx, func(c collection) error { return c.deleteQuestions(ctx, questions, keep) })
	if missing(err) {
		return nil // nothing is indexed, so nothing is there to delete
	}
	return err
}

// Nearest implements knowledge.Index. A search that is not fresh sees writes that are
// some seconds old. At most 16,384 hits are found. While the server is away most
// searches fail at once and one now and then tries it, so that people do not wait.
func (x *Index) Nearest(ctx context.Context, p knowledge.Probe) ([]knowledge.VectorHit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := x.validValues(p.Values); err != nil {
		return nil, fmt.Errorf("nearest: %w", err)
	}
	if p.K <= 0 || p.Topics != nil && len(p.Topics) == 0 {
		return nil, nil
	}
	if err := x.breaker.open(); err != nil {
		return nil, err
	}
	var hits []knowledge.VectorHit
	err := x.with(ctx, func(c collection) (err error) {
		hits, err = c.nearest(ctx, p)
		return err
	})
	return hits, err
}

// Stamps implements knowledge.Index. Where there is no collection nothing is indexed,
// and that is no error.
func (x *Index) Stamps(ctx context.Context) (map[knowledge.VectorKey]knowledge.Stamp, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var stamps map[knowledge.VectorKey]knowledge.Stamp
	err := x.with(ctx, func(c collection) (err error) {
		stamps, err = c.stamps(ctx)
		return err
	})
	if missing(err) {
		return map[knowledge.VectorKey]knowledge.Stamp{}, nil
	}
	return stamps, err
}
