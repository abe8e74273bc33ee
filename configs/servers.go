package configs

import (
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/dustin/go-humanize"
)

// Postgres is the record of truth in production.
type Postgres struct {
	// DSN of the role that runs; "" keeps everything in the data folder.
	DSN Secret `koanf:"dsn"`
	// Owner is the DSN of the role that migrates; "" for the same role.
	Owner Secret `koanf:"owner"`
	// Pool is how many connections one process opens at most.
	Pool int `koanf:"pool"`
}

// Milvus is the index of vectors in production.
type Milvus struct {
	// Address is host:port; "" keeps vectors in memory.
	Address  string `koanf:"address"`
	User     string `koanf:"user"`
	Password Secret `koanf:"password"`
	TLS      bool   `koanf:"tls"`
	// Collection is the name under which the bot's collection is found.
	Collection string `koanf:"collection"`
}

// OpenAI is an embedder behind an endpoint that speaks OpenAI's protocol.
type OpenAI struct {
	// URL of the API, as https://host/v1; "" for the built-in model.
	URL string `koanf:"url"`
	Key Secret `koanf:"key"`
	// Query and Passage are the models of the two kinds of texts; no Passage: the
	// same.
	Query   string `koanf:"query"`
	Passage string `koanf:"passage"`
	// Served is the name that responses give the model, where it is another one.
	Served string `koanf:"served"`
	// Prefix stands before every text, for models that want it and servers that do not
	// add it.
	Prefix Prefix `koanf:"prefix"`
	// Dim is how many numbers a vector has; 0 asks the endpoint.
	Dim int `koanf:"dim"`
}

// Prefix is what stands before the texts of the two kinds.
type Prefix struct {
	Query   string `koanf:"query"`
	Passage string `koanf:"passage"`
}

// S3 keeps files in production.
type S3 struct {
	// Endpoint is host:port; "" keeps files in the data folder.
	Endpoint string `koanf:"endpoint"`
	Bucket   string `koanf:"bucket"`
	Region   string `koanf:"region"`
	Key      Secret `koanf:"key"`
	Secret   Secret `koanf:"secret"`
	TLS      bool   `koanf:"tls"`
	// Prefix of the names of all objects.
	Prefix string `koanf:"prefix"`
}

// Files bounds attachments.
type Files struct {
	// Limit is the size of the largest file, as 20MB.
	Limit string `koanf:"limit"`
}

// Bytes returns the limit; Validate has checked it.
func (f Files) Bytes() int64 {
	n, err := humanize.ParseBytes(f.Limit)
	if err != nil || n > maxFile {
		return maxFile
	}
	return int64(n)
}

// HTTP is what the bot serves to monitors and browsers.
type HTTP struct {
	// Listen is host:port; "" serves nothing.
	Listen string `koanf:"listen"`
	// URL is the address of the bot as browsers see it; "" for http:// and Listen.
	URL string `koanf:"url"`
	// Key signs links to files: the same in all replicas, 32 bytes at least; "" for one
	// that is kept in the data folder.
	Key Secret `koanf:"key"`
}

const (
	maxPool = 1_000
	maxDim  = 32_768 // Milvus 2.3, https://milvus.io/docs/v2.3.x/limitations.md
	maxFile = 1 << 30

	minLinkKey = 32 // as long as the signature
)

// collectionName is what Milvus takes as a name, short enough for a number behind it.
var collectionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,199}$`)

func (c Config) validateServers(bad func(key, format string, args ...any)) {
	if c.Postgres.Pool < 2 || c.Postgres.Pool > maxPool {
		bad("postgres.pool", "от 2 до %d, а не %d", maxPool, c.Postgres.Pool)
	}
	if c.Postgres.Owner != "" && c.Postgres.DSN == "" {
		bad("postgres.dsn", "задан владелец (postgres.owner), но не роль, под которой работает бот")
	}
	if !isHostPort(c.HTTP.Listen) {
		bad("http.listen", "нужен вид узел:порт, а не %q", c.HTTP.Listen)
	}
	if key := c.HTTP.Key.Reveal(); key != "" && len(key) < minLinkKey {
		bad("http.key", "не короче %d байт: openssl rand -hex 32", minLinkKey)
	}
	c.validateMilvus(bad)
	c.validateOpenAI(bad)
	c.validateFiles(bad)
}

// isHostPort reports whether an address is host:port, or none.
func isHostPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return address == "" || err == nil && port != ""
}

func (c Config) validateMilvus(bad func(key, format string, args ...any)) {
	if !isHostPort(c.Milvus.Address) {
		bad("milvus.address", "нужен вид узел:порт, а не %q", c.Milvus.Address)
	}
	if !collectionName.MatchString(c.Milvus.Collection) {
		bad("milvus.collection", "латинские буквы, цифры и подчёркивания, не длиннее 200, а не %q", c.Milvus.Collection)
	}
	if c.Milvus.Address != "" && c.Postgres.DSN == "" {
		bad("milvus.address", "Milvus хранит векторы только вместе с PostgreSQL: задайте postgres.dsn или уберите адрес")
	}
}

func (c Config) validateOpenAI(bad func(key, format string, args ...any)) {
	if c.OpenAI.URL == "" {
		return
	}
	u, err := url.Parse(c.OpenAI.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		bad("openai.url", "нужен вид https://узел/v1, без пароля в адресе")
	}
	if c.OpenAI.Query == "" {
		bad("openai.query", "назовите модель")
	}
	if c.OpenAI.Dim < 0 || c.OpenAI.Dim > maxDim {
		bad("openai.dim", "от 0 до %d, а не %d", maxDim, c.OpenAI.Dim)
	}
}

func (c Config) validateFiles(bad func(key, format string, args ...any)) {
	if n, err := humanize.ParseBytes(c.Files.Limit); err != nil || n == 0 || n > maxFile {
		bad("files.limit", "размер до 1GB, например 20MB, а не %q", c.Files.Limit)
	}
	if c.S3.Endpoint == "" {
		return
	}
	if strings.Contains(c.S3.Endpoint, "/") {
		bad("s3.endpoint", "узел:порт без http:// (шифрование включает s3.tls), а не %q", c.S3.Endpoint)
	}
	if c.S3.Bucket == "" {
		bad("s3.bucket", "назовите бакет")
	}
	if c.S3.Key == "" || c.S3.Secret == "" {
		bad("s3.key", "задайте s3.key и s3.secret (лучше файлами: NASTAVNIK_S3_SECRET_FILE)")
	}
}
