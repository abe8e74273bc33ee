// Package lock says who is the bot: of all the processes that have opened a data
// folder, the one that holds its lock.
//
// The lock is the operating system's, on the file bot.lock, and ends with the
// process however that dies. Who holds it stands in bot.json beside it, for
// people only: nothing is decided by it, for it may be that of a killed process.
package lock

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

const (
	lockFile   = "bot.lock"
	holderFile = "bot.json"
)

// ErrHeld says that another process is the bot of the folder. The error that
// wraps it is a *HeldError.
var ErrHeld = errors.New("another process is the bot of this data folder")

// Holder is a process that is the bot.
type Holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"` // as people would type it
	Since   time.Time `json:"since"`
	Host    string    `json:"host"`
}

// HeldError names the process that holds the lock.
type HeldError struct {
	Dir    string
	Holder Holder // zero when it has not said who it is
}

// Error implements error.
func (e *HeldError) Error() string {
	if e.Holder.PID == 0 {
		return fmt.Sprintf("%s: %v", e.Dir, ErrHeld)
	}
	return fmt.Sprintf("%s: %v: %s, process %d on %s since %s", e.Dir, ErrHeld,
		e.Holder.Command, e.Holder.PID, e.Holder.Host, e.Holder.Since.Local().Format(time.DateTime))
}

// Unwrap makes errors.Is(err, ErrHeld) true.
func (e *HeldError) Unwrap() error { return ErrHeld }

// Lock is held until Release, or until the process ends.
type Lock struct {
	dir  string
	file *flock.Flock
}

// Acquire takes the lock of a folder, which must exist, for the holder. It does
// not wait: when another process or another Lock of this one has it, the error
// is a *HeldError.
func Acquire(dir string, holder Holder) (*Lock, error) {
	l := &Lock{dir: dir, file: flock.New(filepath.Join(dir, lockFile), flock.SetPermissions(0o600))}
	got, err := l.file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if !got {
		_ = l.file.Close()
		other, err := Read(dir)
		if err != nil {
			other = Holder{} // the lock is what counts; who has it is a courtesy
		}
		return nil, &HeldError{Dir: dir, Holder: other}
	}
	if err := writeHolder(dir, holder); err != nil {
		_ = l.file.Unlock()
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return l, nil
}

// Release gives the lock back. Releasing twice does nothing.
func (l *Lock) Release() error {
	if !l.file.Locked() {
		return nil
	}
	// Before the lock goes: afterwards the file is that of the next holder.
	err := os.Remove(filepath.Join(l.dir, holderFile))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err := errors.Join(err, l.file.Unlock()); err != nil {
		return fmt.Errorf("release the lock of %s: %w", l.dir, err)
	}
	return nil
}

// Read returns who has taken the lock of a folder last and not released it: its
// holder, or a process that was killed. It is zero when there is none.
func Read(dir string) (Holder, error) {
	var h Holder
	data, err := os.ReadFile(filepath.Join(dir, holderFile))
	if errors.Is(err, os.ErrNotExist) {
		return h, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &h)
	}
	if err != nil {
		return Holder{}, fmt.Errorf("holder of the lock of %s: %w", dir, err)
	}
	return h, nil
}

// writeHolder replaces the file at once, so that nobody reads half of it.
func writeHolder(dir string, h Holder) error {
	data, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(dir, holderFile+".*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(append(data, '\n'))
	if err := errors.Join(err, temporary.Close()); err != nil {
		_ = os.Remove(temporary.Name())
		return err
	}
	return os.Rename(temporary.Name(), filepath.Join(dir, holderFile))
}
