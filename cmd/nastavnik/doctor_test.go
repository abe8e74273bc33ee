package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
)

// diagnose runs doctor and returns the states of the parts by their names.
func (c cli) diagnose(wantCode int, args ...string) map[string]findingsJSON {
	c.t.Helper()
	r := c.run(append([]string{"doctor", "--json"}, args...)...)
	if r.code != wantCode {
		c.t.Fatalf("doctor: exit %d, want %d\n%s%s", r.code, wantCode, r.out, r.err)
	}
	var d diagnosisJSON
	decode(c.t, r.out, &d)
	if d.OK != (wantCode == 0) {
		c.t.Errorf("ok is %v with exit %d", d.OK, r.code)
	}
	out := map[string]findingsJSON{}
	for _, f := range d.Parts {
		if f.State != partOK && f.Problem == "" {
			c.t.Errorf("%s is %s, and nobody says why", f.Part, f.State)
		}
		out[f.Part] = f
	}
	return out
}

func wantState(t *testing.T, found map[string]findingsJSON, part, state, says string) {
	t.Helper()
	f, ok := found[part]
	if !ok || f.State != state || !strings.Contains(f.Problem+f.Version+f.Remedy, says) {
		t.Errorf("%s: %+v, want %s with %q", part, f, state, says)
	}
}

func TestDoctorLooksWithoutTouching(t *testing.T) {
	c := cli{t: t, data: filepath.Join(t.TempDir(), "ещё нет")}
	found := c.diagnose(0)
	wantState(t, found, "record", partWarning, "базы ещё нет")
	if _, err := os.Stat(c.data); !os.IsNotExist(err) {
		t.Errorf("doctor has made the data folder: %v", err)
	}
	c.must("import", c.file("kb.jsonl", threeEntries))
	found = c.diagnose(0)
	for _, part := range []string{"config", "record", "schema", "queue", "index", "embedder", "files", "bot", "http", "zone", "disk"} {
		wantState(t, found, part, partOK, "")
	}
	wantState(t, found, "bot", partOK, "никто")
	if text := c.must("doctor"); !strings.Contains(text, "Хранилище данных") || !strings.Contains(text, "в порядке") {
		t.Errorf("doctor prints\n%s", text)
	}
	b := startBot(t, c.data)
	wantState(t, c.diagnose(0), "bot", partOK, fmt.Sprintf("процесс %d", b.cmd.Process.Pid))
	b.kill()
	wantState(t, c.diagnose(0), "bot", partWarning, "завершился не сам")
}

