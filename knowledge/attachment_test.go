package knowledge_test

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func png(name string) knowledge.Attachment {
	return knowledge.Attachment{Content: knowledge.Content{Key: "sha256/" + name, Media: "image/png", Size: 12}, Name: name}
}

// attach gives the current answer of a question a file.
func (f *fixture) attach(question, name string) (a knowledge.Attachment) {
	f.t.Helper()
	f.do(func(d knowledge.Desk) (err error) {
		a, err = d.Attach(context.Background(), question, png(name))
		return err
	})
	return a
}

// files names those of a version of an answer, in their order.
func (f *fixture) files(answer int64) (names []string) {
	f.t.Helper()
	f.look(func(tx bot.Tx) error {
		all, err := tx.Attachments(context.Background(), knowledge.AttachmentFilter{Answers: []int64{answer}})
		for _, a := range all {
			names = append(names, a.Name)
		}
		return err
	})
	return names
}

func TestFilesFollowTheAnswer(t *testing.T) {
	ctx := context.Background()
	f := open(t)
	f.entry("deal", "Как закрыть сделку?")
	first := f.question("deal").Answer.ID
	schema, form := f.attach("deal", "схема.png"), f.attach("deal", "../бланк.png")
	want := func(what string, answer int64, names ...string) {
		t.Helper()
		if got := f.files(answer); !slices.Equal(got, names) {
			t.Errorf("%s: the files are %q, want %q", what, got, names)
		}
	}
	want("as attached, without the path", first, "схема.png", "бланк.png")

	f.do(func(d knowledge.Desk) error { _, err := d.Revise(ctx, "deal", 0, "Иначе"); return err })
	second := f.question("deal").Answer.ID
	want("the edited answer", second, "схема.png", "бланк.png")
	want("the version before", first, "схема.png", "бланк.png")

	var kept []knowledge.Attachment
	f.look(func(tx bot.Tx) (err error) {
		kept, err = tx.Attachments(ctx, knowledge.AttachmentFilter{Answers: []int64{second}})
		return err
	})
	f.do(func(d knowledge.Desk) error { _, err := d.Detach(ctx, kept[0].ID, 0); return err })
	third := f.question("deal").Answer
	want("without one", third.ID, "бланк.png")
	want("the version before still has it", second, "схема.png", "бланк.png")
	if third.Text != "Иначе" || third.Version != 3 {
		t.Errorf("detaching made of the answer %+v", third)
	}
	for _, gone := range []int64{schema.ID, form.ID} {
		err := f.try(func(d knowledge.Desk) error { _, err := d.Detach(ctx, gone, 0); return err })
		if !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("detaching a file of an old version: %v", err)
		}
	}

	f.do(func(d knowledge.Desk) error {
		d.WithoutFiles = true
		_, err := d.Revise(ctx, "deal", 0, "Совсем иначе")
		return err
	})
	want("told to begin without", f.question("deal").Answer.ID)

	var steps []knowledge.Step
	f.look(func(tx bot.Tx) (err error) { steps, err = tx.Steps(ctx, "deal", 0, 0); return err })
	f.do(func(d knowledge.Desk) error { _, err := d.Undo(ctx, steps[len(steps)-1].ID, 0); return err })
	want("undone", f.question("deal").Answer.ID, "бланк.png")
}

func TestAttachRefuses(t *testing.T) {
	ctx := context.Background()
	f := open(t)
	a := f.ask(f.person("Иван", false), "что-то новое")
	f.entry("deal", "Как закрыть сделку?")
	for i := range knowledge.MaxFiles {
		f.attach("deal", fmt.Sprintf("%d.png", i))
	}
	for name, c := range map[string]struct {
		do   func(d knowledge.Desk) error
		want error
	}{
		"no such question": {func(d knowledge.Desk) error { _, err := d.Attach(ctx, "нет", png("а.png")); return err }, knowledge.ErrNotFound},
		"no answer yet":    {func(d knowledge.Desk) error { _, err := d.Attach(ctx, a.Question, png("а.png")); return err }, knowledge.ErrInvalid},
		"too many":         {func(d knowledge.Desk) error { _, err := d.Attach(ctx, "deal", png("а.png")); return err }, knowledge.ErrInvalid},
		"no name":          {func(d knowledge.Desk) error { _, err := d.AttachToAsk(ctx, a.ID, png("..")); return err }, knowledge.ErrInvalid},
		"no such ask":      {func(d knowledge.Desk) error { _, err := d.AttachToAsk(ctx, 999, png("а.png")); return err }, knowledge.ErrNotFound},
		"no such file":     {func(d knowledge.Desk) error { _, err := d.Detach(ctx, 999, 0); return err }, knowledge.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			if err := f.try(c.do); !errors.Is(err, c.want) {
				t.Errorf("the error is %v, want %v", err, c.want)
			}
		})
	}
}

