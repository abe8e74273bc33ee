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

// Probe is what to look for in an index.
type Probe struct {
	Values []float32 // of length 1
	K      int       // how many hits at most
	Topics []string  // only questions of these topics; nil means of all
	// Fresh wants every write that has returned to be seen. An index on another
	// server may take a little longer then; one in memory always sees them.
	Fresh bool
}

// Stamp says of what a vector is.
type Stamp struct {
	Question string
	Version  int64 // of the question when the vector was written
}

// Index finds the vectors nearest to one. It is derived from the record of
// truth and may lag behind it: every hit is checked there before it is shown.
// Implementations are safe for concurrent use.
type Index interface {
	// Upsert writes vectors by key. A vector of another dimension is refused
	// with ErrInvalid.
	Upsert(ctx context.Context, vectors []Vector) error
	// DeleteQuestions removes the vectors of the given questions, but for those
	// whose keys are to be kept.
	DeleteQuestions(ctx context.Context, questions []string, keep ...VectorKey) error
	// Nearest returns up to p.K hits, most similar first, ties by key.
	Nearest(ctx context.Context, p Probe) ([]VectorHit, error)
	// Stamps returns what is indexed: every vector's question and version.
	Stamps(ctx context.Context) (map[VectorKey]Stamp, error)
}

// TextHash names a text of one kind in the store of embeddings, so that a text
// is embedded once however often it is imported.
func TextHash(kind EmbedKind, text string) string {
	h := sha256.Sum256([]byte(string(kind) + "\x00" + text))
	return string(h[:])
}
