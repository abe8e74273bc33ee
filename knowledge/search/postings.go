package search

import (
	"cmp"
	"math"
	"slices"
	"sync/atomic"
)

// posting is one occurrence of a term: in which document and how often.
type posting struct {
	doc uint32
	tf  float32
}

// use is one distinct term of a document.
type use struct {
	term uint32
	tf   float32
}

// inverted is an inverted index over hashed terms that can be changed at any time.
// Documents are numbered by the caller, densely; numbers may be used again. Every
// score is a function of the live documents alone, never of their history.
type inverted struct {
	terms  map[uint64]uint32 // hash → number of the term
	hashes []uint64          // number → hash
	lists  [][]posting       // by term, sorted by document
	spare  []uint32          // numbers of terms that no document holds any more
	docs   [][]use           // by document, in the order of first occurrence
	length []float32         // by document, occurrences of terms
	root   []float32         // by document, the square root of its length
	total  float64           // sum of length over live documents
	live   int
	df     []uint32  // by term, len of its list, closer together
	idfs   []float64 // idf by document frequency, as refresh left it
	place  []uint32  // by term, where add put it last

	version uint32          // counts refreshes, never 0 after the first
	norms   []atomic.Uint64 // by document, version and norm as cosine left them
}

func newInverted() *inverted { return &inverted{terms: map[uint64]uint32{}} }

// add stores doc, which must not be live, with the given terms.
func (x *inverted) add(doc uint32, hashes []uint64) {
	for int(doc) >= len(x.docs) {
		x.docs = append(x.docs, nil)
		x.length = append(x.length, 0)
		x.root = append(x.root, 0)
	}
	uses := make([]use, 0, len(hashes))
	for _, h := range hashes {
		n := x.number(h)
		if at := x.place[n]; int(at) < len(uses) && uses[at].term == n {
			uses[at].tf++
			continue
		}
		x.place[n] = uint32(len(uses))
		uses = append(uses, use{n, 1})
	}
	for _, u := range uses {
		x.df[u.term]++
		list := x.lists[u.term]
		if n := len(list); n == 0 || list[n-1].doc < doc {
			x.lists[u.term] = append(list, posting{doc, u.tf})
			continue
		}
		x.lists[u.term] = slices.Insert(list, find(list, doc), posting{doc, u.tf})
	}
	x.docs[doc] = slices.Clip(uses)
	x.length[doc] = float32(len(hashes))
	x.root[doc] = float32(math.Sqrt(float64(len(hashes))))
	x.total += float64(len(hashes))
	x.live++
}

// number returns the number of a term, giving it one if it is new.
func (x *inverted) number(hash uint64) uint32 {
	if n, ok := x.terms[hash]; ok {
		return n
	}
	var n uint32
	if k := len(x.spare); k > 0 {
		n, x.spare = x.spare[k-1], x.spare[:k-1]
		x.hashes[n] = hash
	} else {
		n = uint32(len(x.lists))
		x.lists = append(x.lists, nil)
		x.hashes = append(x.hashes, hash)
		x.df = append(x.df, 0)
		x.place = append(x.place, 0)
	}
	x.terms[hash] = n
	return n
}

// remove takes a live doc out.
func (x *inverted) remove(doc uint32) {
	for _, u := range x.docs[doc] {
		list := x.lists[u.term]
		x.df[u.term]--
		at := find(list, doc)
		if list = slices.Delete(list, at, at+1); len(list) > 0 {
			x.lists[u.term] = list
			continue
		}
		x.lists[u.term] = nil
		delete(x.terms, x.hashes[u.term])
		x.spare = append(x.spare, u.term)
	}
	x.total -= float64(x.length[doc])
	x.docs[doc], x.length[doc] = nil, 0
	x.live--
}

// find returns where doc is, or belongs, in a list.
func find(list []posting, doc uint32) int {
	at, _ := slices.BinarySearchFunc(list, doc, func(p posting, d uint32) int { return cmp.Compare(p.doc, d) })
	return at
}

