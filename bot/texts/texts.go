// Package texts is the catalogue of what the bot says: one file for each
// language, with plural forms.
package texts

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
)

//go:embed ru.yaml en.yaml
var files embed.FS

// Data fills the places of a text. Count also chooses the plural form.
type Data map[string]any

// Catalogue says things in one language.
type Catalogue struct{ localizer *i18n.Localizer }

// Languages lists the languages there are, the default first.
func Languages() []string { return []string{"ru", "en"} }

// New returns the catalogue of a language. What a language lacks is said in Russian.
func New(lang string) (*Catalogue, error) {
	if !slices.Contains(Languages(), lang) {
		return nil, fmt.Errorf("texts: unknown language %q: known are %v", lang, Languages())
	}
	all, err := bundle()
	if err != nil {
		return nil, err
	}
	return &Catalogue{localizer: i18n.NewLocalizer(all, lang)}, nil
}

// bundle reads all languages, once.
//
//nolint:gochecknoglobals // it is read at most once a process and never changes after that
var bundle = sync.OnceValues(func() (*i18n.Bundle, error) {
	b := i18n.NewBundle(language.Russian)
	b.RegisterUnmarshalFunc("yaml", yaml.Unmarshal)
	for _, l := range Languages() {
		if _, err := b.LoadMessageFileFS(files, l+".yaml"); err != nil {
			return nil, fmt.Errorf("texts: language %s: %w", l, err)
		}
	}
	return b, nil
})

// Say returns the text with the id, filled with data. An id that is in no
// catalogue is returned itself; a test keeps that from happening.
func (c *Catalogue) Say(id string, data Data) string {
	cfg := &i18n.LocalizeConfig{MessageID: id, TemplateData: data}
	if n, ok := data["Count"]; ok {
		cfg.PluralCount = n
	}
	s, err := c.localizer.Localize(cfg)
	if err != nil && s == "" {
		return id
	}
	return doubleStop.ReplaceAllString(s, "$1.$2")
}

// doubleStop is what a name such as «Анна К.» leaves at the end of a sentence.
var doubleStop = regexp.MustCompile(`([^.])\.\.(\s|$)`)
