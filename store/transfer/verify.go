package transfer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// errEnough ends the reading of rows early.
var errEnough = errors.New("enough")

// progressEvery is after how many rows a comparison says how far it is.
const progressEvery = 1_000

// verify compares everything that is there with what was to come.
func (c *copying) verify(ctx context.Context, source reader) error {
	return c.to.read(ctx, func(target reader) error {
		var wrong []string
		total, done := int64(0), int64(0)
		for _, p := range c.pairs {
			n, err := source.count(ctx, p.from)
			if err != nil {
				return err
			}
			total += 2 * n
		}
		for i, p := range c.pairs {
			want, err := c.sum(ctx, source, p.from, &done, total)
			if err != nil {
				return fmt.Errorf("table %s: %w", p.name, err)
			}
			got, err := c.sum(ctx, target, p.to, &done, total)
			if err != nil {
				return fmt.Errorf("table %s: %w", p.name, err)
			}
			if want != got {
				wrong = append(wrong, fmt.Sprintf("%s (строк в источнике %d, в копии %d)", p.name, want.rows, got.rows))
			}
			c.r.Tables[i].Rows, c.r.Tables[i].Sum = got.rows, got.sum
		}
		same, err := sameQueue(ctx, source, target)
		if err != nil {
			return err
		}
		if !same {
			wrong = append(wrong, "очередь заданий")
		}
		if len(wrong) > 0 {
			return fmt.Errorf("копия не совпала с источником: %s; источник менялся между запусками или в копию кто-то писал — начните заново: --again: %w", strings.Join(wrong, ", "), ErrDiffers)
		}
		return nil
	})
}

// sum is what two tables with the same rows have in common.
type sum struct {
	rows int64
	sum  string
}

func (c *copying) sum(ctx context.Context, r reader, t table, done *int64, total int64) (s sum, err error) {
	h := sha256.New()
	err = r.rows(ctx, t, nil, 0, func(row []any) error {
		cleaned(row)
		digest(h, row)
		s.rows++
		if *done++; *done%progressEvery == 0 {
			c.o.Progress(Verifying, min(*done, total), total)
		}
		return nil
	})
	s.sum = hex.EncodeToString(h.Sum(nil))
	return s, err
}

// dueWithin is by how much the time of a job may differ between databases that keep
// times in different ways.
const dueWithin = time.Second

// sameQueue compares the late work of both sides, whatever its order.
func sameQueue(ctx context.Context, source, target reader) (bool, error) {
	want, wantIndex, err := source.pending(ctx)
	if err != nil {
		return false, err
	}
	got, gotIndex, err := target.pending(ctx)
	if err != nil {
		return false, err
	}
	slices.Sort(wantIndex)
	slices.Sort(gotIndex)
	if len(want) != len(got) || !slices.Equal(wantIndex, gotIndex) {
		return false, nil
	}
	a, err := sorted(want)
	if err != nil {
		return false, err
	}
	b, err := sorted(got)
	if err != nil {
		return false, err
	}
	return slices.EqualFunc(a, b, func(x, y due) bool { return x.what == y.what && x.at.Sub(y.at).Abs() <= dueWithin }), nil
}

// due is a job in a form that can be compared.
type due struct {
	what string
	at   time.Time
}

func sorted(jobs []bot.Job) ([]due, error) {
	out := make([]due, len(jobs))
	for i, j := range jobs {
		at := j.At
		j.At = time.Time{}
		what, err := json.Marshal(j)
		if err != nil {
			return nil, err
		}
		out[i] = due{what: string(what), at: at}
	}
	slices.SortFunc(out, func(x, y due) int { return cmp.Or(strings.Compare(x.what, y.what), x.at.Compare(y.at)) })
	return out, nil
}