// idf is the weight of a term that df of n documents hold (Robertson and Zaragoza
// 2009, §3.3, plus one so that it is never negative).
func idf(n, df int) float64 {
	return math.Log1p((float64(n-df) + 0.5) / (float64(df) + 0.5))
}

// maxIDFs bounds the table of idfs, and with it the cost of a single change.
const maxIDFs = 1 << 14

// refresh brings the table of idfs up to date after changes.
func (x *inverted) refresh() {
	x.version++
	if len(x.norms) < len(x.docs) {
		x.norms = make([]atomic.Uint64, len(x.docs)+len(x.docs)/4)
	}
	x.idfs = slices.Grow(x.idfs[:0], min(x.live, maxIDFs)+1)
	for df := range min(x.live, maxIDFs) + 1 {
		x.idfs = append(x.idfs, idf(x.live, df))
	}
}

// weight returns the idf of a term that df documents hold.
func (x *inverted) weight(df uint32) float64 {
	if int(df) < len(x.idfs) {
		return x.idfs[df]
	}
	return idf(x.live, int(df))
}

// damp returns 1 + ln tf, the sublinear weight of a term's frequency.
func damp(tf float32) float64 {
	switch tf {
	case 0, 1:
		return 1
	case 2:
		return 1 + math.Ln2
	default:
		return 1 + math.Log(float64(tf))
	}
}

// queryTerm is one distinct term of a query.
type queryTerm struct {
	number uint32 // valid if list is not empty
	list   []posting
	tf     float32
	idf    float64
}

// look resolves the terms of a query in order of first occurrence; terms that the
// index does not hold have an empty list and the highest idf.
func (x *inverted) look(hashes []uint64) []queryTerm {
	out := make([]queryTerm, 0, len(hashes))
	seen := make(map[uint64]int, len(hashes))
	for _, h := range hashes {
		if at, ok := seen[h]; ok {
			out[at].tf++
			continue
		}
		seen[h] = len(out)
		t := queryTerm{tf: 1}
		if n, ok := x.terms[h]; ok {
			t.number, t.list = n, x.lists[n]
		}
		t.idf = x.weight(uint32(len(t.list)))
		out = append(out, t)
	}
	return out
}

// accumulator gathers one number per document of a query's matches. The loops that
// add to it hold its slices in variables: through a pointer every addition would
// write the slice back.
type accumulator struct {
	sum     []float32
	touched []uint32
}

func (a *accumulator) grow(docs int) {
	if len(a.sum) < docs {
		a.sum = make([]float32, docs+docs/4)
	}
}

func (a *accumulator) reset() {
	for _, d := range a.touched {
		a.sum[d] = 0
	}
	a.touched = a.touched[:0]
}

// BM25 parameters (Robertson and Zaragoza 2009 give 1.2–2 and 0.5–0.8 as usual).
const (
	bm25K1 = 1.2
	bm25B  = 0.75
)

// bm25 adds the score of every document that shares a term with the query.
func (x *inverted) bm25(terms []queryTerm, acc *accumulator) {
	acc.grow(len(x.docs))
	if x.live == 0 {
		return
	}
	average := x.total / float64(x.live)
	sum, touched := acc.sum, acc.touched
	for _, t := range terms {
		for _, p := range t.list {
			tf := float64(p.tf)
			norm := bm25K1 * (1 - bm25B + bm25B*float64(x.length[p.doc])/average)
			if sum[p.doc] == 0 {
				touched = append(touched, p.doc)
			}
			sum[p.doc] += float32(t.idf * tf * (bm25K1 + 1) / (tf + norm))
		}
	}
	acc.touched = touched
}

// cover adds, per document, the idf of the query's terms that it holds, and
// returns the idf of all of them.
func (x *inverted) cover(terms []queryTerm, acc *accumulator) float64 {
	acc.grow(len(x.docs))
	var all float64
	sum, touched := acc.sum, acc.touched
	for _, t := range terms {
		all += t.idf
		for _, p := range t.list {
			if sum[p.doc] == 0 {
				touched = append(touched, p.doc)
			}
			sum[p.doc] += float32(t.idf)
		}
	}
	acc.touched = touched
	return all
}

