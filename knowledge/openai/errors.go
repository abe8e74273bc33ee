package openai

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// What an administrator can do something about. The errors that wrap them say what,
// in Russian, and name the server.
var (
	// ErrRefused is a key that the server does not accept.
	ErrRefused = errors.New("embedding server refuses the key")
	// ErrModel is a model that the server does not have, or another one answering.
	ErrModel = errors.New("wrong embedding model")
	// ErrDimension is a vector of another length than the base's.
	ErrDimension = errors.New("wrong dimension")
	// ErrRejected is a request that the server does not accept, be it repeated or not:
	// more texts than it takes at once, or a text longer than its model reads.
	ErrRejected = errors.New("embedding server rejects the request")
	// ErrUnusable is a response that is no vectors, too few or too many, or such as
	// cannot be compared.
	ErrUnusable = errors.New("unusable response of the embedding server")
)

// failure is one request that came to nothing.
type failure struct {
	kind   error         // one of the above
	say    string        // what to do about it, for the administrator
	detail string        // what the machine said; only what is known to carry nobody's words
	late   bool          // all the time passed
	again  bool          // the same request may yet succeed
	wait   time.Duration // how long the server wants to be left alone, 0 if it did not say
}

// Error implements error, for the way through the client library.
func (f *failure) Error() string { return f.say }

// public is a failure as the callers see it. What others have said is cleaned of the
// key, which a server may echo.
func (e *Embedder) public(f *failure) error {
	where := "сервер векторов " + origin(e.o.URL)
	if f.detail == "" {
		return fmt.Errorf("%s %s: %w", where, f.say, f.kind)
	}
	return fmt.Errorf("%s %s (%s): %w", where, f.say, e.clean(f.detail), f.kind)
}

// clean takes the key, and what no terminal should print, out of a foreign text.
func (e *Embedder) clean(text string) string {
	text = printable(text)
	if e.key != nil {
		text = strings.ReplaceAll(text, e.key(), "***")
	}
	if r := []rune(text); len(r) > 300 {
		text = string(r[:300]) + "…"
	}
	return text
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
}

// unreached is the failure of a connection. Of the error only what the system, the
// name service or TLS says is told: others quote what the server sent.
func unreached(err error) *failure {
	f := &failure{kind: knowledge.ErrAway, again: true, say: "недоступен: проверьте, что он запущен и что адрес и сеть верны"}
	var op *net.OpError
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		f.detail, f.again = certificate.Err.Error(), false
		f.say = "показал сертификат, которому нельзя верить: установите сертификат вашего центра или исправьте адрес"
	case errors.As(err, &dns):
		f.detail = dns.Error()
	case errors.As(err, &op):
		f.detail = op.Error()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		f.detail = "соединение оборвалось"
	}
	return f
}

// late is the failure of a request that was given all its time.
func late(after time.Duration) *failure {
	return &failure{kind: knowledge.ErrAway, late: true, say: fmt.Sprintf("не ответил за %v: проверьте, что он не перегружен и доступен по сети", after.Round(time.Millisecond))}
}

// codes are what is told of a server's own code for an error: one of the published
// kind, all small letters. Its message may quote people's words.
var codes = regexp.MustCompile(`^[a-z_]{3,40}$`)

// answered is the failure that a status other than success stands for. About names
// the model that was asked for, code is the server's own word for it.
func answered(status int, code, about string) *failure {
	f := &failure{kind: ErrRejected, detail: fmt.Sprintf("HTTP %d", status)}
	if codes.MatchString(code) {
		f.detail += " " + code
	}
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		f.kind, f.say = ErrRefused, "не принимает ключ: проверьте, что он задан, не отозван и даёт право на модель "+about
	case status == http.StatusTooManyRequests:
		f.kind, f.again, f.say = knowledge.ErrAway, true, "просит обращаться реже или исчерпана квота: подождите или увеличьте её"
	case status >= http.StatusInternalServerError:
		f.kind, f.again, f.say = knowledge.ErrAway, true, "сообщает о своей ошибке: посмотрите его журнал"
	case status == http.StatusNotFound || strings.Contains(code, "model"):
		f.kind, f.say = ErrModel, "не знает модель "+about+", или адрес неверен: сверьте имя модели и путь (обычно …/v1)"
	case status >= 300 && status < 400:
		f.say = "переадресует в другое место, а ключ туда не посылается: укажите новый адрес"
	default:
		f.say = "не принимает запрос: уменьшите число текстов в запросе или длину текста"
	}
	return f
}

// unusable is a response that no vectors can be taken from.
func unusable(say string, args ...any) *failure {
	return &failure{kind: ErrUnusable, say: fmt.Sprintf(say, args...)}
}

// strange is a response that has nothing to do with vectors.
func strange() *failure {
	return unusable("ответил не векторами: проверьте, что по этому адресу отвечает /v1/embeddings")
}
