package bot

import (
	"context"
	"strings"
	"sync"
)

// outages remembers which platforms cannot be used, and why.
type outages struct {
	mu  sync.Mutex
	why map[string]string // by platform
}

// news notes an attempt to send, and reports whether it tells something new: that a
// platform is away, that it is so for another reason, or that it is back.
func (o *outages) news(platform string, result Result, err error) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	before, away := o.why[platform]
	switch {
	case result == Arrived && away:
		delete(o.why, platform)
		return true
	case result != PlatformAway:
		return false
	}
	if o.why == nil {
		o.why = map[string]string{}
	}
	o.why[platform] = withoutNumbers(err.Error())
	return o.why[platform] != before
}

// withoutNumbers drops the digits of an error: those of ports and times, which differ from one
// attempt to the next.
func withoutNumbers(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, s)
}

// logAttempt logs what administrators want to know of an attempt to send: of a
// platform that is away they hear once, not for every message that waits.
func (r *Runner) logAttempt(ctx context.Context, d Dispatch, result Result, err error) {
	platform := d.Chat.Platform()
	news := r.outages.news(platform, result, err)
	switch {
	case err == nil && news:
		r.Log.WarnContext(ctx, "sending succeeds again", "platform", platform)
	case err != nil && (result != PlatformAway || news):
		r.Log.WarnContext(ctx, "sending failed", "platform", platform, "conversation", d.Chat, "delivery", d.ID, "attempt", d.Attempts, "state", d.State, "err", err)
	}
}
