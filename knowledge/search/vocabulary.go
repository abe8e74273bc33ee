package search

import (
	"cmp"
	"slices"
	"strings"
)

// vocabulary counts the words of the base in their forms.
type vocabulary struct {
	forms map[string]*form
	stems map[string][]string // the forms of a stem
}

type form struct {
	stem  string
	hash  uint64 // of the stem
	count int    // phrasings and answers that hold it, once per occurrence
}

func newVocabulary() vocabulary {
	return vocabulary{forms: map[string]*form{}, stems: map[string][]string{}}
}

// learn counts words and returns the hashes of their stems.
func (v *vocabulary) learn(words []string) []uint64 {
	hashes := make([]uint64, len(words))
	for i, w := range words {
		f, ok := v.forms[w]
		if !ok {
			w = strings.Clone(w) // do not keep the whole text for one word
			f = &form{stem: stem(w)}
			f.hash = hashWord(f.stem)
			v.stems[f.stem] = append(v.stems[f.stem], w)
			v.forms[w] = f
		}
		f.count++
		hashes[i] = f.hash
	}
	return hashes
}

// forget takes back what learn counted.
func (v *vocabulary) forget(words []string) {
	for _, w := range words {
		f := v.forms[w]
		if f.count--; f.count > 0 {
			continue
		}
		delete(v.forms, w)
		left := slices.DeleteFunc(v.stems[f.stem], func(s string) bool { return s == w })
		if len(left) > 0 {
			v.stems[f.stem] = left
		} else {
			delete(v.stems, f.stem)
		}
	}
}

// count returns how often a form occurs.
func (v *vocabulary) count(word string) int {
	if f, ok := v.forms[word]; ok {
		return f.count
	}
	return 0
}

// best returns the most frequent form of a stem and the count of all its forms.
func (v *vocabulary) best(stem string) (string, int) {
	forms := v.stems[stem]
	if len(forms) == 0 {
		return "", 0
	}
	total := 0
	for _, f := range forms {
		total += v.forms[f].count
	}
	return slices.MinFunc(forms, func(a, b string) int {
		return cmp.Or(cmp.Compare(v.forms[b].count, v.forms[a].count), cmp.Compare(a, b))
	}), total
}
