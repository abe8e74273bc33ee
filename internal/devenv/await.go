package devenv

import (
	"testing"
	"time"
)

// awaitTimeout is for what a busy machine does late: a test may fail by it, and never
// passes by it.
const awaitTimeout = time.Minute

// await returns when done, and fails a test that waits in vain.
func await(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(awaitTimeout); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("waited in vain for %s", what)
		}
	}
}
