package bottest

import (
	"context"
	"errors"
	"sync"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// errKilled is what everything returns after the bot has been killed.
var errKilled = errors.New("the bot was killed")

// mortal is a store whose process dies at a given write: before it commits, or
// just after, in turn. What follows fails until a new mortal is made.
type mortal struct {
	bot.Store
	die func() // ends what still runs in the dead process

	mu    sync.Mutex
	left  int  // writes until the next death; 0 for a long life
	after bool // die after the commit
	dead  bool
}

// Write implements bot.Store.
func (m *mortal) Write(ctx context.Context, fn func(bot.Tx) error) error {
	now, after := m.fate()
	if now && !after {
		return errKilled
	}
	err := m.Store.Write(ctx, fn)
	if now {
		m.die()
		return errKilled
	}
	return err
}

// fate tells whether the process dies at this write, and whether after it.
func (m *mortal) fate() (now, after bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return true, false
	}
	if m.left == 0 {
		return false, false
	}
	m.left--
	if m.left > 0 {
		return false, false
	}
	m.dead = true
	if !m.after {
		m.die()
	}
	return true, m.after
}

func (m *mortal) killed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

// remaining returns how many writes are left until the next death.
func (m *mortal) remaining() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.left
}