func TestDoctorFindsDamage(t *testing.T) {
	c := newCLI(t)
	if err := os.WriteFile(filepath.Join(c.data, "nastavnik.db"), []byte(strings.Repeat("не база ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	found := c.diagnose(exitFailed)
	wantState(t, found, "record", partFailed, "повреждён")
	wantState(t, found, "zone", partOK, "")
}

// A configuration that no command would take is looked at all the same, and its
// secrets are nobody's business.
func TestDoctorWithABrokenConfiguration(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	go func() {
		for {
			conn, err := taken.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	t.Setenv("NASTAVNIK_POSTGRES_DSN", "postgres://bot:taynaya-pechat@"+silent.Addr().String()+"/base")
	t.Setenv("NASTAVNIK_POSTGRES_OWNER", "host=/nowhere user=owner password='vtoraya-tayna'")
	t.Setenv("NASTAVNIK_HTTP_LISTEN", taken.Addr().String())
	t.Setenv("NASTAVNIK_ZONE", "Mars/Phobos")
	t.Setenv("NASTAVNIK_LANGUAGE", "klingon")
	c := newCLI(t)
	began := time.Now()
	r := c.run("doctor", "--wait", "1s")
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("doctor waited %v for a server that says nothing", took)
	}
	if r.code != exitFailed {
		t.Errorf("exit %d", r.code)
	}
	if strings.Contains(r.out+r.err, "tayn") {
		t.Errorf("a password is shown:\n%s%s", r.out, r.err)
	}
	found := c.diagnose(exitFailed, "--wait", "1s")
	wantState(t, found, "config", partFailed, "Mars/Phobos")
	wantState(t, found, "config", partFailed, "klingon")
	wantState(t, found, "record", partFailed, "")
	wantState(t, found, "zone", partFailed, "Europe/Moscow")
	wantState(t, found, "http", partFailed, "занят")
	wantState(t, found, "disk", partOK, "свободно")
}

func TestDoctorOnPostgres(t *testing.T) {
	owner := devenv.Postgres(t)
	db, err := pgx.Connect(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	u, err := url.Parse(owner)
	if err != nil {
		t.Fatal(err)
	}
	role := "bot_" + strings.TrimPrefix(u.Path, "/")
	if _, err := db.Exec(t.Context(), `CREATE ROLE `+pgx.Identifier{role}.Sanitize()+` LOGIN PASSWORD 'parol-roli'`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db, err := pgx.Connect(t.Context(), owner)
		if err != nil {
			return
		}
		defer db.Close(t.Context())
		_, _ = db.Exec(t.Context(), `DROP OWNED BY `+pgx.Identifier{role}.Sanitize()+`; DROP ROLE `+pgx.Identifier{role}.Sanitize())
	})
	u.User = url.UserPassword(role, "parol-roli")
	t.Setenv("NASTAVNIK_POSTGRES_DSN", u.String())
	t.Setenv("NASTAVNIK_POSTGRES_OWNER", owner)
	c := newCLI(t)
	wantState(t, c.diagnose(exitFailed), "schema", partFailed, "migrate up")
	c.must("migrate", "up")
	found := c.diagnose(0)
	wantState(t, found, "record", partOK, "")
	wantState(t, found, "rights", partOK, "две роли")
	wantState(t, found, "bot", partOK, "реплик работает: 0")
	b := startBot(t, c.data)
	wantState(t, c.diagnose(0), "bot", partOK, "реплик работает: 1")
	b.kill()
	if _, err := db.Exec(t.Context(), `REVOKE DELETE ON answers FROM `+pgx.Identifier{role}.Sanitize()); err != nil {
		t.Fatal(err)
	}
	wantState(t, c.diagnose(exitFailed), "rights", partFailed, "answers")
}

// fetch asks a running bot over HTTP.
func fetch(t *testing.T, address, path string) (code int, body string) {
	t.Helper()
	r, err := http.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// freeAddress returns an address that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestServeTellsMonitorsHowItIs(t *testing.T) {
	address := freeAddress(t)
	t.Setenv("NASTAVNIK_HTTP_LISTEN", address)
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries))
	b := startBot(t, c.data)
	if code, body := fetch(t, address, "/healthz"); code != 200 {
		t.Errorf("/healthz: %d %s", code, body)
	}
	if code, body := fetch(t, address, "/readyz"); code != 200 || !strings.Contains(body, `"failing":[]`) {
		t.Errorf("/readyz: %d %s", code, body)
	}
	eventually(t, "the parts have been asked", func() bool {
		_, body := fetch(t, address, "/metrics")
		return strings.Contains(body, `nastavnik_part_up{part="record"} 1`) && strings.Contains(body, `nastavnik_part_up{part="index"} 1`)
	})
	_, body := fetch(t, address, "/metrics")
	for _, want := range []string{"nastavnik_inbox_waiting 0", "nastavnik_outbox_pending 0", "nastavnik_outbox_dead 0", "nastavnik_index_behind 0", "go_goroutines", "process_resident_memory_bytes"} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if code, _ := fetch(t, address, "/debug/pprof/"); code != 404 {
		t.Errorf("the profiler is exposed: %d", code)
	}
	wantState(t, c.diagnose(0), "http", partOK, "отвечает бот")
	r := newCLI(t).run("serve") // another data folder, the same port
	if r.code != exitFailed || !strings.Contains(r.err, "занят") || !strings.Contains(r.err, "http.listen") {
		t.Errorf("a second bot on the port: exit %d %s", r.code, r.err)
	}
	b.interrupt()
	if code := b.code(); code != 0 {
		t.Errorf("exit %d: %s", code, b.err.String())
	}
}
