package milvus

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Errors that the person who runs the program can do something about. The errors that
// wrap them say what, in Russian. A collection of vectors of another size wraps
// knowledge.ErrInvalid.
var (
	ErrDenied        = errors.New("milvus denied access")
	ErrMissing       = errors.New("no collection")
	ErrForeign       = errors.New("a collection of somebody else")
	ErrOtherEmbedder = errors.New("vectors of another embedder")
)

// refusal is an answer of the server that says no. The client library keeps only its
// text, and texts change between versions; codes do not.
type refusal struct {
	code   int32 // of merr in the server's source
	reason string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s (code %d)", r.reason, r.code) }

// Codes of pkg/util/merr in the server's source.
const (
	codeCollectionNotFound = 100
	codeNotLoaded          = 101
	codeNotFullyLoaded     = 103
	codeAliasExists        = 1602
)

func refusedWith(err error, codes ...int32) bool {
	var r *refusal
	return errors.As(err, &r) && slices.Contains(codes, r.code)
}

// refused says that the server answered, and that the answer was no: where the alias
// points may be out of date.
func refused(err error) bool {
	var r *refusal
	return errors.As(err, &r)
}

// missing says that there is no collection to ask.
func missing(err error) bool {
	return errors.Is(err, ErrMissing) || refusedWith(err, codeCollectionNotFound)
}

// passing says of a code that it is of a server which starts, or moves its work from
// one node to another: waiting mends it.
func passing(code int32) bool {
	switch code {
	case 1, 2, 4, 8, // not ready, unavailable, too many requests, rate limit
		codeNotLoaded, codeNotFullyLoaded, 201, 202, // after a start collections are loaded again
		400, 401, // replica
		500, 501, 503, // channel
		600, 601, 602, // segment
		901, 902, 903, 904, 905, // node
		10_000, 10_001: // the server's own time-out
		return true
	}
	return false
}

// explain gives an error its meaning, and the person who runs the program a remedy.
// ctx is the caller's: what the caller has cancelled is not the server's fault.
func (x *Index) explain(ctx context.Context, doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("milvus: %s: %w", doing, context.Canceled)
	case away(err):
		if ctx.Err() != nil { // the caller's deadline came first
			err = fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		return fmt.Errorf("сервер Milvus по адресу %s не отвечает или ещё не готов; проверьте, что сервер запущен, а milvus.address и milvus.tls верны: %s: %w: %w",
			x.o.Address, doing, knowledge.ErrAway, err)
	case denied(err):
		return fmt.Errorf("сервер Milvus по адресу %s не принял имя с паролем или не дал прав; проверьте milvus.user и milvus.password: %s: %w: %w",
			x.o.Address, doing, ErrDenied, err)
	}
	return fmt.Errorf("milvus: %s: %w", doing, err)
}

func away(err error) bool {
	var r *refusal
	if errors.As(err, &r) {
		return passing(r.code)
	}
	switch grpcCode(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Aborted:
		return true
	default:
		return errors.Is(err, context.DeadlineExceeded)
	}
}

func denied(err error) bool {
	if refusedWith(err, 1400, 1401, 1800) {
		return true
	}
	switch grpcCode(err) {
	case codes.Unauthenticated, codes.PermissionDenied:
		return true
	default:
		return false
	}
}

// grpcCode returns gRPC's code, Unknown for an error of another kind.
func grpcCode(err error) codes.Code {
	if s, ok := status.FromError(err); ok {
		return s.Code()
	}
	return codes.Unknown
}
