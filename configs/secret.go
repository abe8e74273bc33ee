package configs

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Secret is a value that nobody is shown: printed, logged or encoded it is "***".
type Secret string

// hidden stands for a secret.
const hidden = "***"

// Reveal returns the value, for who connects with it.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer: "***", or "" when there is nothing to hide.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format implements fmt.Formatter, for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return s.String() }

// MarshalJSON implements json.Marshaler.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// fileSuffix of a variable says that it names the file that holds the value, as
// orchestrators hand out secrets: NASTAVNIK_POSTGRES_DSN_FILE=/run/secrets/dsn.
const fileSuffix = "_FILE"

// withFiles adds the values of variables that name files.
func withFiles(environ, known []string) (with []string, problems []error) {
	with = slices.Clone(environ)
	for _, kv := range environ {
		name, path, _ := strings.Cut(kv, "=")
		variable, ok := strings.CutSuffix(name, fileSuffix)
		if !ok || !strings.HasPrefix(name, prefix) || !slices.Contains(known, keyOf(variable)) {
			continue
		}
		value, err := os.ReadFile(path)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: файл не читается: %w", name, err))
			continue
		}
		with = append(with, variable+"="+strings.TrimSpace(string(value)))
	}
	return with, problems
}

// Secrets returns everything that must be shown to nobody: the secrets themselves and
// the passwords inside of addresses. A password that is the bot's own name, as that of
// servers on a developer's machine, is none: hiding it would hide the name.
func (c Config) Secrets() []string {
	var out []string
	for _, s := range []Secret{c.Postgres.DSN, c.Postgres.Owner, c.Milvus.Password, c.OpenAI.Key, c.S3.Key, c.S3.Secret, c.HTTP.Key, c.Slack.Token, c.Slack.App, c.Slack.Signing, c.Telegram.Token, c.Telegram.Secret} {
		if s == "" {
			continue
		}
		out = append(out, s.Reveal())
		if u, err := url.Parse(s.Reveal()); err == nil && u.User != nil {
			if p, ok := u.User.Password(); ok && p != "" {
				out = append(out, p)
			}
		}
		if m := passwordIn.FindStringSubmatch(s.Reveal()); m != nil {
			out = append(out, m[1])
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "nastavnik" })
}

// passwordIn finds the password of an address that is written as key=value.
var passwordIn = regexp.MustCompile(`(?i)password\s*=\s*'?([^\s']+)`)