// TestMayRead asks of everybody about every file.
func TestMayRead(t *testing.T) {
	ctx := context.Background()
	f := open(t)
	people := map[string]int64{"nobody": 0, "unknown": 999}
	for _, name := range []string{"asker", "joined", "left", "stranger", "admin", "former"} {
		people[name] = f.person(name, false)
	}
	f.do(func(d knowledge.Desk) error {
		_, err := d.AddPerson(ctx, &knowledge.Person{ID: people["admin"], Name: "admin", Admin: true})
		return err
	})
	people["senior"] = f.person("senior", true)

	// In the base: everybody known. Its older version, and what search answered at once: not.
	f.entry("entry", "Как закрыть сделку?")
	old := f.attach("entry", "старая.png")
	f.do(func(d knowledge.Desk) error {
		d.WithoutFiles = true
		_, err := d.Revise(ctx, "entry", 0, "Иначе")
		return err
	})
	given := f.attach("entry", "новая.png")
	f.do(func(d knowledge.Desk) error { // who was asked about the entry long ago
		return d.Tx.PutEscalation(ctx, &knowledge.Escalation{Question: "entry", Senior: people["former"], State: knowledge.EscalationDone, Created: d.Now, Ended: d.Now})
	})
	files := map[string]knowledge.Attachment{"of the base": given, "of an older version": old}
	f.do(func(d knowledge.Desk) error {
		a, err := d.Record(ctx, knowledge.Ask{ID: 500, Person: people["stranger"], Text: "закрыть", Decision: knowledge.DecisionAnswer, Candidates: []knowledge.Candidate{{Question: "entry"}}})
		if err != nil {
			return err
		}
		files["of a settled ask"], err = d.AttachToAsk(ctx, a.ID, png("моё.png"))
		return err
	})

	// With a senior: two wait, one has left.
	asked := f.ask(people["asker"], "где зелёная папка")
	unsent := f.ask(people["asker"], "что это за ошибка")
	f.do(func(d knowledge.Desk) (err error) {
		files["of an ask not sent yet"], err = d.AttachToAsk(ctx, unsent.ID, png("ошибка.png"))
		return err
	})
	sent := f.send(asked.ID)
	f.do(func(d knowledge.Desk) (err error) {
		files["of an ask sent"], err = d.AttachToAsk(ctx, asked.ID, png("снимок.png"))
		return err
	})
	for _, name := range []string{"joined", "left"} {
		f.join(f.ask(people[name], "папка зелёная где "+name).ID, asked.Question)
	}
	f.do(func(d knowledge.Desk) error {
		_, err := d.CancelWait(ctx, asked.Question, people["left"])
		return err
	})

	check := func(file string, may ...string) {
		t.Helper()
		for name, id := range people {
			var got bool
			f.look(func(tx bot.Tx) error {
				a, err := tx.Attachment(context.Background(), files[file].ID)
				if err != nil {
					return err
				}
				got, err = knowledge.Desk{Tx: tx, Now: f.now}.MayRead(context.Background(), id, a)
				return err
			})
			if want := slices.Contains(may, name); got != want {
				t.Errorf("%s and the file %s: %v, want %v", name, file, got, want)
			}
		}
	}
	check("of the base", "asker", "joined", "left", "stranger", "admin", "senior", "former")
	check("of an older version", "admin", "former")
	check("of a settled ask", "stranger", "admin")
	check("of an ask not sent yet", "asker", "admin")
	check("of an ask sent", "asker", "joined", "senior", "admin")

	// The senior replies, the reply is kept out of the base: those who got it keep it.
	f.reply(sent.Escalation.ID, people["senior"], "На верхней полке")
	files["of the reply"] = f.attach(asked.Question, "полка.png")
	check("of the reply", "asker", "joined", "left", "stranger", "admin", "senior", "former")
	f.do(func(d knowledge.Desk) error { _, err := d.Withdraw(ctx, asked.Question); return err })
	check("of the reply", "asker", "joined", "admin", "senior")
	check("of an ask sent", "asker", "senior", "admin")

	// A senior says that the entry answers it: who was asked about the entry before
	// has nothing to do with this ask.
	pointed := f.ask(people["asker"], "ещё один вопрос")
	again := f.send(pointed.ID)
	f.do(func(d knowledge.Desk) (err error) {
		files["of an ask that was pointed to the entry"], err = d.AttachToAsk(ctx, pointed.ID, png("ещё.png"))
		return err
	})
	f.do(func(d knowledge.Desk) error {
		_, err := d.PointTo(ctx, again.Escalation.ID, people["senior"], "entry")
		return err
	})
	check("of an ask that was pointed to the entry", "asker", "admin")
}

