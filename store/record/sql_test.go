package record

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func TestDollar(t *testing.T) {
	for query, want := range map[string]string{
		"":                              "",
		"SELECT 1":                      "SELECT 1",
		"a = ? AND b IN (?, ?)":         "a = $1 AND b IN ($2, $3)",
		strings.Repeat("?,", 11) + "да": "$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,да",
	} {
		if got := Dollar(query); got != want {
			t.Errorf("Dollar(%q) is %q, want %q", query, got, want)
		}
	}
}

// Whatever the number of values, every one is bound, none twice but to fill up,
// in statements of few sizes.
func TestPortions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := make([]int, rapid.IntRange(0, 3*chunk).Draw(t, "values"))
		for i := range values {
			values[i] = i
		}
		powerOfTwo := func(n int) bool { return n > 0 && n&(n-1) == 0 && n <= chunk }
		var bound, inserted []any
		err := errors.Join(
			chunks(values, func(in string, args []any) error {
				if strings.Count(in, "?") != len(args) || !powerOfTwo(len(args)) {
					t.Errorf("%d placeholders for %d values", strings.Count(in, "?"), len(args))
				}
				bound = append(bound, slices.Compact(args)...)
				return nil
			}),
			portions(values, func(rows string, args []any) error {
				if strings.Count(rows, "(?)") != len(args) || !powerOfTwo(len(args)) {
					t.Errorf("%d rows for %d values", strings.Count(rows, "(?)"), len(args))
				}
				inserted = append(inserted, args...)
				return nil
			}))
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range [][]any{bound, inserted} {
			if len(got) != len(values) {
				t.Fatalf("%d of %d values were bound", len(got), len(values))
			}
			for i, v := range got {
				if v != i {
					t.Fatalf("value %d is %v", i, v)
				}
			}
		}
	})
}

func TestTimes(t *testing.T) {
	if got := moment(millis(time.Time{})); !got.IsZero() {
		t.Errorf("no time came back as %v", got)
	}
	moscow := time.FixedZone("MSK", 3*3600)
	at := time.Date(2026, 3, 2, 12, 0, 0, 987_654_321, moscow)
	want := time.Date(2026, 3, 2, 9, 0, 0, 987_000_000, time.UTC)
	if got := moment(millis(at)); got != want {
		t.Errorf("%v came back as %v, want %v", at, got, want)
	}
}

func TestVectorComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := vector(rapid.SliceOf(rapid.Float32()).Draw(t, "vector"))
		var back vector
		if err := back.Scan(v.bytes()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(v, back) {
			t.Errorf("%v came back as %v", v, back)
		}
	})
	if got := (vector{1, -2}).bytes(); !bytes.Equal(got, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}) {
		t.Errorf("1 and -2 are stored as % x: not little-endian float32", got)
	}
	for _, src := range []any{[]byte{1, 2, 3}, "text", nil} {
		if err := new(vector).Scan(src); !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("%v was read as a vector: %v", src, err)
		}
	}
}
