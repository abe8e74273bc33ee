package kbfile

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/text/unicode/norm"
)

// Whatever the bytes: no panic; a file is taken whole or not at all; texts are
// valid, normal and within the limits; and what was read survives being
// written and read again.
func FuzzRead(f *testing.F) {
	for _, data := range []string{
		"вопрос;ответ\n\"Как\"\"?\";\"Так\nи так\"\n;;\n'=1;-\n",
		"sep=,\r\nid,вопрос,ответ,варианты\r\n1,Как?,Так,а | б\r\n",
		"\xef\xbb\xbfquestion\tanswer\tтема\nHow?\tSo\t\x07\n",
		"\xff\xfe\x32\x04\x3e\x04\x3f\x04\x40\x04\x3e\x04\x41\x04",
		"\xe2\xee\xef\xf0\xee\xf1;\xee\xf2\xe2\xe5\xf2\n\xca\xe0\xea;\xd2\xe0\xea\n",
		"{\"question\":\"Как?\",\"answer\":\"Т\u2028ак\",\"aliases\":[\"а\\nб\"],\"id\":1}\n\n{\"question\":\"\\ud800\",\"answer\":\"b\"}",
		"\n[{\"вопрос\":\"Как?\",\"ответ\":\"Так\"},\n{}]",
		"PK\x03\x04", "вопрос;ответ\n\"", "[{", "{", "[[[", "\"",
	} {
		f.Add([]byte(data), "", false)
		f.Add([]byte(data), "a.csv", true)
		f.Add([]byte(data), "a.jsonl", true)
	}
	f.Fuzz(func(t *testing.T, data []byte, name string, answerOptional bool) {
		o := Options{AnswerOptional: answerOptional}
		entries, problems, err := Read(bytes.NewReader(data), name, o)
		if good := err == nil && !HasErrors(problems); good != (len(entries) > 0) {
			t.Fatalf("%d entries with %v, %v", len(entries), problems, err)
		}
		if err != nil && !utf8.ValidString(strings.TrimPrefix(err.Error(), name)) {
			t.Fatalf("error is not valid UTF-8: %q", err)
		}
		for _, p := range problems {
			if !utf8.ValidString(p.String()) || strings.ContainsAny(p.String(), "\n\x1b") {
				t.Fatalf("problem cannot be printed: %q", p)
			}
		}
		for _, e := range entries {
			checkEntry(t, e, o)
		}
		if len(entries) > 0 {
			checkRewritten(t, entries, o)
		}
	})
}

func checkEntry(t *testing.T, e Entry, o Options) {
	t.Helper()
	if e.Question == "" || e.Answer == "" && !o.AnswerOptional || e.Place.Row < 1 || e.Place.Line < 1 {
		t.Fatalf("incomplete entry %+v", e)
	}
	for _, s := range slices.Concat([]string{e.ID, e.Question, e.Answer, e.Topic}, e.Aliases, e.AltAnswers) {
		if !normalText(s) {
			t.Fatalf("text is not normal: %q", s)
		}
	}
	if utf8.RuneCountInString(e.Question) > MaxQuestionLen || utf8.RuneCountInString(e.Answer) > MaxAnswerLen {
		t.Fatalf("text beyond the limit in %s", e.Place)
	}
}

func normalText(s string) bool {
	return utf8.ValidString(s) && norm.NFC.IsNormalString(s) && s == strings.TrimSpace(s) && !strings.ContainsAny(s, "\x00\r\x1b")
}

func checkRewritten(t *testing.T, entries []Entry, o Options) {
	t.Helper()
	for name, write := range writers() {
		var buf bytes.Buffer
		if err := write(&buf, entries); err != nil {
			t.Fatal(err)
		}
		again, problems, err := Read(&buf, name, o)
		if err != nil || HasErrors(problems) {
			t.Fatalf("%s: %v, %v", name, problems, err)
		}
		if diff := cmp.Diff(entries, again, noPlace, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s (-read first +read again):\n%s", name, diff)
		}
	}
}