func TestCleanFileName(t *testing.T) {
	for given, want := range map[string]string{
		"Инструкция «Отпуск».pdf": "Инструкция «Отпуск».pdf",
		"/etc/passwd":                      "passwd",
		`C:\Users\Аня\смета 2026.xls`:      "смета 2026.xls",
		"../../.ssh/id_rsa":                "id_rsa",
		"..":                               "",
		"":                                 "",
		" . ":                              "",
		"a/":                               "",
		"отчёт\u202efdp.exe":               "отчётfdp.exe", // shows as отчётexe.pdf
		"a\u200bb\ufeff.txt":               "ab.txt",
		"две\nстроки\t.txt":                "двестроки.txt",
		"a\x00b.png":                       "ab.png",
		`что?*<>|:".txt`:                   "что_______.txt",
		"con.txt":                          "_con.txt",
		"COM1":                             "_COM1",
		"comma.txt":                        "comma.txt",
		"\xff\xfe.txt":                     "txt",
		".htaccess":                        "htaccess",
		"точка в конце.":                   "точка в конце",
		strings.Repeat("ё", 200) + ".docx": strings.Repeat("ё", 125) + ".docx",
		"x." + strings.Repeat("y", 300):    "x." + strings.Repeat("y", 253),
	} {
		got, err := knowledge.CleanFileName(given)
		if got != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("CleanFileName(%q) = %q, %v; want %q", given, got, err, want)
		}
	}
}

func checkName(t interface{ Errorf(string, ...any) }, given string) {
	name, err := knowledge.CleanFileName(given)
	if err != nil {
		return
	}
	if name == "" || len(name) > knowledge.MaxFileNameBytes || !utf8.ValidString(name) || name != filepath.Base(name) || name == ".." {
		t.Errorf("CleanFileName(%q) = %q", given, name)
	}
	for _, r := range name {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`/\<>:"|?*`, r) {
			t.Errorf("CleanFileName(%q) = %q has %U", given, name, r)
		}
	}
	if again, err := knowledge.CleanFileName(name); err != nil || again != name {
		t.Errorf("cleaning %q again gives %q, %v", name, again, err)
	}
}

func TestAnyFileNameIsClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkName(t, rapid.String().Draw(t, "name")) })
}

func FuzzCleanFileName(f *testing.F) {
	for _, s := range []string{"a.txt", "../x", "con", "a\u202eb.exe", strings.Repeat("ж", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, given string) { checkName(t, given) })
}

func TestFileSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 Б", 1023: "1023 Б", 1024: "1 КБ", 12_300: "12 КБ", 1<<20 - 513: "1023 КБ", 1<<20 - 512: "1 МБ", 1 << 20: "1 МБ",
		1_500_000: "1 МБ", 20 << 20: "20 МБ", 20<<20 - 1: "20 МБ",
	} {
		if got := knowledge.FileSize(n); got != want {
			t.Errorf("FileSize(%d) = %q, want %q", n, got, want)
		}
	}
}

// Whoever reads the header gets the very name, and nothing after it.
func TestDisposition(t *testing.T) {
	if got, want := knowledge.Disposition("Отчёт 1.pdf"), `attachment; filename="_____ 1.pdf"; filename*=UTF-8''%D0%9E%D1%82%D1%87%D1%91%D1%82%201.pdf`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		header := knowledge.Disposition(name)
		plain, coded, _ := strings.Cut(header, "; filename*=UTF-8''")
		kind, params, err := mime.ParseMediaType(plain)
		if err != nil || kind != "attachment" || len(params) != 1 {
			t.Fatalf("%s: %s %v, %v", header, kind, params, err)
		}
		if got, err := url.PathUnescape(coded); err != nil || got != name || strings.ContainsAny(coded, "\r\n; ") {
			t.Fatalf("%s gives %q, %v; want %q", header, got, err, name)
		}
	})
}
