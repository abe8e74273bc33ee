package devenv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// milvusPorts is how many ports a server listens on: one for each of its parts,
// the metrics, and two of its own etcd.
const milvusPorts = 12

// How long a part of the server that is gone is still taken for present, in seconds.
// A restarted server makes no collection before it has forgotten its former self, so
// one that a test restarts forgets soon; another keeps Milvus' own value, because a
// machine that is very busy may let a living part seem gone.
const (
	milvusPatience  = 30
	milvusOblivious = 5
)

// milvus is a standalone Milvus with its own etcd, message queue and file storage.
func milvus(patience int) program {
	return program{
		name:  "milvus",
		ports: milvusPorts,
		setup: func(_ context.Context, s *Server) error { return setupMilvus(s, patience) },
		run:   runMilvus,
		ready: milvusSearches,
		stop:  syscall.SIGTERM,
		quit:  syscall.SIGKILL, // it takes seconds to end, and loses nothing when it is killed
	}
}

func (s *Server) milvusConfig(name string) string { return filepath.Join(s.dir, "configs", name) }

// setupMilvus writes the configuration: the template of the package, filled in.
func setupMilvus(s *Server, patience int) error {
	home, err := findMilvus()
	if err != nil {
		return err
	}
	if err := shareMilvusFolder(); err != nil {
		return err
	}
	for _, folder := range []string{"configs", "data", "logs"} {
		if err := os.MkdirAll(filepath.Join(s.dir, folder), 0o700); err != nil {
			return err
		}
	}
	template, err := os.ReadFile(filepath.Join(home, "config.yaml.template"))
	if err != nil {
		return err
	}
	config, err := fillMilvus(string(template), s.milvusValues(), patience)
	if err != nil {
		return err
	}
	glog, err := os.ReadFile(filepath.Join(home, "glog.conf"))
	if err != nil {
		return err
	}
	for name, text := range map[string]string{"milvus.yaml": config, "etcd.yaml": s.etcdConfig(), "glog.conf": string(glog)} {
		if err := os.WriteFile(s.milvusConfig(name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// milvusFolder is where every Milvus writes, whatever its configuration says.
const milvusFolder = "/tmp/milvus"

// shareMilvusFolder lets everybody write there, as in /tmp: left to itself the
// server makes the folder its user's own, and another user's does not start until
// it is gone.
func shareMilvusFolder() error {
	if err := os.Mkdir(milvusFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	_ = os.Chmod(milvusFolder, 0o777|os.ModeSticky) // as /tmp itself; fails where it is another user's
	probe, err := os.CreateTemp(milvusFolder, "nastavnik-")
	if err != nil {
		return fmt.Errorf("%s is another user's and Milvus must write there: remove it (sudo rm -r %s): %w", milvusFolder, milvusFolder, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// milvusValues returns what the template asks for. Ports count up from the proxy's,
// which is the one that clients use.
func (s *Server) milvusValues() map[string]string {
	values := map[string]string{
		"etcd_log_path":     filepath.Join(s.dir, "logs", "etcd.log"),
		"etcd_data_dir":     filepath.Join(s.dir, "data", "etcd"),
		"local_storage_dir": filepath.Join(s.dir, "data"),
		"rocksmq_data_dir":  filepath.Join(s.dir, "data", "rocksmq"),
		"system_log_path":   filepath.Join(s.dir, "logs"),
	}
	parts := []string{
		"proxy", "proxy_internal", "root_coord", "query_coord", "query_node",
		"index_coord", "index_node", "data_coord", "data_node", "etcd",
	}
	for i, part := range parts {
		values[part+"_port"] = strconv.Itoa(s.port + i)
	}
	return values
}

func (s *Server) milvusMetricsPort() int { return s.port + milvusPorts - 2 }

// etcdConfig is that of the etcd inside the server, which otherwise takes ports that
// another server has.
func (s *Server) etcdConfig() string {
	client := fmt.Sprintf("http://127.0.0.1:%d", s.port+9)
	peer := fmt.Sprintf("http://127.0.0.1:%d", s.port+milvusPorts-1)
	return fmt.Sprintf(`name: default
data-dir: %s
listen-client-urls: %s
advertise-client-urls: %s
listen-peer-urls: %s
initial-advertise-peer-urls: %s
initial-cluster: default=%s
`, filepath.Join(s.dir, "data", "etcd"), client, client, peer, peer, peer)
}

// milvusBlank is what the template has for a value: {{ name(type): default }}.
var milvusBlank = regexp.MustCompile(`\{\{ *(\w+)(?:\(\w+\))?(?:: *([^}]*?))? *\}\}`)

// fillMilvus fills the template in and changes what a test needs otherwise.
func fillMilvus(template string, values map[string]string, patience int) (string, error) {
	config := milvusBlank.ReplaceAllStringFunc(template, func(blank string) string {
		parts := milvusBlank.FindStringSubmatch(blank)
		if value, ok := values[parts[1]]; ok {
			return value
		}
		return parts[2]
	})
	changes := [][2]string{
		// A read with strong consistency waits for the next tick.
		{"\n  timeTickInterval: 200 ", "\n  timeTickInterval: 20 "},
		// Half an hour, otherwise.
		{"\n  gracefulStopTimeout: 1800 ", "\n  gracefulStopTimeout: 1 "},
		{"\n    ttl: 30 ", fmt.Sprintf("\n    ttl: %d ", patience)},
		// The address of its parts among themselves: a machine may have no other than this.
		{"\n  ip: #", "\n  ip: 127.0.0.1 #"},
	}
	for _, change := range changes {
		if !strings.Contains(config, change[0]) {
			return "", fmt.Errorf("the configuration template of Milvus has no %q: it is of another version", strings.TrimSpace(change[0]))
		}
		config = strings.ReplaceAll(config, change[0], change[1])
	}
	return config, nil
}

func runMilvus(s *Server) command {
	home, _ := findMilvus() // setup has found it
	bin := filepath.Join(home, "bin")
	alias := "nastavnik-" + strconv.Itoa(os.Getpid()) + "-" + strconv.Itoa(s.port)
	lock := "/standalone-" + alias + ".pid"
	return command{
		path: filepath.Join(bin, "milvus"),
		args: []string{"run", "standalone", "-alias", alias},
		env: append(os.Environ(),
			"LD_LIBRARY_PATH="+bin,
			"MILVUSCONF="+filepath.Join(s.dir, "configs"),
			"METRICS_PORT="+strconv.Itoa(s.milvusMetricsPort()),
			"DEPLOY_MODE=STANDALONE",
			"ETCD_USE_EMBED=true",
			"ETCD_CONFIG_PATH="+s.milvusConfig("etcd.yaml"),
		),
		// Which of the two folders has the lock depends on who may make the first.
		litter: []string{milvusFolder + "/server_id_@", milvusFolder + lock, "/run/milvus" + lock},
	}
}

// milvusSearches makes a collection, searches it and drops it: the server says that
// it is healthy long before it searches. It speaks HTTP on the port of gRPC, which
// spares every test that imports this package the client library.
func milvusSearches(ctx context.Context, s *Server) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return err
	}
	_ = conn.Close()
	name := "devenv_" + uniqueName()
	if err := milvusCall(ctx, s.Addr, "collections/create", map[string]any{"collectionName": name, "dimension": 2, "metricType": "COSINE"}); err != nil {
		return err
	}
	err = milvusCall(ctx, s.Addr, "search", map[string]any{"collectionName": name, "vector": []float32{1, 0}, "limit": 1})
	if dropped := milvusCall(ctx, s.Addr, "collections/drop", map[string]any{"collectionName": name}); err == nil {
		err = dropped
	}
	return err
}

func milvusCall(ctx context.Context, addr, method string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/v1/vector/"+method, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Close = true // no idle connection outlives the call
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask Milvus to %s: %w", method, err)
	}
	defer response.Body.Close()
	var answer struct {
		Code    int
		Message string
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return fmt.Errorf("ask Milvus to %s: %w", method, err)
	}
	if answer.Code != http.StatusOK {
		return fmt.Errorf("ask Milvus to %s: %d %s", method, answer.Code, answer.Message)
	}
	return nil
}
