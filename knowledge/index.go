package knowledge

import (
	"context"
	"crypto/sha256"
	"strconv"
)

// EmbedKind tells an embedder what a text is: the e5 family embeds the two
// sides of a search differently.
type EmbedKind string

// The kinds of texts.
const (
	QueryText   EmbedKind = "query"   // a question or a phrasing
	PassageText EmbedKind = "passage" // an answer
)

// Embedder turns texts into vectors of length 1. Name identifies the model and
// all that changes its vectors: vectors and thresholds are stored under it.
type Embedder interface {
	Name() string
	Dim() int
	Embed(ctx context.Context, kind EmbedKind, texts []string) ([][]float32, error)
}

// VectorKey is the primary key of a vector in the index: our own, so that
// writing twice is writing once.
type VectorKey string

// PhrasingKey is the key of a phrasing's vector.
func PhrasingKey(id int64) VectorKey { return VectorKey("p" + strconv.FormatInt(id, 10)) }

// AnswerKey is the key of an answer's vector. A question has one current
// answer, so its id is enough.
func AnswerKey(question string) VectorKey { return VectorKey("a:" + question) }

// Vector is one row of the index.
type Vector struct {
	Key      VectorKey
	Kind     EmbedKind
	Question string
	Topic    string
	Version  int64     // of the question when the vector was written
	Values   []float32 // of length 1 (unit norm), Embedder.Dim numbers
}

// VectorHit is one row found near a query.
type VectorHit struct {
	Key        VectorKey
	Kind       EmbedKind
	Question   string
	Version    int64
	Similarity float64 // cosine, −1 to 1
}

// Index finds the vectors nearest to one. It is derived from the record of
// truth and may lag behind it: every hit is checked there before it is shown.
// Implementations are safe for concurrent use.
type Index interface {
	// Upsert writes vectors by key. A vector of another dimension is refused
	// with ErrInvalid.
	Upsert(ctx context.Context, vectors []Vector) error
	// DeleteQuestions removes every vector of the given questions.
	DeleteQuestions(ctx context.Context, questions []string) error
	// Nearest returns up to k hits, most similar first, ties by key; topics
	// limits it to questions of those topics, nil means all.
	Nearest(ctx context.Context, query []float32, k int, topics []string) ([]VectorHit, error)
	// Versions returns the version under which each question is indexed.
	Versions(ctx context.Context) (map[string]int64, error)
}

// TextHash names a text of one kind in the store of embeddings, so that a text
// is embedded once however often it is imported.
func TextHash(kind EmbedKind, text string) string {
	h := sha256.Sum256([]byte(string(kind) + "\x00" + text))
	return string(h[:])
}
