package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
		if errors.Is(err, knowledge.ErrAway) || ctx.Err() != nil || row.Attempts+1 < maxAttempts {
			return s, fmt.Errorf("fetch file %d of %d: %w", i+1, len(s.Files), err)
		}
		r.Log.ErrorContext(ctx, "a file is given up", "conversation", row.Chat, "event_id", row.ID, "err", err)
		f.Problem = FileLost
	}
	return s, nil
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
