package texts_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// forms are the plural forms that each language needs (Unicode CLDR).
func forms(lang string) []string {
	if lang == "ru" {
		return []string{"few", "many", "one", "other"}
	}
	return []string{"one", "other"}
}

// catalogue reads a language's file: the forms of each text, "" for one without.
func catalogue(t *testing.T, lang string) map[string]map[string]string {
	t.Helper()
	raw, err := os.ReadFile(lang + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var nodes map[string]yaml.Node
	if err := yaml.Unmarshal(raw, &nodes); err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]string{}
	for id, n := range nodes {
		var text string
		var plural map[string]string
		switch {
		case n.Decode(&text) == nil:
			out[id] = map[string]string{"": text}
		case n.Decode(&plural) == nil:
			out[id] = plural
		default:
			t.Fatalf("%s: %s is neither a text nor its plural forms", lang, id)
		}
	}
	return out
}

var field = regexp.MustCompile(`\.([A-Z][A-Za-z]*)`)

// fields returns the places that a text fills in. Count may be left out: a form
// can say the number by itself.
func fields(plural map[string]string) []string {
	found := map[string]bool{}
	for _, text := range plural {
		for _, m := range field.FindAllStringSubmatch(text, -1) {
			if m[1] != "Count" {
				found[m[1]] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// A text that one language lacks would be said in another one.
func TestLanguagesSayTheSame(t *testing.T) {
	ru := catalogue(t, "ru")
	for _, lang := range texts.Languages() {
		other := catalogue(t, lang)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(ru)), slices.Sorted(maps.Keys(other))); diff != "" {
			t.Errorf("%s has other texts than ru (-ru +%s):\n%s", lang, lang, diff)
		}
		for id := range ru {
			if diff := cmp.Diff(fields(ru[id]), fields(other[id])); diff != "" {
				t.Errorf("%s: %s fills in other things (-ru +%s):\n%s", lang, id, lang, diff)
			}
		}
	}
}

func TestPluralsAreComplete(t *testing.T) {
	for _, lang := range texts.Languages() {
		for id, plural := range catalogue(t, lang) {
			if _, plain := plural[""]; plain {
				continue
			}
			if diff := cmp.Diff(forms(lang), slices.Sorted(maps.Keys(plural))); diff != "" {
				t.Errorf("%s: %s (-needed +there):\n%s", lang, id, diff)
			}
		}
	}
}

var cyrillic = regexp.MustCompile(`\p{Cyrillic}`)

// Somebody who reads English must not meet Russian, and no text may be empty.
func TestTextsAreInTheirLanguage(t *testing.T) {
	for id, plural := range catalogue(t, "en") {
		for _, text := range plural {
			if cyrillic.MatchString(text) {
				t.Errorf("en: %s is Russian: %s", id, text)
			}
		}
	}
	for _, lang := range texts.Languages() {
		for id, plural := range catalogue(t, lang) {
			for form, text := range plural {
				if strings.TrimSpace(text) != text || text == "" {
					t.Errorf("%s: %s %s is empty or has space around it: %q", lang, id, form, text)
				}
			}
		}
	}
}

// The plural forms are those of the language, not the first that is at hand.
func TestPlurals(t *testing.T) {
	for _, test := range []struct {
		lang  string
		count int
		want  string
	}{
		{"ru", 1, "1 минуту"}, {"ru", 2, "2 минуты"}, {"ru", 5, "5 минут"}, {"ru", 11, "11 минут"},
		{"ru", 21, "21 минуту"}, {"ru", 22, "22 минуты"}, {"ru", 114, "114 минут"},
		{"en", 1, "1 minute"}, {"en", 2, "2 minutes"}, {"en", 21, "21 minutes"},
	} {
		c, err := texts.New(test.lang)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Say("minutes", texts.Data{"Count": test.count}); got != test.want {
			t.Errorf("%s, %d: %q, want %q", test.lang, test.count, got, test.want)
		}
	}
}

// A name that ends in a full stop ends the sentence; an ellipsis stays.
func TestDoubleStop(t *testing.T) {
	c, err := texts.New("ru")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Say("sent", texts.Data{"Senior": "Анна К."}); got != "Вопрос передан: Анна К." {
		t.Error(got)
	}
	if got := c.Say("sent", texts.Data{"Senior": "Анна"}); got != "Вопрос передан: Анна." {
		t.Error(got)
	}
	if got := c.Say("detail", texts.Data{"Question": "как...", "Name": "Иван"}); !strings.Contains(got, "«как...»") {
		t.Error(got)
	}
}

func TestUnknownLanguage(t *testing.T) {
	if _, err := texts.New("kk"); err == nil || !strings.Contains(err.Error(), "ru") {
		t.Errorf("no error that names the known ones: %v", err)
	}
}

// speaking are the functions that take the id of a text, and which argument it is.
func speaking() map[string][]int {
	return map[string][]int{
		"Say": {0}, "reply": {0}, "button": {0}, "labelled": {0}, "taskMessage": {0}, "suggestion": {0, 1},
	}
}

// Every text that the code says is there, and every text that is there is said.
func TestEveryTextIsUsed(t *testing.T) {
	known := catalogue(t, "ru")
	said := map[string]bool{}
	literals := map[string]bool{}
	files := token.NewFileSet()
	for _, path := range sources(t) {
		f, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				s, _ := strconv.Unquote(l.Value)
				literals[s] = true
			}
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			for _, i := range speaking()[nameOf(call.Fun)] {
				if i < len(call.Args) {
					for _, id := range idsIn(call.Args[i]) {
						said[id] = true
						if _, ok := known[id]; !ok {
							t.Errorf("%s: no text %q", files.Position(call.Pos()), id)
						}
					}
				}
			}
			return true
		})
	}
	if len(said) < 50 {
		t.Fatalf("only %d texts are said: this test looks in the wrong place", len(said))
	}
	for id := range known {
		if !said[id] && !literals[id] && !composed(id) {
			t.Errorf("nothing says %q", id)
		}
	}
}

// composed reports ids that the code puts together.
func composed(id string) bool {
	for _, s := range knowledge.Statuses() {
		if id == "status_"+string(s) {
			return true
		}
	}
	for _, c := range []knowledge.Closed{knowledge.AnsweredPrivately, knowledge.OffTopic, knowledge.Cancelled, knowledge.PickedExisting} {
		if id == "closed_"+string(c) {
			return true
		}
	}
	for m := 1; m <= 12; m++ {
		if id == fmt.Sprintf("month_%d", m) {
			return true
		}
	}
	return id == "replied_many" || id == "revised_many"
}

func nameOf(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// idsIn returns the ids that an argument can have: a literal, or pick(…, a, b).
func idsIn(arg ast.Expr) []string {
	switch a := arg.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(a.Value)
		if err == nil {
			return []string{s}
		}
	case *ast.CallExpr:
		if nameOf(a.Fun) == "pick" && len(a.Args) == 3 {
			return append(idsIn(a.Args[1]), idsIn(a.Args[2])...)
		}
	}
	return nil
}

// sources returns the files of the bot and of the commands.
func sources(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, root := range []string{"..", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// The names of the statuses are those of the domain.
func TestStatusNames(t *testing.T) {
	c, err := texts.New("ru")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range knowledge.Statuses() {
		if got := c.Say("status_"+string(s), nil); got != s.Title() {
			t.Errorf("%s is called %q here and %q there", s, got, s.Title())
		}
	}
}
