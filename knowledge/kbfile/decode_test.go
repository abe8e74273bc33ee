package kbfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// encode writes text in another encoding, byte for byte as a program would.
func encode(t *testing.T, e encoding.Encoding, text string) string {
	t.Helper()
	data, err := e.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const russianTable = "Вопрос;Ответ;Тема\r\n" +
	"Как сменить ответственного в сделке?;\"Откройте карточку → «Ответственный».\r\nВыберите сотрудника — и сохраните.\";Сделки\r\n" +
	"ГДЕ НАЙТИ СЧЁТ № 5?;В разделе „Счета“…;\r\n"

func russianEntries(arrow string) []Entry {
	return []Entry{
		{Question: "Как сменить ответственного в сделке?", Answer: "Откройте карточку " + arrow + " «Ответственный».\nВыберите сотрудника — и сохраните.", Topic: "Сделки", Place: at(2)},
		{Question: "ГДЕ НАЙТИ СЧЁТ № 5?", Answer: "В разделе „Счета“…", Place: Place{FormatCSV, 3, 4}},
	}
}

func TestReadEncodings(t *testing.T) {
	t.Parallel()
	cp1251 := strings.ReplaceAll(russianTable, "→", "-")
	for _, tc := range []readCase{
		{name: "UTF-8", data: russianTable, want: russianEntries("→")},
		{name: "UTF-8 with a BOM", data: "\xef\xbb\xbf" + russianTable, want: russianEntries("→")},
		{name: "UTF-16 LE", data: encode(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), russianTable), want: russianEntries("→")},
		{name: "UTF-16 BE", data: encode(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), russianTable), want: russianEntries("→")},
		{name: "Windows-1251", data: encode(t, charmap.Windows1251, cp1251), want: russianEntries("-")},
		{
			name: "Windows-1251 after much ASCII", data: encode(t, charmap.Windows1251, "question,answer\n"+strings.Repeat(",\n", sniffSize)+"Как?,Так\n"),
			want: []Entry{{Question: "Как?", Answer: "Так", Place: at(sniffSize + 2)}},
		},
		{
			name: "UTF-8 after much ASCII", data: "question,answer\n" + strings.Repeat(",\n", sniffSize-9) + "Как?,Так\n",
			want: []Entry{{Question: "Как?", Answer: "Так", Place: at(sniffSize - 7)}},
		},
		{
			// The first look ends inside of a character of four bytes.
			name: "UTF-8 cut by the window", data: "question,answer\né,ok\n" + strings.Repeat("\n", sniffSize-len("é,ok\n")-3) + "😀?,ok\n",
			want: []Entry{{Question: "é", Answer: "ok", Place: at(2)}, {Question: "😀?", Answer: "ok", Place: at(sniffSize - len("é,ok\n"))}},
		},
		{
			name: "Windows-1251, English with Russian punctuation", data: "question,answer\nHow?,\x97 so \xab\x96\xbb\n",
			want: []Entry{{Question: "How?", Answer: "— so «–»", Place: at(2)}},
		},
		{
			name: "Windows-1251 JSON", file: "a.jsonl", data: encode(t, charmap.Windows1251, "{\"question\":\"Как?\",\"answer\":\"Так\"}"),
			want: []Entry{{Question: "Как?", Answer: "Так", Place: Place{FormatJSONL, 1, 1}}},
		},
		{
			name: "UTF-16 JSON array", file: "a.json", data: encode(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "[{\"question\":\"Как?\",\"answer\":\"Так😀\"}]"),
			want: []Entry{{Question: "Как?", Answer: "Так😀", Place: Place{FormatJSON, 1, 1}}},
		},
	} {
		t.Run(tc.name, tc.run)
	}
}

func TestReadRefusesOtherEncodings(t *testing.T) {
	t.Parallel()
	table := strings.NewReplacer("→", "-", "«", "", "»", "", "„", "", "“", "", "…", "", "—", "-", "№", "N").Replace(russianTable)
	unknown := "кодировка текста не распознана: это не UTF-8, не UTF-16 и не Windows-1251. Сохраните файл заново как «CSV UTF-8» или JSONL в UTF-8"
	for _, tc := range []readCase{
		{name: "KOI8-R", data: encode(t, charmap.KOI8R, table), err: unknown},
		{name: "CP866", data: encode(t, charmap.CodePage866, table), err: unknown},
		{name: "Windows-1252", data: "question,answer\nDo you serve caf\xe9 au lait and cr\xeapes?,Na\xefvely\n", err: unknown},
		{name: "Windows-1252, one letter", data: "question,answer\nWhere is the caf\xe9?,Here\n", err: unknown},
		{name: "undefined in Windows-1251", data: "\xe2\xee\xef\xf0\xee\xf1;\x98\n", err: unknown},
		{
			name: "UTF-16 without a BOM", data: encode(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), russianTable),
			err: "это двоичный файл или UTF-16 без метки порядка байтов (BOM). Нужен текст: сохраните таблицу как «CSV UTF-8» или JSONL",
		},
		{name: "UTF-32", data: "\xff\xfe\x00\x00\x12\x04\x00\x00", err: "кодировка UTF-32 не поддерживается. Сохраните файл в UTF-8"},
	} {
		t.Run(tc.name, tc.run)
	}
}

// A file of UTF-8 to which somebody appended rows in Windows-1251 is not taken
// for the latter: the good rows would turn into rubbish.
func TestReadMixedEncodings(t *testing.T) {
	t.Parallel()
	data := russianTable + encode(t, charmap.Windows1251, "Куда?;Туда;\n")
	entries, problems, err := Read(strings.NewReader(data), "a.csv", Options{})
	want := []string{
		"E строка 4 (5-я строка файла), столбец «Вопрос»: текст повреждён: часть его не в UTF-8. Сохраните файл заново в UTF-8 целиком",
		"E строка 4 (5-я строка файла), столбец «Ответ»: текст повреждён: часть его не в UTF-8. Сохраните файл заново в UTF-8 целиком",
	}
	if entries != nil || err != nil || !cmp.Equal(want, sentences(problems)) {
		t.Errorf("%v, %v, %v", entries, sentences(problems), err)
	}
}

func TestErrorNamesFile(t *testing.T) {
	t.Parallel()
	_, _, err := Read(strings.NewReader(""), "база.csv", Options{})
	var e *Error
	if !errors.As(err, &e) || e.File != "база.csv" || !strings.HasPrefix(err.Error(), "база.csv: файл пуст") {
		t.Errorf("error %q", err)
	}
	if _, _, err = Read(strings.NewReader(""), "", Options{}); !strings.HasPrefix(err.Error(), "файл пуст") {
		t.Errorf("error without a name %q", err)
	}
}

func TestQuoteIsSafeToPrint(t *testing.T) {
	t.Parallel()
	if got := quote("  а\nб\x1b[2Jв\u202e "); got != "а б�[2Jв�" {
		t.Errorf("quote = %q", got)
	}
	if got := quote(strings.Repeat("я", 61)); got != strings.Repeat("я", 60)+"…" {
		t.Errorf("quote of 61 letters = %q", got)
	}
}
