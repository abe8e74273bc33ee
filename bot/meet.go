package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// meetAgain is how long what a platform has told of somebody is taken to hold.
const meetAgain = 12 * time.Hour

// profiles remembers what has been looked up.
type profiles struct {
	mu    sync.Mutex
	known map[person]looked
}

// person is somebody on a platform.
type person struct{ platform, external string }

// looked is a profile as it was at a time.
type looked struct {
	Profile
	at time.Time
}

func (p *profiles) get(who person, now time.Time) (Profile, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, ok := p.known[who]
	return l.Profile, ok && now.Sub(l.at) < meetAgain
}

func (p *profiles) put(who person, l looked) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[who] = l
}

// meet adds to an identity what the platform's directory vouches for. Who is there
// no longer, or cannot be looked up, stays as they are known.
func (r *Runner) meet(ctx context.Context, i knowledge.Identity) (knowledge.Identity, error) {
	d := r.Platforms[i.Platform].Directory
	if i.External == "" || d == nil {
		return i, nil
	}
	who := person{i.Platform, i.External}
	p, ok := r.profiles.get(who, r.Now())
	if !ok {
		var err error
		if p, err = d.Profile(ctx, i.External); err != nil && !errors.Is(err, knowledge.ErrNotFound) {
			return i, fmt.Errorf("look up somebody on %s: %w", i.Platform, err)
		}
		r.profiles.put(who, looked{p, r.Now()})
	}
	i.Name, i.Email, i.Team, i.Zone = cmp.Or(p.Name, i.Name), p.Email, p.Team, p.Zone
	i.Outsider = p.Outsider
	return i, nil
}
