package configs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/configs"
)

const canary = "канарейка-7f3a"

// However a configuration is shown, nobody sees a secret.
func TestSecretsAreNotShown(t *testing.T) {
	environ := []string{
		"NASTAVNIK_POSTGRES_DSN=postgres://bot:" + canary + "@db/x", "NASTAVNIK_POSTGRES_OWNER=postgres://owner:" + canary + "@db/x",
		"NASTAVNIK_MILVUS_PASSWORD=" + canary, "NASTAVNIK_OPENAI_KEY=" + canary,
		"NASTAVNIK_S3_KEY=" + canary, "NASTAVNIK_S3_SECRET=" + canary,
	}
	c, err := configs.Load("", environ)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(c.Postgres.DSN.Reveal(), canary) {
		t.Fatalf("the secret itself is %q", c.Postgres.DSN.Reveal())
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("configured", "config", c, "key", c.S3.Secret)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("configured", "config", c, "key", c.S3.Secret)
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	yaml, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{
		"String": c.OpenAI.Key.String(), "%v": fmt.Sprintf("%v", c), "%+v": fmt.Sprintf("%+v", c), "%#v": fmt.Sprintf("%#v", c),
		"%s": fmt.Sprintf("%s", c.S3.Key), "%q": fmt.Sprintf("%q", c.S3.Key), "%x": fmt.Sprintf("%x", c.S3.Key), "%d": fmt.Sprintf("%d", []configs.Secret{c.S3.Key}),
		"log": log.String(), "JSON": string(encoded), "YAML": yaml, "error": fmt.Errorf("with %w: %v", os.ErrExist, c.S3).Error(),
	}
	for how, text := range shown {
		if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
			t.Errorf("%s shows the secret: %s", how, text)
		}
	}
	if !strings.Contains(yaml, "'***'") && !strings.Contains(yaml, `"***"`) {
		t.Errorf("nor that there is one: %s", yaml)
	}
	if configs.Secret("").String() != "" {
		t.Error("no secret looks like one")
	}
}

func TestValuesFromFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(path, []byte(" postgres://bot@db/x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := configs.Load("", []string{"NASTAVNIK_POSTGRES_DSN_FILE=" + path, "NASTAVNIK_LANGUAGE_FILE=" + path + "x", "NASTAVNIK_OTHER_FILE=/no/such"})
	if err == nil || !strings.Contains(err.Error(), "NASTAVNIK_LANGUAGE_FILE") || strings.Contains(err.Error(), "OTHER") {
		t.Errorf("a file that is not there: %v", err)
	}
	if c, err = configs.Load("", []string{"NASTAVNIK_POSTGRES_DSN_FILE=" + path}); err != nil || c.Postgres.DSN.Reveal() != "postgres://bot@db/x" {
		t.Errorf("from a file: %q, %v", c.Postgres.DSN.Reveal(), err)
	}
}

func TestServersAreChecked(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"pool of one":          {"postgres: {pool: 1}", "postgres.pool"},
		"owner alone":          {"postgres: {owner: x}", "postgres.dsn"},
		"milvus without port":  {"postgres: {dsn: x}\nmilvus: {address: localhost}", "milvus.address"},
		"milvus without base":  {"milvus: {address: 'localhost:19530'}", "postgres.dsn"},
		"name of a collection": {"milvus: {collection: мои-векторы}", "milvus.collection"},
		"no url":               {"openai: {url: localhost, query: m}", "openai.url"},
		"password in the url":  {"openai: {url: 'https://u:p@host/v1', query: m}", "openai.url"},
		"no model":             {"openai: {url: 'https://host/v1'}", "openai.query"},
		"endpoint with scheme": {"s3: {endpoint: 'http://host', bucket: b, key: k, secret: s}", "s3.endpoint"},
		"no bucket":            {"s3: {endpoint: 'host:1', key: k, secret: s}", "s3.bucket"},
		"no keys":              {"s3: {endpoint: 'host:1', bucket: b}", "s3.key"},
		"limit":                {"files: {limit: много}", "files.limit"},
		"limit of nothing":     {"files: {limit: '0'}", "files.limit"},
		"listen":               {"http: {listen: '8080'}", "http.listen"},
	} {
		if _, err := configs.Load(write(t, c.text), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error that names %s", name, err, c.want)
		}
	}
	good := "postgres: {dsn: 'postgres://bot@db/x', owner: 'postgres://o@db/x', pool: 4}\nmilvus: {address: 'milvus:19530', tls: true}\n" +
		"openai: {url: 'https://host/v1', query: m, dim: 384, prefix: {query: 'query: '}}\ns3: {endpoint: 'host:9000', bucket: b, key: k, secret: s}\nfiles: {limit: 5MB}\nhttp: {listen: '127.0.0.1:8080'}"
	c, err := configs.Load(write(t, good), nil)
	if err != nil || c.Files.Bytes() != 5_000_000 || c.OpenAI.Prefix.Query != "query: " {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestProductionExampleLoads(t *testing.T) {
	if _, err := configs.Load("production.example.yaml", nil); err != nil {
		t.Error(err)
	}
}