// dot adds the inner product of TF-IDF vectors of the query and every document
// that shares one of its rarer terms: rarest first, until the lists read are budget
// postings long. That is enough to choose candidates; [inverted.cosine] is exact.
func (x *inverted) dot(terms []queryTerm, budget int, acc *accumulator) {
	acc.grow(len(x.docs))
	rare := slices.Clone(terms)
	slices.SortStableFunc(rare, func(a, b queryTerm) int { return cmp.Compare(len(a.list), len(b.list)) })
	sum, touched := acc.sum, acc.touched
	for i, t := range rare {
		if budget -= len(t.list); budget < 0 && i > 0 {
			break
		}
		v := damp(t.tf) * t.idf * t.idf
		once := float32(v)
		for _, p := range t.list {
			if sum[p.doc] == 0 {
				touched = append(touched, p.doc)
			}
			if p.tf == 1 {
				sum[p.doc] += once
			} else {
				sum[p.doc] += float32(v * damp(p.tf))
			}
		}
	}
	acc.touched = touched
}

// tfidf is a TF-IDF vector laid out by term number, to compare documents with.
type tfidf struct {
	weights []float64
	held    []uint64 // a bit for each term that has a weight: small enough to stay in the cache
	filled  []uint32
	norm    float64
}

func (v *tfidf) reset() {
	for _, n := range v.filled {
		v.weights[n], v.held[n/64] = 0, 0
	}
	v.filled, v.norm = v.filled[:0], 0
}

func (v *tfidf) set(term uint32, w float64) {
	v.weights[term] = w
	v.held[term/64] |= 1 << (term % 64)
	v.filled = append(v.filled, term)
}

// ofQuery fills v with the vector of a query. Terms that the index lacks count in
// its length.
func (x *inverted) ofQuery(terms []queryTerm, v *tfidf) {
	x.clear(v)
	var sum float64
	for _, t := range terms {
		w := damp(t.tf) * t.idf
		sum += w * w
		if len(t.list) > 0 {
			v.set(t.number, w)
		}
	}
	v.norm = math.Sqrt(sum)
}

// ofDoc fills v with the vector of a document.
func (x *inverted) ofDoc(doc uint32, v *tfidf) {
	x.clear(v)
	var sum float64
	for _, u := range x.docs[doc] {
		w := damp(u.tf) * x.weight(x.df[u.term])
		sum += w * w
		v.set(u.term, w)
	}
	v.norm = math.Sqrt(sum)
}

func (x *inverted) clear(v *tfidf) {
	v.reset()
	if len(v.weights) < len(x.lists) {
		n := len(x.lists) + len(x.lists)/4
		v.weights, v.held = make([]float64, n), make([]uint64, n/64+1)
	}
}

// cosine returns the cosine of v and the vector of a document, 0 to 1.
func (x *inverted) cosine(v *tfidf, doc uint32) float64 {
	if v.norm == 0 {
		return 0
	}
	var dot float64
	held := v.held
	for _, u := range x.docs[doc] {
		if held[u.term/64]>>(u.term%64)&1 != 0 {
			dot += v.weights[u.term] * damp(u.tf) * x.weight(x.df[u.term])
		}
	}
	if dot == 0 {
		return 0
	}
	return min(1, dot/(v.norm*x.norm(doc)))
}

// norm returns the length of a document's vector. It changes with every change of
// the base, so it is computed when it is asked for and kept until the next one;
// readers that race for it compute the same.
func (x *inverted) norm(doc uint32) float64 {
	if kept := x.norms[doc].Load(); uint32(kept>>32) == x.version {
		return float64(math.Float32frombits(uint32(kept)))
	}
	var sum float64
	for _, u := range x.docs[doc] {
		w := damp(u.tf) * x.weight(x.df[u.term])
		sum += w * w
	}
	norm := float32(math.Sqrt(sum))
	x.norms[doc].Store(uint64(x.version)<<32 | uint64(math.Float32bits(norm)))
	return float64(norm)
}
