package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/migrations"
	"github.com/nastavnik-bot/nastavnik/store/postgres"
)

// secret is a password that no error may show.
const secret = "пароль-S3cret/x"

// sqlExec runs statements as whoever the address names.
func sqlExec(tb testing.TB, dsn string, statements ...string) {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context())
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close(ctx)
	for _, s := range statements {
		if _, err := c.Exec(ctx, s); err != nil {
			tb.Fatalf("%s: %v", s, err)
		}
	}
}

// with returns the address with something changed.
func with(tb testing.TB, dsn string, change func(u *url.URL)) string {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	change(u)
	return u.String()
}

// role makes a role that may log in with the secret, and returns the address of the
// same database for it.
func role(tb testing.TB, dsn, name string) string {
	tb.Helper()
	quoted := pgx.Identifier{name}.Sanitize()
	sqlExec(tb, dsn, "CREATE ROLE "+quoted+" LOGIN PASSWORD '"+secret+"'")
	tb.Cleanup(func() { sqlExec(tb, dsn, "DROP OWNED BY "+quoted+" CASCADE", "DROP ROLE "+quoted) })
	return with(tb, dsn, func(u *url.URL) { u.User = url.UserPassword(name, secret) })
}

// nobodyListens returns an address at which nothing listens.
func nobodyListens(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// refused checks an error that an administrator has to act upon: what it is, that
// it says what to do, and that it keeps the secret.
func refused(t *testing.T, what string, err, is error, says string) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Errorf("%s: %v is not %q", what, err, is)
		return
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v does not say %q", what, err, says)
	}
	for _, hidden := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
		if strings.Contains(err.Error(), hidden) {
			t.Errorf("%s: the error shows the password: %v", what, err)
		}
	}
}

// Whatever is wrong with an address, every way in says the same about it: what is
// wrong, what to do, and nothing of the password.
func TestBadAddress(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	password := func(u *url.URL) { u.User = url.UserPassword("postgres", secret) }
	for name, bad := range map[string]struct {
		dsn  string
		is   error
		says string
	}{
		"no address":              {"postgres://r:" + secret + "@host:порт/база", postgres.ErrDSN, "postgres.dsn"},
		"a word in place of it":   {"host=localhost password=" + secret + " port=x", postgres.ErrDSN, "postgres.dsn"},
		"a setting of nobody's":   {with(t, dsn, func(u *url.URL) { password(u); u.RawQuery = "sslmode=maybe" }), postgres.ErrDSN, "postgres.dsn"},
		"a wrong password":        {with(t, dsn, password), postgres.ErrRefused, "пароль"},
		"a role that is not":      {with(t, dsn, func(u *url.URL) { u.User = url.UserPassword("никто", secret) }), postgres.ErrRefused, "роль"},
		"a database that is not":  {with(t, dsn, func(u *url.URL) { u.Path = "/нет такой" }), postgres.ErrNoDatabase, "создайте"},
		"nobody there":            {with(t, dsn, func(u *url.URL) { password(u); u.Host = nobodyListens(t) }), knowledge.ErrAway, "недоступен"},
		"a host that is not":      {with(t, dsn, func(u *url.URL) { password(u); u.Host = "no-such-host.invalid:5432" }), knowledge.ErrAway, "недоступен"},
		"encryption that is not":  {with(t, dsn, func(u *url.URL) { password(u); u.RawQuery = "sslmode=require" }), knowledge.ErrAway, "недоступен"},
		"several, none of theirs": {with(t, dsn, func(u *url.URL) { password(u); u.Host = nobodyListens(t) + "," + nobodyListens(t) }), knowledge.ErrAway, "недоступен"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := postgres.Open(ctx, options(t, bad.dsn))
			refused(t, "open", err, bad.is, bad.says)
			_, err = postgres.Migrate(ctx, options(t, bad.dsn))
			refused(t, "migrate", err, bad.is, bad.says)
			_, err = postgres.Status(ctx, options(t, bad.dsn))
			refused(t, "status", err, bad.is, bad.says)
		})
	}
}

// A server that takes connections and says nothing holds nobody longer than asked.
func TestServerThatSaysNothing(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = postgres.Open(ctx, options(t, "postgres://r:"+url.QueryEscape(secret)+"@"+l.Addr().String()+"/x"))
	refused(t, "open", err, context.DeadlineExceeded, "")
}

