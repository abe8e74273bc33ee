//go:build ignore

// gen_language writes the character statistics of charmodel.go and the filters of
// words of wordlist.go from two lists of words with their frequencies
// ("word<TAB>frequency" a line):
//
//	go run gen_language.go words_ru.tsv words_en.tsv chars.bin words.bin
//
// the most frequent words first. The shipped tables were measured on the words of
// each language that the Python package wordfreq 3.1.1 counts at a Zipf frequency of
// 1.8 or more, that is once in 16 million words:
//
//	wordfreq.top_n_list(lang, 500000) with wordfreq.word_frequency(word, lang)
package main

import (
	"bufio"
	"fmt"
	"log"
	"math"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"
	"github.com/kljensen/snowball/russian"
)

// Damping keeps the most frequent words from drowning the shapes of all others.
const damping = 0.7

// frequent is how many words of a list are the frequent ones.
const frequent = 60_000

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: gen_language RUSSIAN.tsv ENGLISH.tsv CHARS WORDS")
	}
	var chars, forms, rare []byte
	for i, letters := range []struct{ first, last rune }{{'а', 'я'}, {'a', 'z'}} {
		l := language{first: letters.first, last: letters.last, p: map[string]float64{}}
		if err := l.read(os.Args[1+i]); err != nil {
			log.Fatal(err)
		}
		chars = append(chars, l.trigrams()...)
		forms = append(forms, filter(l.words, filterBits)...)
		rare = append(rare, filter(l.rightRare(), rareBits)...)
	}
	for i, data := range [][]byte{chars, append(forms, rare...)} {
		if err := os.WriteFile(os.Args[3+i], data, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// language holds the words of an alphabet, the weights of the frequent ones, and
// the frequencies of all.
type language struct {
	first, last rune
	words       []string
	weights     []float64
	rare        []string
	p           map[string]float64
}

func (l *language) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	for line := 0; in.Scan(); line++ {
		word, freq, ok := strings.Cut(in.Text(), "\t")
		if !ok {
			return fmt.Errorf("%s: no tab in %q", path, in.Text())
		}
		p, err := strconv.ParseFloat(freq, 64)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		word = strings.ReplaceAll(strings.ToLower(word), "ё", "е")
		if strings.ContainsFunc(word, func(r rune) bool { return r < l.first || r > l.last }) {
			continue
		}
		l.p[word] = max(l.p[word], p)
		if line >= frequent {
			l.rare = append(l.rare, word)
			continue
		}
		l.words = append(l.words, word)
		l.weights = append(l.weights, math.Pow(p*1e9, damping))
	}
	return in.Err()
}

// stem is the Snowball stem, as stem.go makes it.
func (l *language) stem(word string) string {
	if l.first == 'a' {
		return english.Stem(word, true)
	}
	return russian.Stem(word, true)
}

// minFormStem is the length of the shortest stem that tells its word: shorter ones
// are shared by misspellings.
const minFormStem = 4

// rightRare returns the rare words without those that look like a common way to
// misspell a word a hundred times as frequent, for people's misspellings are counted
// too; the forms of a frequent word stay.
func (l *language) rightRare() []string {
	stems := map[string]bool{}
	for _, word := range l.words {
		stems[l.stem(word)] = true
	}
	var out []string
	for _, word := range l.rare {
		wrong := false
		misspellings(word, func(other string) { wrong = wrong || l.p[other] > 100*l.p[word] })
		root := l.stem(word)
		if !wrong || stems[root] && utf8.RuneCountInString(root) >= minFormStem {
			out = append(out, word)
		}
	}
	return out
}

// alike are letters that people mistake for one another because they sound alike.
var alike = []string{"оа", "еи", "яе", "эе", "иы", "ая", "зс", "дт", "бп", "гк", "вф", "жш", "щш", "ао", "ei", "ea", "ao", "sz", "sc", "ck", "iy"}

// misspellings calls yield with the words that word may be a misspelling of: by a
// letter that sounds alike, a letter doubled or not, a sign (ь, ъ) too many or few.
func misspellings(word string, yield func(string)) {
	r := []rune(word)
	for i := range r {
		for _, pair := range alike {
			p := []rune(pair)
			for k := range 2 {
				if r[i] == p[k] {
					yield(string(r[:i]) + string(p[1-k]) + string(r[i+1:]))
				}
			}
		}
		if i > 0 && r[i] == r[i-1] || r[i] == 'ь' || r[i] == 'ъ' {
			yield(string(r[:i]) + string(r[i+1:]))
		}
		yield(string(r[:i+1]) + string(r[i:]))
		yield(string(r[:i+1]) + "ь" + string(r[i+1:]))
		yield(string(r[:i+1]) + "ъ" + string(r[i+1:]))
	}
}

// The Bloom filters, five probes, the hash being FNV-1a over runes; the same numbers
// stand in wordlist.go.
const (
	filterBits   = 1 << 19 // of frequent words
	rareBits     = 1 << 21 // of rare words
	filterProbes = 5
)

func filter(words []string, size uint64) []byte {
	bits := make([]byte, size/8)
	for _, word := range words {
		h := uint64(14695981039346656037)
		for _, r := range word {
			h = (h ^ uint64(r)) * 1099511628211
		}
		for probe := range uint64(filterProbes) {
			at := (h>>32 + probe*(h&0xffffffff|1)) % size
			bits[at/8] |= 1 << (at % 8)
		}
	}
	return bits
}

// trigrams returns the quantised −ln p(c | a, b), the index being (a·n+b)·n+c
// with the word boundary as character 0.
func (l *language) trigrams() []byte {
	n := int(l.last-l.first) + 2
	c1, c2, c3 := make([]float64, n), make([]float64, n*n), make([]float64, n*n*n)
	for i, word := range l.words {
		a, b := 0, 0
		for _, r := range word + string(l.first-1) {
			c := int(r-l.first) + 1 // the letter before the first one is the boundary
			c1[c] += l.weights[i]
			c2[b*n+c] += l.weights[i]
			c3[(a*n+b)*n+c] += l.weights[i]
			a, b = b, c
		}
	}
	return quantise(n, c1, c2, c3)
}

// quantise interpolates the three orders (Jelinek and Mercer 1980) and stores
// −ln p in sixteenths.
func quantise(n int, c1, c2, c3 []float64) []byte {
	table := make([]byte, n*n*n)
	p1 := share(c1)
	for a := range n {
		for b := range n {
			p2 := share(c2[b*n : b*n+n])
			p3 := share(c3[(a*n+b)*n : (a*n+b)*n+n])
			for c := range n {
				p := 0.9*p3[c] + 0.09*p2[c] + 0.009*p1[c] + 0.001/float64(n)
				table[(a*n+b)*n+c] = byte(min(255, math.Round(-16*math.Log(p))))
			}
		}
	}
	return table
}

func share(counts []float64) []float64 {
	var sum float64
	for _, v := range counts {
		sum += v
	}
	p := make([]float64, len(counts))
	if sum == 0 {
		return p
	}
	for i, v := range counts {
		p[i] = v / sum
	}
	return p
}
