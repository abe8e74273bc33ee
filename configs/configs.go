// Package configs reads the configuration: a YAML file, then the environment.
// Only package cmd uses it.
package configs

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
)

// Example is the commented configuration with every key at its default.
//
//go:embed example.yaml
var Example string

// Config is everything that can be set. Its zero value is not valid; see Default.
type Config struct {
	// Data is the folder of the embedded store.
	Data string `koanf:"data"`
	// Language of the bot: "ru" or "en".
	Language string `koanf:"language"`
	// Zone is the IANA time zone in which times are shown, "" for the machine's.
	Zone string `koanf:"zone"`
	// Access says who may use the bot: "open", "invitation" or "list".
	Access string `koanf:"access"`
	Model  Model  `koanf:"model"`
	// Synonyms are the slang that is searched as plain words.
	Synonyms Synonyms `koanf:"synonyms"`
	Learning Learning `koanf:"learning"`
	Senior   Senior   `koanf:"senior"`
	Log      Log      `koanf:"log"`

	// The chats beside the terminal.
	Slack    Slack    `koanf:"slack"`
	Telegram Telegram `koanf:"telegram"`

	// The servers of production; the embedded default has none of them.
	Postgres Postgres `koanf:"postgres"`
	Milvus   Milvus   `koanf:"milvus"`
	OpenAI   OpenAI   `koanf:"openai"`
	S3       S3       `koanf:"s3"`
	Files    Files    `koanf:"files"`
	HTTP     HTTP     `koanf:"http"`
}

// Model is the built-in embedder.
type Model struct {
	// Path of the weight file; "" looks in the usual places.
	Path string `koanf:"path"`
	// Off searches by words alone.
	Off bool `koanf:"off"`
}

// Synonyms name the file of slang and its plain words.
type Synonyms struct {
	// Path of the file; "" takes the built-in one.
	Path string `koanf:"path"`
	// Off searches slang as it is written.
	Off bool `koanf:"off"`
}

// Log sets what is logged.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `koanf:"level"`
	// Format is text or json.
	Format string `koanf:"format"`
}

// Default returns the configuration that holds where nothing is set.
func Default() Config {
	return Config{
		Data:     "nastavnik-data",
		Language: "ru",
		Access:   "open",
		Learning: defaultLearning(),
		Senior:   defaultSenior(),
		Log:      Log{Level: "warn", Format: "text"},
		Slack:    Slack{Mode: ModeSocket},
		Telegram: Telegram{Mode: ModePolling},
		Postgres: Postgres{Pool: 10},
		Milvus:   Milvus{Collection: "nastavnik"},
		Files:    Files{Limit: "20MB"},
	}
}

// ErrConfig says that the configuration cannot be used; the message says where
// and what to do.
var ErrConfig = errors.New("конфигурация")

// prefix of the environment variables: NASTAVNIK_SENIOR_SILENCE sets senior.silence.
const prefix = "NASTAVNIK_"

// Load reads the file at path ("" means none) and the environment, given as
// "KEY=value" strings like os.Environ. Unknown keys are errors. All problems
// are reported together, wrapped in ErrConfig; what could be read is returned beside
// the error, for who wants to look at the rest all the same.
func Load(path string, environ []string) (Config, error) {
	k := koanf.New(".")
	if err := k.Load(structs.Provider(Default(), "koanf"), nil); err != nil {
		return Default(), fmt.Errorf("%w: %w", ErrConfig, err)
	}
	known := k.Keys()
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return Default(), fmt.Errorf("%w: файла %s нет", ErrConfig, path)
			}
			return Default(), fmt.Errorf("%w: файл %s не читается как YAML: %w", ErrConfig, path, err)
		}
	}
	environ, problems := withFiles(environ, known)
	if err := k.Load(environment(environ, known), nil); err != nil {
		return Default(), fmt.Errorf("%w: %w", ErrConfig, err)
	}
	for _, key := range k.Keys() {
		if !slices.Contains(known, key) {
			problems = append(problems, fmt.Errorf("неизвестный ключ %q%s", key, nearest(key, known)))
		}
	}
	c := Default()
	if err := decode(k, &c); err != nil {
		problems = append(problems, err)
	} else {
		problems = append(problems, c.validate()...)
	}
	if len(problems) > 0 {
		return c, fmt.Errorf("%w: %w", ErrConfig, errors.Join(problems...))
	}
	return c, nil
}

