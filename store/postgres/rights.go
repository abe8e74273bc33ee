package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Rights makes sure that the role which runs may read and write every table. The
// error wraps ErrRefused and names the first tables that it may not.
func (s *Store) Rights(ctx context.Context) error {
	rows, err := s.pool.Query(ctx, `SELECT c.relname FROM pg_class c
		WHERE c.relnamespace = current_schema()::regnamespace AND (
			c.relkind IN ('r', 'p') AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
				AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
			OR c.relkind = 'S' AND NOT has_sequence_privilege(c.oid, 'USAGE'))
		ORDER BY c.relname LIMIT 3`)
	if err != nil {
		return explain("look at the role's rights", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return explain("look at the role's rights", err)
	}
	if len(names) > 0 {
		return fmt.Errorf("роли не хватает прав (первое, до чего она не дотягивается: %s): выполните nastavnik migrate up с ролью-владельцем (postgres.owner), она выдаст права: %w", names[0], ErrRefused)
	}
	return nil
}

// Replicas counts the processes that are the bot on this database now.
func (s *Store) Replicas(ctx context.Context) (n int, err error) {
	return replicas(ctx, s.pool)
}

func replicas(ctx context.Context, on interface {
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}) (n int, err error) {
	err = on.QueryRow(ctx, `SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = $1::bigint::oid
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`, int64(replicaLocks)).Scan(&n)
	return n, explain("count replicas", err)
}
