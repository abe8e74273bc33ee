package configs_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/configs"
)

func TestBuiltInSynonyms(t *testing.T) {
	t.Parallel()
	got, err := configs.Synonyms{}.Load()
	if err != nil {
		t.Fatal(err)
	}
	for slang, plain := range map[string]string{"срм": "CRM", "юзер": "пользователь", "эцп": "электронная подпись", "р с": "расчетный счет", "тикет": "обращение"} {
		if got[slang] != plain {
			t.Errorf("%s means %q, want %q", slang, got[slang], plain)
		}
	}
}

func TestSynonymFile(t *testing.T) {
	t.Parallel()
	path := write(t, "# наши слова\nобращение: [тикет, Реквест]\n\nСчёт на оплату: [ счётик ]\n")
	got, err := configs.Synonyms{Path: path}.Load()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"тикет": "обращение", "реквест": "обращение", "счетик": "Счёт на оплату"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := (configs.Synonyms{Path: path, Off: true}).Load(); err != nil || len(got) > 0 {
		t.Errorf("synonyms that are off: %v, %v", got, err)
	}
	if got, err := configs.ParseSynonyms([]byte("# ничего\n")); err != nil || len(got) > 0 {
		t.Errorf("an empty file: %v, %v", got, err)
	}
}

func TestBadSynonymFileNamesEveryLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"twice":             {"обращение: [тикет]\nзадача: [таск, Тикет]\n", []string{"строка 2", "«Тикет»", "строке 1"}},
		"plain words twice": {"счёт: [инвойс]\nСчет: [счетик]\n", []string{"строка 2", "«Счет»", "строке 1", "соедините"}},
		"itself":            {"счёт: [Счет]\n", []string{"строка 1", "само себя"}},
		"a chain":           {"срок: [дедлайн]\nперенести дедлайн: [двинуть]\n", []string{"строка 2", "перенести дедлайн", "строки 1"}},
		"no list":           {"счёт: инвойс\n", []string{"строка 1", "список", "[тикет, реквест]"}},
		"a list of lists":   {"счёт: [[инвойс]]\n", []string{"строка 1", "слово"}},
		"no mapping":        {"- счёт\n- инвойс\n", []string{"строка 1", "обращение: [тикет, реквест]"}},
		"too long":          {"счёт: [один два три четыре пять]\n", []string{"строка 1", "5", "от 1 до 4"}},
		"no words":          {"счёт: ['!!!']\n", []string{"строка 1", "0"}},
		"not YAML":          {"счёт: [инвойс\n", []string{"YAML", "line"}},
		"two problems":      {"счёт: инвойс\nзадача: таска\n", []string{"строка 1", "строка 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, c.text)
			_, err := configs.Synonyms{Path: path}.Load()
			if !errors.Is(err, configs.ErrSynonyms) {
				t.Fatalf("err = %v, want ErrSynonyms", err)
			}
			for _, w := range append(c.want, path) {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not name %q", err, w)
				}
			}
		})
	}
	missing := filepath.Join(t.TempDir(), "no.yaml")
	if _, err := (configs.Synonyms{Path: missing}).Load(); !errors.Is(err, configs.ErrSynonyms) || !strings.Contains(err.Error(), missing) {
		t.Errorf("a missing file: %v", err)
	}
}

func FuzzParseSynonyms(f *testing.F) {
	f.Add(configs.DefaultSynonyms)
	for _, s := range []string{"", "a: [b]", "a: &x [b]\nc: *x", "? [a]\n: b", "a: [b, b]", "\xff", "a: {b: c}", "- a", "null", "a:\n  - b\n  - ~\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := configs.ParseSynonyms(text)
		if err != nil {
			return
		}
		for slang, plain := range got {
			if strings.TrimSpace(slang) == "" || strings.TrimSpace(plain) == "" {
				t.Errorf("%q means %q", slang, plain)
			}
			if _, chain := got[plain]; chain {
				t.Errorf("%q is plain and slang", plain)
			}
		}
	})
}