// environment maps NASTAVNIK_A_B to the key a.b. Variables that are no key
// (NASTAVNIK_CONFIG and the like) are left alone: they belong to the command
// line.
func environment(environ, known []string) koanf.Provider {
	return env.Provider(".", env.Opt{
		Prefix:      prefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			key := keyOf(name)
			if !slices.Contains(known, key) {
				return "", nil
			}
			return key, value
		},
	})
}

// keyOf returns the key that an environment variable sets.
func keyOf(variable string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(variable, prefix)), "_", ".")
}

func decode(k *koanf.Koanf, c *Config) error {
	err := k.UnmarshalWithConf("", c, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result: c, TagName: "koanf", WeaklyTypedInput: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.StringToTimeDurationHookFunc(), mapstructure.StringToSliceHookFunc(","), dayHook,
		),
	}})
	if err != nil {
		return fmt.Errorf("значение не того вида (длительность пишется как 2m или 1h30m): %w", err)
	}
	return nil
}

// dayHook makes text of a day again: YAML takes it for a moment.
func dayHook(from, to reflect.Type, value any) (any, error) {
	if t, ok := value.(time.Time); ok && from != to && to.Kind() == reflect.String {
		return t.Format(time.DateOnly), nil
	}
	return value, nil
}

func (c Config) validate() []error {
	var out []error
	bad := func(key, format string, args ...any) {
		out = append(out, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	if strings.TrimSpace(c.Data) == "" {
		bad("data", "назовите папку данных")
	}
	if c.Language != "ru" && c.Language != "en" {
		bad("language", "бывает ru или en, а не %q", c.Language)
	}
	if _, err := time.LoadLocation(c.Zone); err != nil {
		bad("zone", "часового пояса %q нет; пример: Europe/Moscow", c.Zone)
	}
	if !slices.Contains([]string{"open", "invitation", "list"}, c.Access) {
		bad("access", "бывает open, invitation или list, а не %q", c.Access)
	}
	c.Learning.validate(bad)
	c.validateServers(bad)
	c.validatePlatforms(bad)
	c.Senior.validate(bad)
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		bad("log.level", "бывает debug, info, warn, error, а не %q", c.Log.Level)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		bad("log.format", "бывает text или json, а не %q", c.Log.Format)
	}
	return out
}

// Location returns the time zone.
func (c Config) Location() *time.Location {
	if c.Zone == "" {
		return time.Local
	}
	l, err := time.LoadLocation(c.Zone)
	if err != nil {
		return time.UTC // validate has refused it before
	}
	return l
}

// YAML shows the configuration as a file would say it.
func (c Config) YAML() (string, error) {
	k := koanf.New(".")
	if err := k.Load(structs.Provider(c, "koanf"), nil); err != nil {
		return "", fmt.Errorf("%w: %w", ErrConfig, err)
	}
	for _, key := range k.Keys() {
		var shown string
		switch v := k.Get(key).(type) {
		case time.Duration:
			shown = v.String()
		case Secret:
			shown = v.String()
		default:
			continue
		}
		if err := k.Set(key, shown); err != nil {
			return "", fmt.Errorf("%w: %w", ErrConfig, err)
		}
	}
	b, err := k.Marshal(yaml.Parser())
	return string(b), err
}

// nearest suggests the known key that was probably meant.
func nearest(key string, known []string) string {
	last := key[strings.LastIndexByte(key, '.')+1:]
	for _, k := range known {
		if strings.HasSuffix(k, "."+last) || strings.HasPrefix(k, key) || strings.HasPrefix(key, k) {
			return fmt.Sprintf("; может быть, %q?", k)
		}
	}
	return "; все ключи — в configs/example.yaml"
}

// Find returns the configuration file to use: the one named, else
// nastavnik.yaml in the working directory, else "".
func Find(named string) string {
	if named != "" {
		return named
	}
	const usual = "nastavnik.yaml"
	if _, err := os.Stat(usual); err == nil {
		return filepath.Clean(usual)
	}
	return ""
}
