package bot

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// unbroken does something, and makes an error of a panic: a text that some parser cannot
// stand would end the process, and again after every start, for it is still there.
func (r *Runner) unbroken(ctx context.Context, do func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		err = fmt.Errorf("panic: %T", p) // its text may have people's words
		if e, ok := p.(runtime.Error); ok {
			err = fmt.Errorf("panic: %w", e)
		}
		r.Log.ErrorContext(ctx, "this is a mistake in the program, please report it", "err", err, "stack", string(debug.Stack()))
	}()
	return do()
}
