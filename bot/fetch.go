package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// fetch keeps the files of a message. One that cannot be had is no reason to lose
// the words: it has a problem, which the person is told.
func (r *Runner) fetch(ctx context.Context, row Row, s Said) (Said, error) {
	s.Files = slices.Clone(s.Files)
	for i := range s.Files {
		f := &s.Files[i]
		err := r.fetchFile(ctx, row, f)
		if err == nil {
			continue
		}
		if r.fetchAgain(ctx, row, err) {
			return s, fmt.Errorf("fetch file %d of %d: %w", i+1, len(s.Files), err)
		}
		r.Log.ErrorContext(ctx, "a file is given up", "conversation", row.Chat, "event_id", row.ID, "err", err)
		f.Problem = FileLost
	}
	return s, nil
}

// fetchWithin is for how long a file is waited for while the platform is away or asks
// to wait: the person's words wait with it.
const fetchWithin = 30 * time.Minute

// fetchAgain reports whether a file that could not be fetched is to be tried again.
func (r *Runner) fetchAgain(ctx context.Context, row Row, err error) bool {
	if ctx.Err() != nil {
		return true
	}
	if errors.Is(err, knowledge.ErrAway) || slowDown(err) > 0 {
		begun := row.At
		if r.since.After(begun) {
			begun = r.since
		}
		return r.Now().Sub(begun) < fetchWithin
	}
	return row.Attempts+1 < maxAttempts
}

func (r *Runner) fetchFile(ctx context.Context, row Row, f *File) error {
	from := r.Platforms[row.Chat.Platform()].Fetcher
	switch {
	case r.Files == nil || from == nil:
		f.Problem = FileRefused
		return nil
	case f.Size > r.FileLimits.Bytes():
		f.Problem = FileTooLarge
		return nil
	}
	body, err := from.Fetch(ctx, *f)
	switch {
	case errors.Is(err, knowledge.ErrNotFound):
		f.Problem = FileLost
		return nil
	case errors.Is(err, knowledge.ErrInvalid):
		f.Problem = FileTooLarge
		return nil
	case err != nil:
		return err
	}
	defer func() { _ = body.Close() }()
	f.Content, err = r.Files.Put(ctx, body, r.FileLimits)
	switch {
	case errors.Is(err, knowledge.ErrFileEmpty):
		f.Problem = FileEmpty
	case errors.Is(err, knowledge.ErrFileTooLarge):
		f.Problem = FileTooLarge
	case errors.Is(err, knowledge.ErrInvalid):
		f.Problem = FileRefused
	default:
		return err
	}
	return nil
}
