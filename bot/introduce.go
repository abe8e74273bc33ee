package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Registry finds people of a platform by what the company knows of them.
type Registry interface {
	// ByEmail returns the platform's id of who has an e-mail address, as the platform
	// vouches for it. The error wraps knowledge.ErrNotFound for nobody.
	ByEmail(ctx context.Context, email string) (external string, err error)
}

// Introduce finds on a platform those who have only an e-mail address there so far,
// so that they can be written to before they have written, and brings seniors what has
// waited for them. It returns how many were found; the error is the first that kept
// somebody from being looked up, the others are looked up all the same.
func (o Office) Introduce(ctx context.Context, platform string, r Registry) (found int, err error) {
	strangers, err := o.strangersTo(ctx, platform)
	if err != nil {
		return 0, fmt.Errorf("introduce people to %s: %w", platform, err)
	}
	var first error
	for _, p := range strangers {
		external, err := lookUp(ctx, r, p.Email)
		switch {
		case errors.Is(err, knowledge.ErrNotFound):
			continue
		case err != nil:
			first = errors.Join(first, fmt.Errorf("introduce person %d to %s: %w", p.ID, platform, err))
			if errors.Is(err, knowledge.ErrAway) || ctx.Err() != nil {
				return found, first // the others would not be found either
			}
			continue
		}
		id := knowledge.Identity{Platform: platform, External: external, Name: p.Name, Chat: string(NewChat(platform, external)), Email: p.Email}
		if _, err := o.AddPerson(ctx, id, func(*knowledge.Person) {}); err != nil {
			return found, errors.Join(first, err)
		}
		found++
	}
	return found, first
}

// lookUp asks a registry, and waits for as long as it asks to: those at the end of a long
// list would never be looked up.
func lookUp(ctx context.Context, r Registry, email string) (string, error) {
	for {
		external, err := r.ByEmail(ctx, email)
		busy, ok := errors.AsType[*SlowDownError](err)
		if !ok {
			return external, err
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%w: %w", err, ctx.Err())
		case <-time.After(busy.After):
		}
	}
}

// strangersTo lists those with an e-mail address whom a platform does not know.
func (o Office) strangersTo(ctx context.Context, platform string) (out []knowledge.Person, err error) {
	err = o.Store.Read(ctx, func(tx Tx) error {
		all, err := tx.People(ctx, false)
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.Email == "" || p.Left {
				continue
			}
			known, err := tx.Identities(ctx, p.ID)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(known, func(i knowledge.Identity) bool { return i.Platform == platform }) {
				out = append(out, p)
			}
		}
		return nil
	})
	return out, err
}
