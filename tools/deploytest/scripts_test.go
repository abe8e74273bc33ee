package deploytest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func scripts() []string { return []string{"deploy/postgres-init.sh", "deploy/secrets.sh"} }

func TestScriptsParse(t *testing.T) {
	for _, name := range scripts() {
		if out, err := exec.Command("sh", "-n", inRoot(name)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	// What compose hands to a shell is a script too.
	s3 := compose(t).Services["s3"].Command
	if len(s3) != 1 || !strings.Contains(s3[0], "exec versitygw ") {
		t.Fatalf("the S3 server runs %q", s3)
	}
	check := exec.Command("sh", "-n")
	check.Stdin = strings.NewReader(s3[0])
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("the S3 server's script: %v\n%s", err, out)
	}
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Log("shellcheck is not here: the scripts were only parsed")
		return
	}
	for _, name := range scripts() {
		if out, err := exec.Command(shellcheck, inRoot(name)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// secrets.sh makes what the compose file wants, no two alike, and never again.
func TestSecretsAreMadeOnce(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "secrets")
	run := func() map[string]string {
		t.Helper()
		if out, err := exec.Command(inRoot("deploy/secrets.sh"), folder).CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v\n%s", err, out)
		}
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		made := map[string]string{}
		for _, e := range entries {
			b, err := os.ReadFile(filepath.Join(folder, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			made[e.Name()] = string(b)
			// A container's user is nobody here, and compose keeps owner and mode.
			if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o444 {
				t.Errorf("%s: %v %v", e.Name(), info.Mode(), err)
			}
		}
		return made
	}
	made := run()
	var want []string
	for name := range compose(t).Secrets {
		want = append(want, name)
	}
	var got []string
	seen := map[string]bool{}
	for name, secret := range made {
		got = append(got, name)
		if seen[secret] || len(secret) < 48 || strings.ContainsAny(secret, " \n") {
			t.Errorf("%s is not as random as it should be, or has a line break", name)
		}
		seen[secret] = true
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("made %v, the compose file wants %v", got, want)
	}
	for role, file := range map[string]string{"nastavnik": "postgres", "nastavnik_owner": "postgres_owner"} {
		if dsn := fmt.Sprintf("postgres://%s:%s@postgres:5432/nastavnik?sslmode=disable", role, made[file+"_password"]); made[file+"_dsn"] != dsn {
			t.Errorf("the DSN of %s is not made of its password", role)
		}
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is open to others: %v %v", info.Mode(), err)
	}
	for name, secret := range run() {
		if secret != made[name] {
			t.Errorf("%s was made again", name)
		}
	}
}

// pgBin returns the folder of PostgreSQL's programs, psql among them, or "".
func pgBin() string {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.Reverse(folders)
	for _, folder := range append([]string{os.Getenv("PG_BIN")}, folders...) {
		if _, err := os.Stat(filepath.Join(folder, "psql")); folder != "" && err == nil {
			if _, err := os.Stat(filepath.Join(folder, "initdb")); err == nil {
				return folder
			}
		}
	}
	return ""
}

// The init script on a real server: the owner can change the schema, the bot's
// role can change rows and nothing else, and Russian letters have their case.
func TestPostgresRoles(t *testing.T) {
	bin := pgBin()
	if bin == "" {
		t.Log("there are no initdb and psql in PG_BIN or /usr/lib/postgresql: the script was only parsed")
		return
	}
	s := newServer(t, bin)
	// A copy: the server's user need not be able to enter the project's folder.
	script := filepath.Join(s.folder, "postgres-init.sh")
	write(t, script, read(t, "deploy/postgres-init.sh"))
	if out, err := s.run("", "/bin/sh", script); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range []struct{ role, sql, want, fails string }{
		{role: "nastavnik_owner", sql: "CREATE TABLE t (id bigserial PRIMARY KEY, s text)"},
		{role: "nastavnik_owner", sql: "CREATE EXTENSION pg_trgm"},
		{role: "nastavnik", sql: "INSERT INTO t (s) VALUES ('ЁЖИК') RETURNING id", want: "1"},
		{role: "nastavnik", sql: "SELECT lower(s) FROM t", want: "ёжик"},
		{role: "nastavnik", sql: "UPDATE t SET s = 'ёж'; DELETE FROM t"},
		{role: "nastavnik", sql: "CREATE TEMPORARY TABLE rows (x int)"},
		{role: "nastavnik", sql: "CREATE TABLE mine (x int)", fails: "permission denied for schema public"},
		{role: "nastavnik", sql: "ALTER TABLE t ADD x int", fails: "must be owner"},
		{role: "nastavnik", sql: "DROP TABLE t", fails: "must be owner"},
		{role: "nastavnik", sql: "CREATE ROLE other", fails: "permission denied"},
		{role: "nastavnik_owner", sql: "CREATE ROLE other", fails: "permission denied"},
	} {
		out, err := s.run(c.role, filepath.Join(bin, "psql"), "-X", "-q", "-A", "-t", "-d", "nastavnik", "-c", c.sql)
		switch {
		case c.fails == "" && (err != nil || c.want != "" && strings.TrimSpace(out) != c.want):
			t.Errorf("%s: %s: %v, %q", c.role, c.sql, err, out)
		case c.fails != "" && (err == nil || !strings.Contains(out, c.fails)):
			t.Errorf("%s: %s: %v, %q, want a refusal: %s", c.role, c.sql, err, out, c.fails)
		}
	}
	if out, err := s.run("", "/bin/sh", script); err == nil || !strings.Contains(out, "already exists") {
		t.Errorf("a second run should say what is there already: %v, %q", err, out)
	}
}

// server is a throw-away PostgreSQL on a socket in a folder of its own.
type server struct {
	folder string
	env    []string
	user   *syscall.SysProcAttr
}

func newServer(t *testing.T, bin string) *server {
	t.Helper()
	folder, err := os.MkdirTemp("", "pg") // a short path: a socket's name has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	s := &server{folder: folder, env: append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "PGHOST="+folder, "SECRETS="+folder)}
	for _, name := range []string{"postgres_owner_password", "postgres_password"} {
		write(t, filepath.Join(folder, name), name+"'\"$x") // quotes are no trap
	}
	if os.Geteuid() == 0 {
		// PostgreSQL refuses to be root.
		const nobody = 65534
		s.user = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if err := os.Chown(folder, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(folder, "data")
	if out, err := s.run("", filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--locale=C.UTF-8", "--encoding=UTF8"); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	ctl := filepath.Join(bin, "pg_ctl")
	if out, err := s.run("", ctl, "start", "-w", "-D", data, "-l", filepath.Join(folder, "log"), "-o", "-F -c listen_addresses='' -k "+folder); err != nil {
		t.Fatalf("start: %v\n%s", err, out)
	}
	t.Cleanup(func() { _, _ = s.run("", ctl, "stop", "-D", data, "-m", "immediate") })
	return s
}

// run runs a program as a role of the database, "" for the superuser.
func (s *server) run(role, program string, args ...string) (string, error) {
	if role == "" {
		role = "postgres"
	}
	c := exec.Command(program, args...)
	c.Env = append(slices.Clip(s.env), "PGUSER="+role)
	c.Dir, c.SysProcAttr = s.folder, s.user
	out, err := c.CombinedOutput()
	return string(out), err
}
