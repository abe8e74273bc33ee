package slack

import (
	"fmt"
	"runtime/debug"
)

// unbroken does something in a goroutine of ours, where a panic would end the process:
// one request that breaks the bot must not end all others. What it says is left out,
// for it may have people's words.
func unbroken(do func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("slack: a mistake in the program, please report it: %s", debug.Stack())
		}
	}()
	return do()
}
