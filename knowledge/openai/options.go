package openai

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Defaults of [Options].
const (
	DefaultBatch    = 64
	DefaultTimeout  = 5 * time.Second
	DefaultRetries  = 3
	DefaultMaxChars = 8000
	DefaultPause    = 3 * time.Second
)

// Options say where the server is and which models embed.
type Options struct {
	// URL is the address under which the server has /embeddings, as in
	// https://api.openai.com/v1. Without a path, /v1 is meant. It must carry neither
	// credentials nor a query: the key has its own place.
	URL string
	// Key authorises the requests; "" sends none.
	Key string `json:"-"`
	// Query and Passage are the names by which the server knows the models for the two
	// kinds of texts. Passage "" is the same as Query.
	Query, Passage string
	// Served is the name that the server's responses give the model, where it is not
	// the one that was asked for. "" accepts what was asked for, and a version of it.
	Served string
	// QueryPrefix and PassagePrefix stand before every text of the kind, for models
	// that want it and servers that do not add it.
	QueryPrefix, PassagePrefix string
	// Dim is the length of the vectors; 0 has New learn it with one request. Only with
	// it set does New succeed while the server is away.
	Dim int
	// Batch is how many texts go into one request at most; 0 is DefaultBatch.
	Batch int
	// MaxChars is how many characters of a text are embedded, 0 for DefaultMaxChars: a
	// server refuses what is too long for its model, and a refused text would never
	// get a vector.
	MaxChars int
	// Timeout is how long a question may take with all repetitions, as people wait for
	// it; 0 is DefaultTimeout. Requests of several texts, or of passages, may take twelve
	// times as long. A deadline of the context's may make it shorter: the caller is left a
	// fifth of its time.
	Timeout time.Duration
	// Retries is how often a request is repeated that may yet succeed; 0 is
	// DefaultRetries, a negative number never repeats.
	Retries int
	// Pause is how long Embed asks nothing of a server that was away, so that not
	// every search waits for it; 0 is DefaultPause. A server that says when to come back
	// is not asked sooner, but for ten minutes at most.
	Pause time.Duration
	// Log is told of repetitions, at the level Debug; nil is silent.
	Log *slog.Logger
	// HTTPClient sends the requests; nil is one of the package's own. Redirects are not
	// followed in either case, as they would take the key elsewhere.
	HTTPClient *http.Client
}

// String tells the options without the key.
func (o Options) String() string {
	return fmt.Sprintf("openai.Options{URL: %s, Query: %q, Passage: %q, Dim: %d}", origin(o.URL), o.Query, o.Passage, o.Dim)
}

// GoString is String, for %#v.
func (o Options) GoString() string { return o.String() }

// LogValue is String, for slog.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

// origin is what of an address may be shown: a path or a query may hold a token.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "(неверный адрес)"
	}
	return u.Scheme + "://" + u.Host
}

// complete fills in what was left to the defaults, or says what is wrong.
func (o Options) complete() (Options, error) {
	var err error
	if o.URL, err = base(o.URL); err != nil {
		return o, err
	}
	o.Key = strings.TrimSpace(o.Key) // a file's last line ends with a newline
	if o.Key != printable(o.Key) {
		return o, invalid("ключ сервера векторов содержит недопустимые символы: вставьте его заново, одной строкой")
	}
	if o.Query == "" {
		return o, invalid("не задана модель сервера векторов: укажите её имя так, как его знает сервер")
	}
	if o.Passage == "" {
		o.Passage = o.Query
	}
	if o.Dim < 0 || o.Batch < 0 || o.MaxChars < 0 || o.Timeout < 0 || o.Pause < 0 {
		return o, invalid("числа в настройках сервера векторов не могут быть отрицательными")
	}
	o.Batch = or(o.Batch, DefaultBatch)
	o.MaxChars = or(o.MaxChars, DefaultMaxChars)
	o.Timeout = or(o.Timeout, DefaultTimeout)
	o.Pause = or(o.Pause, DefaultPause)
	o.Retries = max(or(o.Retries, DefaultRetries), 0)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.HTTPClient = withoutRedirects(o.HTTPClient)
	return o, nil
}

func or[T int | time.Duration](given, otherwise T) T {
	if given == 0 {
		return otherwise
	}
	return given
}

func invalid(sentence string) error { return fmt.Errorf("%s: %w", sentence, knowledge.ErrInvalid) }

// base checks an address and gives it the form that the requests need: what stands
// before /embeddings.
func base(address string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		// The address itself is not shown: who mistypes it may have put a password in.
		return "", invalid("адрес сервера векторов непонятен: нужен вид https://сервер/v1")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", invalid("в адресе сервера векторов не должно быть пароля, «?» и «#»: уберите их, ключ задаётся отдельно")
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/embeddings")
	u.RawPath = ""
	if u.Path == "" {
		u.Path = "/v1"
	}
	return u.String(), nil
}

// withoutRedirects returns a copy of a client that follows none.
func withoutRedirects(given *http.Client) *http.Client {
	c := &http.Client{}
	if given != nil {
		*c = *given
	} else if t, ok := http.DefaultTransport.(*http.Transport); ok {
		c.Transport = t.Clone()
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// exposed reports whether the key crosses a network that others may listen to.
func (o Options) exposed() bool {
	u, err := url.Parse(o.URL)
	if err != nil || o.Key == "" || u.Scheme == "https" || u.Hostname() == "localhost" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return ip == nil || !ip.IsLoopback()
}

// model is the name under which the server knows the model of a kind.
func (o Options) model(kind knowledge.EmbedKind) string {
	if kind == knowledge.PassageText {
		return o.Passage
	}
	return o.Query
}

// input is a text as it is sent. Servers refuse an empty one, so that one text would
// keep its whole batch from being embedded: a full stop, which means as little,
// stands in.
func (o Options) input(kind knowledge.EmbedKind, text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if strings.TrimSpace(text) == "" {
		text = "."
	}
	n := 0
	for i := range text {
		if n == o.MaxChars {
			text = text[:i]
			break
		}
		n++
	}
	if kind == knowledge.PassageText {
		return o.PassagePrefix + text
	}
	return o.QueryPrefix + text
}

// name identifies the embedder by all that changes its vectors, and by nothing else:
// an endpoint that moves, or a new key, must not cost all vectors.
func (o Options) name() string {
	models := o.Query
	if o.Passage != o.Query {
		models += "+" + o.Passage
	}
	name := fmt.Sprintf("openai/%s/%d", models, o.Dim)
	rest := []string{o.Served, o.QueryPrefix, o.PassagePrefix, fmt.Sprint(o.MaxChars)}
	if strings.Join(rest, "") == fmt.Sprint(DefaultMaxChars) && !strings.Contains(o.Query+o.Passage, "+") {
		return name
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", append(rest, o.Query, o.Passage)))
	return fmt.Sprintf("%s/%x", name, sum[:4])
}
