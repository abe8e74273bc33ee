package lock_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/store/lock"
)

const folderVariable = "NASTAVNIK_TEST_LOCK"

// TestMain is, in a child, a bot that holds the lock until it is killed.
func TestMain(m *testing.M) {
	dir, ok := os.LookupEnv(folderVariable)
	if !ok {
		os.Exit(m.Run())
	}
	if _, err := lock.Acquire(dir, holder(os.Getpid())); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	time.Sleep(time.Hour)
}

func holder(pid int) lock.Holder {
	return lock.Holder{PID: pid, Command: "nastavnik serve --data «папка»", Since: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), Host: "crm-1"}
}

func acquire(t *testing.T, dir string, h lock.Holder) *lock.Lock {
	t.Helper()
	l, err := lock.Acquire(dir, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Release(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// held checks that the lock cannot be had, and who is said to have it.
func held(t *testing.T, dir string, want lock.Holder) {
	t.Helper()
	_, err := lock.Acquire(dir, holder(1))
	var e *lock.HeldError
	if !errors.Is(err, lock.ErrHeld) || !errors.As(err, &e) {
		t.Fatalf("the error is %v, want that it is held", err)
	}
	if diff := cmp.Diff(want, e.Holder); diff != "" {
		t.Errorf("holder (-want +got):\n%s", diff)
	}
}

func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	first := acquire(t, dir, holder(4711))
	held(t, dir, holder(4711))
	if _, err := lock.Acquire(dir, holder(1)); err == nil || !strings.Contains(err.Error(), "nastavnik serve --data «папка», process 4711 on crm-1") {
		t.Errorf("the error does not name the holder: %v", err)
	}
	for range 2 {
		if err := first.Release(); err != nil {
			t.Errorf("release: %v", err)
		}
	}
	if h, err := lock.Read(dir); err != nil || h != (lock.Holder{}) {
		t.Errorf("after the release the holder is %+v, %v", h, err)
	}
	acquire(t, dir, holder(4712))
	held(t, dir, holder(4712))
	if err := first.Release(); err != nil {
		t.Errorf("release: %v", err)
	}
	held(t, dir, holder(4712)) // still: it was not the first one's to release
}

func TestFoldersAreApart(t *testing.T) {
	acquire(t, t.TempDir(), holder(1))
	acquire(t, t.TempDir(), holder(1))
}

func TestUnreadableHolder(t *testing.T) {
	dir := t.TempDir()
	acquire(t, dir, holder(4711))
	if err := os.WriteFile(dir+"/bot.json", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	held(t, dir, lock.Holder{})
	if _, err := lock.Read(dir); err == nil {
		t.Error("half a file was read as a holder")
	}
}

func TestNoFolder(t *testing.T) {
	if _, err := lock.Acquire(t.TempDir()+"/нет", holder(1)); err == nil || errors.Is(err, lock.ErrHeld) {
		t.Errorf("the error is %v", err)
	}
}

func TestKilledHolder(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), folderVariable+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "held" {
		t.Fatalf("the child says %q", lines.Text())
	}
	held(t, dir, holder(child.Process.Pid))
	if err := child.Process.Kill(); err != nil { // SIGKILL: it cannot tidy up
		t.Fatal(err)
	}
	_ = child.Wait()
	if h, err := lock.Read(dir); err != nil || h.PID != child.Process.Pid {
		t.Errorf("the killed holder left %+v, %v", h, err)
	}
	acquire(t, dir, holder(4711))
	held(t, dir, holder(4711))
}
