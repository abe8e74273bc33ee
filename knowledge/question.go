package knowledge

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of what people may write, in Unicode code points.
const (
	// MaxQuestionRunes bounds a question or a phrasing. It is a chat message's
	// length; the embedder reads about 2,000 code points of it anyway.
	MaxQuestionRunes = 4_000
	// MaxAnswerRunes bounds an answer: a long article, split into messages when sent.
	MaxAnswerRunes = 50_000
)

// Question is an entry of the base, or one that is still to become it.
type Question struct {
	ID      string    // of the imported file, or "q" and a number
	Text    string    // the canonical wording
	Status  Status    // one of the four
	Closed  Closed    // why it ended without an entry, else NotClosed
	Topic   string    // "" when it has none
	Asked   time.Time // when it was first asked, or imported
	AskedBy int64     // the person who asked first; 0 for imported ones
	Answer  Answer    // the current version; zero when there is none
	Version int64     // grows with every change of the question, its phrasings or its answer
}

// Open reports whether the question still needs an answer.
func (q Question) Open() bool { return !q.Status.Answered() && q.Closed == NotClosed }

// Origin says where a phrasing came from.
type Origin string

// The origins of phrasings.
const (
	Imported   Origin = "import" // an alias of an imported file
	AskedSo    Origin = "ask"    // an asker's words that a senior answered
	SeniorSaid Origin = "senior" // an asker's words that a senior matched with an existing entry
	PickedSo   Origin = "pick"   // an asker's words, who then chose or confirmed the entry
)

// Phrasing is another wording of a question. The canonical text is a phrasing
// too: phrasings are what is embedded and searched.
type Phrasing struct {
	ID       int64
	Question string
	Text     string
	Origin   Origin
	Person   int64 // who worded it so; 0 when unknown
	Created  time.Time
}

// Answer is one version of the text given. Old versions stay.
type Answer struct {
	ID       int64
	Question string
	Version  int    // 1, 2, … within the question
	Text     string // standard Markdown
	Author   int64  // 0 for imported ones
	ByName   string // the author's name as it was then; "" when unknown
	Created  time.Time
}

// CleanText prepares what a person wrote: line ends become \n, control and
// invisible direction-changing characters are dropped, outer space is trimmed.
// An error wraps ErrInvalid when nothing is left or when it is longer than max
// code points.
func CleanText(text string, maxRunes int) (string, error) {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\r\n", "\n")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r == '\u200b', r == '\ufeff', '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
			return -1
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	if text == "" {
		return "", fmt.Errorf("пустой текст: %w", ErrInvalid)
	}
	if n := utf8.RuneCountInString(text); n > maxRunes {
		return "", fmt.Errorf("текст слишком длинный (%d знаков, можно до %d): %w", n, maxRunes, ErrInvalid)
	}
	return text, nil
}

// Entry is a question with its answer and its other wordings, as an import brings it.
type Entry struct {
	Question Question
	Answer   Answer // its Text, author and time
	Aliases  []string
}

// FoldText reduces a wording to what tells it from others: lower case, ё as е,
// letters and digits with single spaces between them. Two wordings with equal
// folds are the same wording.
func FoldText(text string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(text) {
		if r == 'ё' {
			r = 'е'
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte(' ')
		}
		gap = false
		b.WriteRune(r)
	}
	return b.String()
}
