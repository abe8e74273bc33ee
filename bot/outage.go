package bot

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// outages remembers why platforms cannot be used, so that the log says it once and not
// with every message that waits.
type outages struct {
	mu   sync.Mutex
	told map[string]string // by platform
}

// level is how loud the log is about an attempt that failed.
func (o *outages) level(platform string, err error) slog.Level {
	if !errors.Is(err, knowledge.ErrAway) {
		return slog.LevelWarn
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.told[platform] == err.Error() {
		return slog.LevelDebug
	}
	if o.told == nil {
		o.told = map[string]string{}
	}
	o.told[platform] = err.Error()
	return slog.LevelWarn
}

// over notes that a platform can be used.
func (o *outages) over(platform string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.told, platform)
}
