//go:build !race

package finder_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/configs"
	"github.com/nastavnik-bot/nastavnik/knowledge/kbfile"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// demoParser knows the words of the demo's knowledge base and the built-in slang.
func demoParser(t *testing.T) *search.Parser {
	t.Helper()
	entries, problems, err := kbfile.Read(bytes.NewReader(configs.DemoKB), "kb.jsonl", kbfile.Options{})
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	lexicon := search.NewLexicon()
	for _, e := range entries {
		lexicon.Put(search.Entry{ID: e.ID, Phrasings: append([]string{e.Question}, e.Aliases...), Answer: e.Answer})
	}
	synonyms, err := configs.Synonyms{}.Load()
	if err != nil {
		t.Fatal(err)
	}
	return search.NewParser(search.ParserOptions{Vocabulary: lexicon, Synonyms: synonyms})
}

// TestNoiseIsTakenOff writes every plain wording as people also write it and holds
// that nearly all are understood as if they had been written plainly.
func TestNoiseIsTakenOff(t *testing.T) {
	p := demoParser(t)
	same := strings.NewReplacer("а", "a", "с", "c", "е", "e", "о", "o", "р", "p", "х", "x", "у", "y")
	keys := strings.NewReplacer(keyPairs()...)
	for name, c := range map[string]struct {
		noise func(string) string
		least float64
	}{
		"capitals":   {strings.ToUpper, 0.99},
		"many marks": {func(s string) string { return strings.TrimRight(s, "?.!") + "??!!??" }, 0.99},
		"pictures":   {func(s string) string { return "😡 " + s + " 🙏🏽🙏🏽" }, 0.99},
		"a greeting": {func(s string) string {
			return "Добрый день, коллеги! Подскажите, пожалуйста: " + s
		}, 0.98},
		"thanks at the end": {func(s string) string {
			return s + ", помогите плиз, заранее спасибо за ответ"
		}, 0.98},
		"white space":        {func(s string) string { return "\n " + strings.ReplaceAll(s, " ", " \u200b\u00a0 ") + "\t" }, 1},
		"Latin look-alikes":  {func(s string) string { return firstOfEach(s, same) }, 0.97},
		"the wrong layout":   {keys.Replace, 0.94},
		"one word in Latin":  {func(s string) string { return longestWord(s, keys) }, 0.97},
		"greeting, shouting": {func(s string) string { return "ЗДРАВСТВУЙТЕ!!! " + strings.ToUpper(s) + "!!!" }, 0.98},
	} {
		t.Run(name, func(t *testing.T) {
			var all, understood float64
			var misread []string
			for _, w := range wordingsOf(t, "testdata/wordings.jsonl") {
				if w.Kind != "paraphrase" && w.Kind != "short" || strings.ContainsAny(w.Text, "abcdefghijklmnopqrstuvwxyz0123456789") {
					continue
				}
				all++
				want, got := plain(p, w.Text), plain(p, c.noise(w.Text))
				if got == want || got == strings.ToLower(want) {
					understood++
				} else {
					misread = append(misread, fmt.Sprintf("%q is read as %q", c.noise(w.Text), got))
				}
			}
			t.Logf("%.3f of %.0f wordings are understood", understood/all, all)
			if understood/all < c.least {
				t.Errorf("want at least %.2f; not understood:\n%s", c.least, strings.Join(misread, "\n"))
			}
		})
	}
}

// TestBuiltInSlangIsSlang holds that the built-in list takes nothing for slang that
// people say of everyday things.
func TestBuiltInSlangIsSlang(t *testing.T) {
	synonyms, err := configs.Synonyms{}.Load()
	if err != nil {
		t.Fatal(err)
	}
	p := search.NewParser(search.ParserOptions{Synonyms: synonyms})
	text, err := os.ReadFile("../everyday/questions.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		for _, r := range p.Parse(line).Repairs {
			if r.Kind == search.RepairSynonym {
				t.Errorf("%q: %q is taken for %q", strings.TrimSpace(line), r.From, r.To)
			}
		}
	}
}

// plain is what the parser makes of a text, without one mark at its end and with е
// for ё.
func plain(p *search.Parser, text string) string {
	text = p.Parse(text).Text
	text = strings.NewReplacer("ё", "е", "Ё", "Е").Replace(text)
	for _, mark := range []string{"?", "!", ".", ","} {
		if cut, ok := strings.CutSuffix(text, mark); ok {
			return strings.TrimSpace(cut)
		}
	}
	return text
}

// keyPairs maps Russian letters to what their keys type under the English layout.
func keyPairs() []string {
	russian, english := []rune("йцукенгшщзхъфывапролджэячсмитьбюё"), []rune("qwertyuiop[]asdfghjkl;'zxcvbnm,.`")
	var out []string
	for i := range russian {
		out = append(out, string(russian[i]), string(english[i]))
	}
	return out
}

// firstOfEach applies r to the first half of the letters of each long word.
func firstOfEach(s string, r *strings.Replacer) string {
	tokens := strings.Split(s, " ")
	for i, token := range tokens {
		letters := []rune(token)
		if len(letters) < 5 {
			continue
		}
		half := (len(letters) - 1) / 2
		tokens[i] = r.Replace(string(letters[:half])) + string(letters[half:])
	}
	return strings.Join(tokens, " ")
}

// longestWord applies r to the longest word.
func longestWord(s string, r *strings.Replacer) string {
	tokens := strings.Split(s, " ")
	longest := 0
	for i := range tokens {
		if len(tokens[i]) > len(tokens[longest]) {
			longest = i
		}
	}
	tokens[longest] = r.Replace(tokens[longest])
	return strings.Join(tokens, " ")
}
