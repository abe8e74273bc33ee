package configs

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// DefaultSynonyms is the synonym file that holds where no other is named: slang of
// Russian companies and the plain words for it.
//
//go:embed synonyms.yaml
var DefaultSynonyms []byte

// ErrSynonyms says that a synonym file cannot be used; the message names the lines
// and what to do.
var ErrSynonyms = errors.New("файл синонимов")

// maxSynonymWords is the length in words of the longest slang and plain phrase.
const maxSynonymWords = 4

// Load returns the plain words for each slang: of the file at Path, or of
// DefaultSynonyms. It is empty if synonyms are off.
func (s Synonyms) Load() (map[string]string, error) {
	switch {
	case s.Off:
		return nil, nil
	case s.Path == "":
		return ParseSynonyms(DefaultSynonyms)
	}
	text, err := os.ReadFile(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: файла %s нет; исправьте synonyms.path или уберите его, тогда действует встроенный список", ErrSynonyms, s.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSynonyms, err)
	}
	out, err := ParseSynonyms(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path, err)
	}
	return out, nil
}

// ParseSynonyms reads a synonym file: a YAML mapping of plain words to a list of
// slang, one to four words each. All problems are reported together, wrapped in
// ErrSynonyms. An empty file has no synonyms.
func ParseSynonyms(text []byte) (map[string]string, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("%w: не читается как YAML: %w; строка выглядит так: обращение: [тикет, реквест]", ErrSynonyms, err)
	}
	r := synonymReader{lines: map[string]int{}, plain: map[string]int{}, out: map[string]string{}}
	if len(doc.Content) > 0 {
		r.mapping(doc.Content[0])
	}
	r.refuseChains()
	if len(r.problems) > 0 {
		return nil, fmt.Errorf("%w: %w", ErrSynonyms, errors.Join(r.problems...))
	}
	return r.out, nil
}

// synonymReader collects what a file says and what is wrong with it.
type synonymReader struct {
	out      map[string]string // slang → plain words
	lines    map[string]int    // where the slang stands
	plain    map[string]int    // where the plain words stand
	problems []error
}

func (r *synonymReader) bad(line int, format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf("строка %d: %s", line, fmt.Sprintf(format, args...)))
}

func (r *synonymReader) mapping(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.bad(n.Line, "нужны строки вида «обращение: [тикет, реквест]»")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, list := n.Content[i], n.Content[i+1]
		plain, ok := r.phrase(key)
		if !ok {
			continue
		}
		if first, twice := r.plain[plain]; twice {
			r.bad(key.Line, "«%s» уже стоит в строке %d; соедините их", key.Value, first)
			continue
		}
		r.plain[plain] = key.Line
		if list.Kind != yaml.SequenceNode {
			r.bad(list.Line, "после «%s:» нужен список в скобках, например [тикет, реквест]", key.Value)
			continue
		}
		for _, n := range list.Content {
			r.slang(n, plain, strings.TrimSpace(key.Value))
		}
	}
}

func (r *synonymReader) slang(n *yaml.Node, plain, shown string) {
	slang, ok := r.phrase(n)
	switch first := r.lines[slang]; {
	case !ok:
	case slang == plain:
		r.bad(n.Line, "«%s» означает само себя; уберите его", n.Value)
	case first > 0:
		r.bad(n.Line, "«%s» уже стоит в строке %d; оставьте его в одной", n.Value, first)
	default:
		r.lines[slang] = n.Line
		r.out[slang] = shown
	}
}

// phrase returns the words of a node in lower case, with ё as е.
func (r *synonymReader) phrase(n *yaml.Node) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		r.bad(n.Line, "здесь нужно слово, а не список")
		return "", false
	}
	words := strings.FieldsFunc(strings.ReplaceAll(strings.ToLower(n.Value), "ё", "е"), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	if len(words) == 0 || len(words) > maxSynonymWords {
		r.bad(n.Line, "в «%s» слов: %d; нужно от 1 до %d", n.Value, len(words), maxSynonymWords)
		return "", false
	}
	return strings.Join(words, " "), true
}

// refuseChains refuses plain words that hold slang: what they mean would depend on
// the order in which the lines are applied.
func (r *synonymReader) refuseChains() {
	for _, plain := range slices.Sorted(maps.Keys(r.plain)) {
		words := strings.Fields(plain)
		for from := range words {
			for to := from + 1; to <= len(words); to++ {
				if at, ok := r.lines[strings.Join(words[from:to], " ")]; ok {
					r.bad(r.plain[plain], "«%s» содержит сленг из строки %d; напишите обычными словами или уберите там", plain, at)
				}
			}
		}
	}
}
