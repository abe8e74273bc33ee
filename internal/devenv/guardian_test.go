package devenv

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// envOrphan makes this test binary the process that starts servers and is killed.
const envOrphan = "NASTAVNIK_DEVENV_ORPHAN"

func TestMain(m *testing.M) {
	if os.Getenv(envOrphan) == "" {
		os.Exit(m.Run())
	}
	for _, p := range []program{postgres(), s3(), telegramAPI()} {
		s, err := launchTemporary(context.Background(), p)
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(s.Addr, s.dir)
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test lets it go
}

// A test process has no way to clean up after itself when it is killed, and none
// when it ends and its tests shared a server.
func TestServersEndWithTheirProcess(t *testing.T) {
	t.Parallel()
	for name, kill := range map[string]bool{"killed": true, "ended": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			findTelegram := func() (string, error) { _, home, err := findTelegramAPI(); return home, err }
			for _, find := range []func() (string, error){findPostgres, findVersitygw, findTelegram} {
				if _, err := find(); err != nil {
					unavailable(t, err)
				}
			}
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), envOrphan+"=1")
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			servers := map[string]string{} // address to folder
			for lines := bufio.NewScanner(stdout); lines.Scan() && lines.Text() != "ready"; {
				addr, dir, _ := strings.Cut(lines.Text(), " ")
				servers[addr] = dir
				if !answers(addr) {
					t.Errorf("no server: %s", lines.Text())
				}
			}
			if len(servers) != 3 {
				t.Errorf("%d servers, want 3", len(servers))
			}
			if kill {
				_ = cmd.Process.Kill()
			}
			_ = stdin.Close()
			_ = cmd.Wait()
			for addr, dir := range servers {
				waitFor(t, "the server of "+dir+" to end", func() bool { return !answers(addr) })
				waitFor(t, dir+" to be removed", func() bool { _, err := os.Stat(dir); return errors.Is(err, fs.ErrNotExist) })
			}
		})
	}
}

func answers(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// A command starts servers beside tests of other packages that do the same.
func TestReservedPortsAreNotHandedOutAgain(t *testing.T) {
	t.Parallel()
	taken := map[int]bool{}
	for range 200 {
		first, release, err := reservePorts(milvusPorts)
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		for port := first; port < first+milvusPorts; port++ {
			if taken[port] {
				t.Fatalf("port %d is reserved twice", port)
			}
			taken[port] = true
		}
	}
	first, release, err := reservePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	l, err := listen(first)
	if err != nil {
		t.Fatalf("a reserved port is not free: %v", err)
	}
	defer l.Close()
	if portsFree(first, 1) {
		t.Errorf("port %d is taken and said to be free", first)
	}
	release()
}

// A fakeTB ends as a test does, and says how.
type fakeTB struct {
	testing.TB
	skipped, failed string
}

func (*fakeTB) Helper() {}

func (f *fakeTB) Skip(args ...any) { f.skipped = fmt.Sprint(args...); panic(f) }

func (f *fakeTB) Fatal(args ...any) { f.failed = fmt.Sprint(args...); panic(f) }

func TestMissingServers(t *testing.T) {
	missing := fmt.Errorf("start s3: %w", missingError{what: "no S3", remedy: "get it"})
	broken := errors.New("it ended by itself")
	end := func(ci string, err error) *fakeTB {
		t.Setenv("CI", ci)
		tb := &fakeTB{}
		func() {
			defer func() { _ = recover() }()
			unavailable(tb, err)
		}()
		return tb
	}
	if got := end("", missing); !strings.Contains(got.skipped, "get it") {
		t.Errorf("on a developer's machine: %+v, want a skip that says how to get it", got)
	}
	if got := end("true", missing); !strings.Contains(got.failed, "get it") {
		t.Errorf("under CI: %+v, want a failure that says how to get it", got)
	}
	if got := end("", broken); got.failed == "" {
		t.Errorf("a server that does not work: %+v, want a failure", got)
	}
	if !IsMissing(errors.Join(missing, missing)) || IsMissing(errors.Join(missing, broken)) || IsMissing(broken) || IsMissing(nil) {
		t.Error("IsMissing does not tell a missing server from a broken one")
	}
}

func TestPrivateMilvusKeepsItsData(t *testing.T) {
	t.Parallel()
	server := PrivateMilvus(t)
	search := func() error {
		return milvusCall(t.Context(), server.Addr, "search", map[string]any{"collectionName": "kept", "vector": []float32{1, 0}, "limit": 1})
	}
	if err := milvusCall(t.Context(), server.Addr, "collections/create", map[string]any{"collectionName": "kept", "dimension": 2}); err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(){"kill": server.Kill, "stop": server.Stop} {
		end()
		if search() == nil {
			t.Errorf("%s: the server still answers", name)
		}
		server.Start()
		if err := search(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A developer's set is made once and found again.
func TestPrepare(t *testing.T) {
	t.Parallel()
	sql, files := PrivatePostgres(t), PrivateS3(t)
	for range 2 {
		if err := prepareDatabase(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
		if err := prepareBucket(t.Context(), files); err != nil {
			t.Fatal(err)
		}
	}
	owner := postgresDSN("nastavnik_owner", "nastavnik", sql.Addr, "nastavnik")
	if err := maintain(t.Context(), owner, "CREATE TABLE made (id int)"); err != nil {
		t.Errorf("the owner: %v", err)
	}
	runs := postgresDSN("nastavnik", "nastavnik", sql.Addr, "nastavnik")
	if err := maintain(t.Context(), runs, "SELECT 1"); err != nil {
		t.Errorf("the role that runs: %v", err)
	}
	if err := maintain(t.Context(), runs, "DROP TABLE made"); err == nil {
		t.Error("the role that runs changes the schema")
	}
}

func TestFillMilvus(t *testing.T) {
	t.Parallel()
	const template = `proxy:
  timeTickInterval: 200 # ms
  ip: # of this machine
  port: {{ proxy_port(int): 19530 }}
  level: {{ level: info }} # words
  dir: {{ dir }}
common:
  gracefulStopTimeout: 1800 # seconds
  session:
    ttl: 30 # seconds
`
	got, err := fillMilvus(template, map[string]string{"proxy_port": "7", "dir": "/d"}, 5)
	if err != nil {
		t.Fatal(err)
	}
	const want = `proxy:
  timeTickInterval: 20 # ms
  ip: 127.0.0.1 # of this machine
  port: 7
  level: info # words
  dir: /d
common:
  gracefulStopTimeout: 1 # seconds
  session:
    ttl: 5 # seconds
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := fillMilvus("proxy:\n", nil, 5); err == nil {
		t.Error("the template of another version is taken")
	}
}

func TestS3URL(t *testing.T) {
	t.Parallel()
	want := Bucket{Endpoint: "127.0.0.1:9", AccessKey: "key", SecretKey: "s/e:c@r?e&t", Region: "eu-1"}
	if got, err := parseS3(want.url()); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, text := range []string{"", "127.0.0.1:9", "https://a:b@h:1", "http://h:1", "http://a:hidden@h:x"} {
		if _, err := parseS3(text); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("parseS3(%q): %v", text, err)
		}
	}
}
