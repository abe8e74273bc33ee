package search

// maxQueryWords is how many words of a message are scored; people who write more
// say what they mean at the beginning, and the vector covers the rest.
const maxQueryWords = 64

// maxRounds bounds how often the repairs are tried again on what they made.
const maxRounds = 4

// RepairKind names what was done to a message before it is searched.
type RepairKind string

// The repairs, in the order in which they are tried.
const (
	// RepairMarks: pictures and runs of marks were left out (??!! → ?).
	RepairMarks RepairKind = "marks"
	// RepairFiller: a greeting or a request to tell was left out.
	RepairFiller RepairKind = "filler"
	// RepairLayout: typed under the wrong keyboard layout (ghbdtn → привет), or a Latin
	// letter that looks Russian.
	RepairLayout RepairKind = "layout"
	// RepairTranslit: Russian in Latin letters (privet → привет).
	RepairTranslit RepairKind = "translit"
	// RepairCase: a message all in capitals was written in small letters; the
	// embedder reads capitals badly.
	RepairCase RepairKind = "case"
	// RepairSynonym: slang was replaced by the plain words for it.
	RepairSynonym RepairKind = "synonym"
	// RepairTypo: a word the base does not know, one slip away from one it knows.
	RepairTypo RepairKind = "typo"
)

// Repair is one change that [Parser.Parse] made to a message.
type Repair struct {
	Kind     RepairKind
	From, To string // words and what they became; "" if they were left out
}

// Query is a message prepared for search.
type Query struct {
	Raw     string   // the message, cleaned and cut at 2,000 characters, not repaired
	Text    string   // the message as it was understood: what is to be embedded
	Words   []string // folded words of Text, at most 64
	Stems   []string // their Snowball stems
	Repairs []Repair // what makes Text differ from Raw, in order
}

// Vocabulary is what a [Parser] asks of the words of a knowledge base. Words and
// stems are folded: lower case, ё as е. [Lexicon] is one.
type Vocabulary interface {
	// WordCount returns how many phrasings and answers hold the word in this form.
	WordCount(word string) int
	// StemForm returns the most frequent form of a stem, and how many phrasings and
	// answers hold any of its forms. An unknown stem has the form "".
	StemForm(stem string) (form string, count int)
}

// ParserOptions say what a [Parser] knows besides its languages. The zero value is
// valid.
type ParserOptions struct {
	// Vocabulary is the base's own; nil turns typo repair off, and the other repairs
	// then rest on the look of the letters alone.
	Vocabulary Vocabulary
	// Synonyms maps slang, one to four words, to the plain words for it. All forms
	// of a word are recognised whose stem has four letters at least. Slang that the
	// base uses itself stays.
	Synonyms map[string]string
}

// Parser prepares messages. It is safe for concurrent use if its Vocabulary is.
type Parser struct {
	vocabulary Vocabulary
	synonyms   synonymTable
	keys       keyboard
	latin      translit
	russian    language
	english    language
	filler     phraseBook
}

// NewParser returns a parser with the given knowledge.
func NewParser(o ParserOptions) *Parser {
	p := &Parser{
		vocabulary: o.Vocabulary,
		synonyms:   newSynonymTable(o.Synonyms),
		keys:       newKeyboard(),
		russian:    russianLanguage(),
		english:    englishLanguage(),
		filler:     newPhraseBook(),
	}
	if p.vocabulary == nil {
		p.vocabulary = noVocabulary{}
	}
	p.latin = newTranslit(p.russian, p.vocabulary)
	return p
}

// Parse prepares a message without the vocabulary of a base. Who prepares many
// keeps a [Parser].
func Parse(text string) Query { return NewParser(ParserOptions{}).Parse(text) }

// Parse prepares a message for search. It never fails: what cannot be understood
// is left as it is, and text without letters or digits gives a Query without Words.
func (p *Parser) Parse(text string) Query {
	q := Query{Raw: Clean(text)}
	q.Text = q.Raw
	for range maxRounds {
		text, done, more := p.repair(q.Text)
		q.Text = text
		q.Repairs = append(q.Repairs, done...)
		if !more {
			break
		}
	}
	q.Words = words(fold(q.Text), maxQueryWords)
	q.Stems = stems(q.Words)
	return q
}

// repair makes each repair once. There may be more to do where words were changed:
// a mended greeting is filler. What nothing is left to do of is a right message,
// which parsing leaves alone.
func (p *Parser) repair(text string) (repaired string, all []Repair, more bool) {
	text, marks := tidyMarks(text)
	text, filler := p.stripFiller(text)
	all = append(marks, filler...)
	for _, repair := range []func(string) (string, []Repair){p.repairScript, p.repairCase, p.applySynonyms, p.repairTypos} {
		changed, done := repair(text)
		text = changed
		all = append(all, done...)
		more = more || len(done) > 0
	}
	if len(all) > 0 {
		text = Clean(text)
	}
	return text, all, more
}

// Repaired reports whether any repair of the kind was made.
func (q Query) Repaired(kind RepairKind) bool {
	for _, r := range q.Repairs {
		if r.Kind == kind {
			return true
		}
	}
	return false
}

func notWordRune(r rune) bool { return !isWordRune(r) }

type noVocabulary struct{}

func (noVocabulary) WordCount(string) int          { return 0 }
func (noVocabulary) StemForm(string) (string, int) { return "", 0 }
