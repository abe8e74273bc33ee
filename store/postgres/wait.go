package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// limits are how long the server may be silent. A network that swallows packets
// says nothing, and the system notices after a quarter of an hour.
type limits struct {
	statement time.Duration // for the result of a statement
	turn      time.Duration // for the turn to write, which others may have
}

func defaultLimits() limits { return limits{statement: 2 * time.Minute, turn: 4 * time.Minute} }

// errSilent says that the server has not answered in time.
var errSilent = errors.New("no answer from the server")

// within runs fn, which has to end within a limit.
func within(ctx context.Context, limit time.Duration, fn func(ctx context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return silence(ctx, limited, fn(limited))
}

// silence tells the end of a limit from that of the caller's own time.
func silence(ctx, limited context.Context, err error) error {
	if err == nil || ctx.Err() != nil || !errors.Is(limited.Err(), context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", errSilent, err)
}

// forgetTheLost makes the server forget a session whose process it has not heard of
// for that long: one in the middle of a transaction would hold up all who write.
// Settings that an older server does not know are left out.
func forgetTheLost(ctx context.Context, c *pgconn.PgConn) error {
	_, err := c.Exec(ctx, `SELECT set_config(name, value, FALSE) FROM (VALUES
		('idle_in_transaction_session_timeout', '15s'), ('tcp_user_timeout', '15s'),
		('tcp_keepalives_idle', '5'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '2')
	) AS s (name, value) WHERE current_setting(name, TRUE) IS NOT NULL`).ReadAll()
	return err
}

// endWhenSilent makes the server end a session that asks nothing for that long, as
// one does that has to be asked every heartbeat.
const endWhenSilent = `SELECT set_config('idle_session_timeout', '15s', FALSE) WHERE current_setting('idle_session_timeout', TRUE) IS NOT NULL`
