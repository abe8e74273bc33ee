package record

import (
	"bytes"
	"context"
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

// counted notes the statements that it is to run.
type counted struct {
	Conn
	statements []string
	args       []any
}

func (c *counted) Exec(_ context.Context, query string, args ...any) (int64, error) {
	c.statements, c.args = append(c.statements, query), append(c.args, args...)
	return 0, nil
}

// Whatever the number of values, every one is bound, none twice but to fill up,
// in statements of few sizes.
func TestPortions(t *testing.T) {
	powerOfTwo := func(n int) bool { return n > 0 && n&(n-1) == 0 && n <= chunk }
	rapid.Check(t, func(t *rapid.T) {
		values := make([]int, rapid.IntRange(0, 3*chunk).Draw(t, "values"))
		rows := make([][]any, len(values))
		for i := range values {
			values[i], rows[i] = i, []any{i, -i}
		}
		var bound []any
		var c counted
		err := errors.Join(
			chunks(values, func(in string, args []any) error {
				if strings.Count(in, "?") != len(args) || !powerOfTwo(len(args)) {
					t.Errorf("%d placeholders for %d values", strings.Count(in, "?"), len(args))
				}
				bound = append(bound, slices.Compact(args)...)
				return nil
			}),
			insertRows(context.Background(), &c, "INSERT INTO t (a, b)", rows, "ON CONFLICT DO NOTHING"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range values {
			if bound[i] != i || c.args[2*i] != i || c.args[2*i+1] != -i {
				t.Fatalf("value %d is bound as %v and inserted as %v, %v", i, bound[i], c.args[2*i], c.args[2*i+1])
			}
		}
		if len(bound) != len(values) || len(c.args) != 2*len(values) {
			t.Fatalf("of %d values %d were bound and %d inserted", len(values), len(bound), len(c.args)/2)
		}
		for _, s := range c.statements {
			if n := strings.Count(s, "(?, ?)"); !powerOfTwo(n) || !strings.HasSuffix(s, ") ON CONFLICT DO NOTHING") {
				t.Errorf("%d rows in %q", n, s)
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
