package transfer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"math"
	"strings"
	"unicode/utf8"
)

// normal gives a value the one Go type of its kind: int64, float64, string, []byte or
// nil. Drivers have their own ideas.
func normal(k kind, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	var out any
	switch k {
	case integers:
		out = integer(v)
	case reals:
		out = realNumber(v)
	case texts:
		out = text(v)
	case blobs:
		out = blob(v)
	}
	if out == nil {
		return nil, fmt.Errorf("a %T in a column of kind %d: %w", v, k, ErrSchemas)
	}
	return out, nil
}

func integer(v any) any {
	switch n := v.(type) {
	case int64:
		return n
	case int32:
		return int64(n)
	case int16:
		return int64(n)
	}
	return nil
}

func realNumber(v any) any {
	switch n := v.(type) {
	case float64:
		return n
	case int64:
		return float64(n)
	}
	return nil
}

func text(v any) any {
	switch s := v.(type) {
	case string:
		return s
	case []byte:
		return string(s)
	}
	return nil
}

// blob returns bytes that are not nil: none of them are not NULL.
func blob(v any) any {
	switch b := v.(type) {
	case []byte:
		return append([]byte{}, b...)
	case string:
		return []byte(b)
	}
	return nil
}

// clean takes out of a text what PostgreSQL cannot store and SQLite can: zero bytes,
// and bytes that are no UTF-8.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

// cleaned cleans the texts of a row and counts those that had to be.
func cleaned(row []any) (n int64) {
	for i, v := range row {
		if s, ok := v.(string); ok {
			if c := clean(s); len(c) != len(s) {
				row[i] = c
				n++
			}
		}
	}
	return n
}

// size is about how many bytes a row takes.
func size(row []any) (n int) {
	for _, v := range row {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
		n += 8
	}
	return n
}

// digest adds a row to a hash in a form that does not depend on the database: every
// value with its kind and its length.
func digest(h hash.Hash, row []any) {
	var b []byte
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			b = append(b, 'n')
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
		case float64:
			b = binary.BigEndian.AppendUint64(append(b, 'f'), math.Float64bits(v))
		case string:
			b = binary.BigEndian.AppendUint64(append(b, 't'), uint64(len(v)))
			b = append(b, v...)
		case []byte:
			b = binary.BigEndian.AppendUint64(append(b, 'b'), uint64(len(v)))
			b = append(b, v...)
		}
	}
	_, _ = h.Write(b) // never fails
}

// keyValue is one value of a key as it is noted.
type keyValue struct {
	Int   *int64 `json:"i,omitempty"`
	Bytes []byte `json:"b,omitempty"` // of a text, too: it need not be UTF-8
}

// encodeKey notes the key of a row.
func encodeKey(key []any) (string, error) {
	out := make([]keyValue, len(key))
	for i, v := range key {
		switch v := v.(type) {
		case int64:
			out[i].Int = &v
		case string:
			out[i].Bytes = []byte(v)
		case []byte:
			out[i].Bytes = v
		default:
			return "", fmt.Errorf("a %T in a primary key: %w", v, ErrSchemas)
		}
	}
	b, err := json.Marshal(out)
	return string(b), err
}

// decodeKey reads what encodeKey has noted.
func decodeKey(noted string, columns []column) ([]any, error) {
	var in []keyValue
	if err := json.Unmarshal([]byte(noted), &in); err != nil || len(in) != len(columns) {
		return nil, fmt.Errorf("the note of how far a copy came cannot be read: %w", ErrSchemas)
	}
	out := make([]any, len(in))
	for i, v := range in {
		switch {
		case columns[i].kind == texts:
			out[i] = string(v.Bytes)
		case columns[i].kind == blobs:
			out[i] = append([]byte{}, v.Bytes...) // nil would be NULL
		case v.Int != nil:
			out[i] = *v.Int
		default:
			return nil, fmt.Errorf("the note of how far a copy came lacks a number: %w", ErrSchemas)
		}
	}
	return out, nil
}

// hashed hides what an identity is made of: it is only compared.
func hashed(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
