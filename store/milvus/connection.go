package milvus

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"time"

	grpc_retry "github.com/grpc-ecosystem/go-grpc-middleware/retry"
	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// dial makes a client that connects when it is first used, and again whenever the
// connection is lost. The library's own defaults wait for the server for ever.
func dial(ctx context.Context, o Options) (client.Client, error) {
	return client.NewClient(ctx, client.Config{
		Address:       o.Address,
		Username:      o.User,
		Password:      o.Password,
		EnableTLSAuth: o.TLS,
		DisableConn:   true, // no greeting: it needs the server
		DialOptions: []grpc.DialOption{
			// Finds out within 15 s that the other end has vanished without a word.
			// Servers refuse pings more frequent than every 5 s.
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second, PermitWithoutStream: true}),
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
				MinConnectTimeout: o.Timeout,
			}),
			grpc.WithDefaultCallOptions(
				grpc.MaxCallRecvMsgSize(math.MaxInt32), // a page of stamps is some MB
				// The library would try six times, for as long as the deadline lets it: a
				// person's search is better told at once that the server is away.
				grpc_retry.Disable(),
			),
			grpc.WithChainUnaryInterceptor(retryOnce(), readRefusals()),
		},
	})
}

// retryOnce does again what a connection took with it that had been lost unnoticed:
// the second time, gRPC connects anew. Whatever is asked of the server may be done
// twice.
func retryOnce() grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		err := invoke(ctx, method, req, reply, cc, opts...)
		if grpcCode(err) == codes.Unavailable && ctx.Err() == nil {
			return invoke(ctx, method, req, reply, cc, opts...)
		}
		return err
	}
}

// readRefusals turns an answer that says no into a refusal, with its code.
func readRefusals() grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if err := invoke(ctx, method, req, reply, cc, opts...); err != nil {
			return err
		}
		if s, ok := reply.(*commonpb.Status); ok {
			return refusalOf(s)
		}
		if r, ok := reply.(interface{ GetStatus() *commonpb.Status }); ok {
			return refusalOf(r.GetStatus())
		}
		return nil
	}
}

func refusalOf(s *commonpb.Status) error {
	old := s.GetErrorCode() //nolint:staticcheck // some answers, and old servers, have only this one
	switch {
	case s.GetCode() == 0 && old == commonpb.ErrorCode_Success:
		return nil
	case old == commonpb.ErrorCode_CollectionNotExists:
		return &refusal{code: codeCollectionNotFound, reason: s.GetReason()}
	}
	return &refusal{code: s.GetCode(), reason: s.GetReason()}
}

// call makes one exchange with the server, within a time.
func (x *Index) call(ctx context.Context, doing string, timeout time.Duration, f func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return x.explain(ctx, doing, err)
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := f(limited)
	if err != nil && limited.Err() != nil && !refused(err) {
		// Parts of the library report a deadline as a text.
		err = errors.Join(limited.Err(), err)
	}
	err = x.explain(ctx, doing, err)
	x.breaker.note(ctx, err)
	return err
}

// write is the time of an exchange that nobody waits for.
func (x *Index) write() time.Duration { return 5 * x.o.Timeout }

// pause is for how long searches do not try a server that was away.
const pause = time.Second

// breaker spares people the time-out of every search while the server is away: then
// one search in a while tries it, and the others are told at once. It also logs that
// the server has gone, and that it is back, once each.
type breaker struct {
	log     *slog.Logger
	address string
	trial   time.Duration // how long a search may try

	mu    sync.Mutex
	last  error // why the server is away; nil: it is not
	until time.Time
}

// open returns why a search need not be tried, or nil.
func (b *breaker) open() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.last == nil {
		return nil
	}
	if now.Before(b.until) {
		return b.last
	}
	b.until = now.Add(b.trial + pause) // this search tries; the others do not wait for it
	return nil
}

// note learns from the outcome of an exchange.
func (b *breaker) note(ctx context.Context, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case errors.Is(err, knowledge.ErrAway) && ctx.Err() == nil:
		if b.last == nil {
			b.log.WarnContext(ctx, "milvus is away", "address", b.address, "err", err)
		}
		b.last, b.until = err, time.Now().Add(pause)
	case err == nil && b.last != nil:
		b.log.InfoContext(ctx, "milvus is back", "address", b.address)
		b.last = nil
	}
}
