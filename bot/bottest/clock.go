package bottest

import (
	"slices"
	"sync"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// clock is the time of a script. It stands still between steps.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// lateWork keeps late work until the script's clock has come to it. It takes
// the place of River in the store, and like it outlives a restart.
type lateWork struct {
	mu   sync.Mutex
	jobs []bot.Job
}

func (l *lateWork) add(jobs []bot.Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs = append(l.jobs, jobs...)
}

// next takes the earliest job that is due by a time.
func (l *lateWork) next(by time.Time) (bot.Job, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortStableFunc(l.jobs, func(a, b bot.Job) int { return a.At.Compare(b.At) })
	if len(l.jobs) == 0 || l.jobs[0].At.After(by) {
		return bot.Job{}, false
	}
	j := l.jobs[0]
	l.jobs = l.jobs[1:]
	return j, true
}