func TestOtherEncoding(t *testing.T) {
	t.Parallel()
	dsn := devenv.Postgres(t)
	for _, encoding := range []string{"SQL_ASCII", "KOI8R"} {
		name := strings.ToLower("nastavnik_enc_" + encoding + "_" + suffix(t, dsn))
		sqlExec(t, dsn, "CREATE DATABASE "+name+" ENCODING '"+encoding+"' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
		t.Cleanup(func() { sqlExec(t, dsn, "DROP DATABASE "+name+" WITH (FORCE)") })
		bad := with(t, dsn, func(u *url.URL) { u.Path = "/" + name })
		_, err := postgres.Migrate(t.Context(), options(t, bad))
		refused(t, "migrate", err, postgres.ErrEncoding, encoding)
		_, err = postgres.Open(t.Context(), options(t, bad))
		refused(t, "open", err, postgres.ErrEncoding, "UTF8")
	}
}

// suffix returns what the name of the test's own database ends with.
func suffix(tb testing.TB, dsn string) string {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	return u.Path[len(u.Path)-8:]
}

// Open changes nothing, so a schema that is not this program's is refused.
func TestOlderSchema(t *testing.T) {
	t.Parallel()
	dsn := devenv.Postgres(t)
	_, err := postgres.Open(t.Context(), options(t, dsn))
	refused(t, "an empty database", err, postgres.ErrOlder, "nastavnik migrate up")
	if s, err := postgres.Status(t.Context(), options(t, dsn)); err != nil || s.Version() != 0 || s.Pending() == 0 {
		t.Errorf("status of an empty database: %+v, %v", s, err)
	}
	if _, err := postgres.Migrate(t.Context(), options(t, dsn)); err != nil {
		t.Fatal(err)
	}
	if n, err := postgres.Migrate(t.Context(), options(t, dsn)); err != nil || n != 0 {
		t.Errorf("migrating again took %d steps, %v", n, err)
	}
	sqlExec(t, dsn, `DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)`)
	_, err = postgres.Open(t.Context(), options(t, dsn))
	refused(t, "a step is missing", err, postgres.ErrOlder, "шагов не хватает: 1")
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"ours":        `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)`,
		"the queue's": `INSERT INTO river_migration (line, version) VALUES ('main', 99999)`,
	} {
		dsn := database(t)
		sqlExec(t, dsn, statement)
		_, err := postgres.Open(t.Context(), options(t, dsn))
		refused(t, name+", open", err, migrations.ErrNewer, "обновите программу")
		_, err = postgres.Migrate(t.Context(), options(t, dsn))
		refused(t, name+", migrate", err, migrations.ErrNewer, "обновите программу")
		_, err = postgres.Status(t.Context(), options(t, dsn))
		refused(t, name+", status", err, migrations.ErrNewer, "99999")
	}
}

// What a server says when it cannot go on is told as what a person can do about it.
// The codes are the server's own, raised by it.
func TestRemedies(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	s := open(t, dsn)
	for code, want := range map[string]struct {
		is   error
		says string
	}{
		"53100": {postgres.ErrFull, "место"},
		"53300": {knowledge.ErrAway, "max_connections"},
		"57P01": {knowledge.ErrAway, "недоступен"},
		"57P03": {knowledge.ErrAway, "недоступен"},
		"08006": {knowledge.ErrAway, "недоступен"},
		"42501": {postgres.ErrRefused, "migrate up"},
		"42P01": {postgres.ErrOlder, "migrate up"},
		"23503": {knowledge.ErrNotFound, ""},
		"23505": {knowledge.ErrConflict, ""},
		"23514": {knowledge.ErrInvalid, ""},
		"54000": {knowledge.ErrInvalid, ""},
	} {
		sqlExec(t, dsn, fmt.Sprintf(`CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '%s'; END $$`, code),
			`CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON persons FOR EACH ROW EXECUTE FUNCTION refuse()`)
		err := s.Write(t.Context(), putPerson(t.Context(), "Иван"))
		refused(t, code, err, want.is, want.says)
	}
	sqlExec(t, dsn, `DROP TRIGGER refuse ON persons`)
	if err := s.Write(t.Context(), putPerson(t.Context(), "Иван")); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

// A server that has no connection left is away for now, and what to do is said.
func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	name := "nastavnik_few_" + suffix(t, dsn)
	few := role(t, dsn, name)
	o := options(t, few)
	o.Owner = dsn
	if _, err := postgres.Migrate(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	sqlExec(t, dsn, "ALTER ROLE "+name+" CONNECTION LIMIT 1")
	s, err := postgres.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Join(t.Context())
	refused(t, "a second connection", err, knowledge.ErrAway, "соединения")
}
