//go:build ignore

// gen_language writes the character statistics of charmodel.go and the word
// filters of wordlist.go from two lists of words with their frequencies
// ("word<TAB>frequency" a line):
//
//	go run gen_language.go words_ru.tsv words_en.tsv chars.bin words.bin
//
// The shipped tables were measured on the 60,000 most frequent words of each
// language as the Python package wordfreq 3.1.1 counts them:
//
//	wordfreq.top_n_list(lang, 60000) with wordfreq.word_frequency(word, lang)
package main

import (
	"bufio"
	"fmt"
	"log"
	"math"
	"os"
	"strconv"
	"strings"
)

// Damping keeps the most frequent words from drowning the shapes of all others.
const damping = 0.7

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: gen_language RUSSIAN.tsv ENGLISH.tsv CHARS WORDS")
	}
	var chars, filters []byte
	for i, letters := range []struct{ first, last rune }{{'а', 'я'}, {'a', 'z'}} {
		l := language{first: letters.first, last: letters.last}
		if err := l.read(os.Args[1+i]); err != nil {
			log.Fatal(err)
		}
		chars = append(chars, l.trigrams()...)
		filters = append(filters, l.filter()...)
	}
	for i, data := range [][]byte{chars, filters} {
		if err := os.WriteFile(os.Args[3+i], data, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// language holds the words of an alphabet and their weights.
type language struct {
	first, last rune
	words       []string
	weights     []float64
}

func (l *language) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	for in.Scan() {
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
		l.words = append(l.words, word)
		l.weights = append(l.weights, math.Pow(p*1e9, damping))
	}
	return in.Err()
}

// The Bloom filter of a language: 2^19 bits, five probes, the hash being FNV-1a
// over runes; the same numbers stand in wordlist.go.
const (
	filterBits   = 1 << 19
	filterProbes = 5
)

func (l *language) filter() []byte {
	bits := make([]byte, filterBits/8)
	for _, word := range l.words {
		h := uint64(14695981039346656037)
		for _, r := range word {
			h = (h ^ uint64(r)) * 1099511628211
		}
		for probe := range uint64(filterProbes) {
			at := (h>>32 + probe*(h&0xffffffff|1)) % filterBits
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
