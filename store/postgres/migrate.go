package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/nastavnik-bot/nastavnik/migrations"
)

// migrateLock is the advisory lock of who migrates: "nasm" in ASCII.
const migrateLock = 0x6e61736d

// Status tells how far the database has been brought, without changing it.
func Status(ctx context.Context, o Options) (migrations.Schema, error) {
	pool, err := connect(ctx, o.owner(), o.Pool)
	if err != nil {
		return migrations.Schema{}, err
	}
	defer pool.Close()
	return status(ctx, pool, o.Queue)
}

// Migrate brings the database up to date as the role Owner, lets the role of DSN
// read and write it, and returns how many steps that took. Of processes that race
// only one works, the others wait for it.
func Migrate(ctx context.Context, o Options) (steps int, err error) {
	pool, err := connect(ctx, o.owner(), o.Pool)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	steps, err = migrate(ctx, pool, o)
	return steps, explain("migrate", err)
}

func (o Options) owner() string {
	if o.Owner != "" {
		return o.Owner
	}
	return o.DSN
}

func migrate(ctx context.Context, pool *pgxpool.Pool, o Options) (steps int, err error) {
	lock, err := pool.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer lock.Release()
	if _, err := lock.Exec(ctx, `SELECT pg_advisory_lock($1)`, migrateLock); err != nil {
		return 0, fmt.Errorf("wait for another process that migrates: %w", err)
	}
	defer func() {
		_, unlocked := lock.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, migrateLock)
		err = errors.Join(err, unlocked)
	}()
	before, err := status(ctx, pool, o.Queue)
	if err != nil {
		return 0, err
	}
	if before.Pending() > 0 {
		if err := bringUp(ctx, pool, o); err != nil {
			return 0, err
		}
	}
	return before.Pending(), grant(ctx, pool, o)
}

func bringUp(ctx context.Context, pool *pgxpool.Pool, o Options) error {
	files, err := migrations.Postgres()
	if err != nil {
		return err
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSlog(log), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return err
	}
	return o.Queue.Migrate(ctx, pool)
}

// grant lets the role that runs work with the tables, which are the owner's.
func grant(ctx context.Context, pool *pgxpool.Pool, o Options) error {
	runs, err := pgx.ParseConfig(o.DSN)
	if err != nil {
		return fmt.Errorf("адрес базы postgres.dsn не разобрать: %w", ErrDSN)
	}
	if runs.User == pool.Config().ConnConfig.User {
		return nil
	}
	var there bool
	if err := pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1)`, runs.User).Scan(&there); err != nil {
		return err
	}
	if !there {
		return fmt.Errorf("роли %q, под которой работает бот (postgres.dsn), в PostgreSQL нет: создайте её (CREATE ROLE … LOGIN): %w", runs.User, ErrRefused)
	}
	var schema string
	if err := pool.QueryRow(ctx, `SELECT current_schema()`).Scan(&schema); err != nil {
		return err
	}
	role, in := pgx.Identifier{runs.User}.Sanitize(), pgx.Identifier{schema}.Sanitize()
	_, err = pool.Exec(ctx, fmt.Sprintf(`GRANT USAGE ON SCHEMA %[2]s TO %[1]s;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %[2]s TO %[1]s;
		GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %[2]s TO %[1]s`, role, in))
	return err
}

// status reads how far the schema is. Nothing is written: goose would make its
// table.
func status(ctx context.Context, pool *pgxpool.Pool, queue Queue) (migrations.Schema, error) {
	files, err := migrations.Postgres()
	if err != nil {
		return migrations.Schema{}, err
	}
	schema, err := migrations.Pending(files)
	if err != nil {
		return schema, err
	}
	done, err := applied(ctx, pool)
	if err != nil {
		return schema, explain("schema", err)
	}
	has, needs, err := queue.Versions(ctx, pool)
	if err != nil {
		return schema, explain("schema", err)
	}
	if err := schema.Apply(done, has, needs); err != nil {
		return schema, fmt.Errorf("с этой базой PostgreSQL работала более новая версия программы, обновите программу: %w", err)
	}
	return schema, nil
}

// applied returns when goose has applied which version.
func applied(ctx context.Context, pool *pgxpool.Pool) (map[int64]time.Time, error) {
	var there bool
	if err := pool.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&there); err != nil || !there {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT version_id, tstamp FROM goose_db_version WHERE is_applied AND version_id > 0`)
	if err != nil {
		return nil, err
	}
	out := map[int64]time.Time{}
	var version int64
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&version, &at}, func() error {
		out[version] = at
		return nil
	})
	return out, err
}
