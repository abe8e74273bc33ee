package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// maxLines is the longest that a file may be: past it, a file holds more than
// one subject, and a reader cannot keep it in mind.
const maxLines = 500

// A rule says what the packages of one pattern may import of ours in code that
// is not a test.
type rule struct {
	packages string   // a pattern, see matches
	may      []string // patterns of what they may import
	testOnly bool     // only tests, and other packages for tests, may import them
}

// layout is the layering of the project: cmd → bot/*, store/*, configs;
// bot/slack → bot → knowledge; store/* → knowledge and bot. The first rule whose
// pattern matches a package is its rule, so the special come before the general;
// a package without a rule is a violation, so that a new layer is a decision.
func layout() []rule {
	return []rule{
		{packages: "cmd/...", may: []string{"bot/...", "store/...", "knowledge/...", "configs/...", "health", "migrations", "web"}},

		// Decide may call what is pure: search's recognition of small talk, the catalogue
		// of texts. An adapter puts a text of the catalogue into its platform's markup.
		{packages: "bot", may: []string{"knowledge", "knowledge/search", "bot/texts"}},
		{packages: "bot/texts"},
		{packages: "bot/bottest", may: []string{"bot", "bot/texts", "knowledge/...", "store/..."}, testOnly: true},
		{packages: "bot/markup"}, // Markdown for any platform: it knows no messages
		{packages: "bot/slack/...", may: []string{"bot", "bot/markup", "bot/slack/...", "bot/texts", "knowledge"}},
		{packages: "bot/telegram/...", may: []string{"bot", "bot/markup", "bot/telegram/...", "bot/texts", "knowledge"}},
		{packages: "bot/...", may: []string{"bot", "bot/markup", "bot/texts", "knowledge"}},

		{packages: "knowledge"},
		{packages: "knowledge/vector"},
		{packages: "knowledge/everyday", may: []string{"knowledge/vector", "knowledge/e5"}}, // e5 makes its vectors
		{packages: "knowledge/finder", may: []string{"knowledge", "knowledge/search", "knowledge/everyday", "knowledge/vector"}},
		{packages: "knowledge/quality"}, // figures of runs: it must not know what it measures
		{packages: "knowledge/replay", may: []string{"knowledge", "knowledge/quality"}},
		{packages: "knowledge/e5", may: []string{"knowledge", "knowledge/e5/weightfile"}},
		{packages: "knowledge/e5/weightfile"},
		{packages: "knowledge/e5/...", may: []string{"knowledge", "knowledge/e5/..."}}, // the model's and the benchmark's commands
		{packages: "knowledge/...", may: []string{"knowledge"}},

		// The SQL that SQLite and PostgreSQL share stands in store/record.
		{packages: "store/sqlite", may: []string{"knowledge", "bot", "store/record", "migrations"}},
		{packages: "store/postgres", may: []string{"knowledge", "bot", "store/record", "migrations"}},
		{packages: "store/sqlite/sqlitetest", may: []string{"store/sqlite"}, testOnly: true},
		{packages: "store/storetest", may: []string{"knowledge", "bot"}, testOnly: true},
		// It copies one record of truth into another, queue and all.
		{packages: "store/transfer", may: []string{"knowledge", "bot", "store/sqlite", "store/postgres", "store/late", "store/lock"}},
		{packages: "store/memory", may: []string{"knowledge", "knowledge/vector"}},
		{packages: "store/disk", may: []string{"knowledge", "knowledge/content"}},
		{packages: "store/s3", may: []string{"knowledge", "knowledge/content"}},
		{packages: "store/...", may: []string{"knowledge", "bot"}},

		{packages: "configs/..."},
		{packages: "health"},
		{packages: "migrations/..."},
		{packages: "web"},
		{packages: "internal/devenv", testOnly: true}, // real servers
		{packages: "internal/devenv/...", may: []string{"internal/devenv"}, testOnly: true},
		{packages: "internal/flaky", testOnly: true}, // faults between the bot and chat platforms
		{packages: "internal/..."},                   // what serves the developer, never the product
	}
}

// forbiddenNames says of a package that it holds what found no other place.
func forbiddenNames() []string {
	return []string{"models", "types", "utils", "common", "helpers", "util", "misc"}
}

// A Violation is one place where the source leaves the layout.
type Violation struct {
	Where string // "bot/slack/parse.go:12" or a package's folder
	What  string // what is wrong and what would be right
}

func (v Violation) String() string { return v.Where + ": " + v.What }

// Check returns every place where the packages leave the layout, in their order.
func Check(packages []Package) []Violation {
	var found []Violation
	for _, p := range packages {
		found = append(found, checkPackage(p)...)
		r, ok := ruleFor(p.Path)
		if !ok {
			found = append(found, Violation{p.Path, "no rule says what this package may import: decide, and add it to layout in internal/archtest"})
			continue
		}
		for _, f := range p.Files {
			found = append(found, checkImports(p, r, f)...)
		}
	}
	return found
}

// checkPackage looks at a package by itself: its name, its comment, its files.
func checkPackage(p Package) []Violation {
	var found []Violation
	code, doc := false, false
	for _, f := range p.Files {
		if f.Test {
			continue
		}
		code, doc = true, doc || (f.Doc && f.Package == p.name())
		if f.Lines > maxLines && !f.Generated {
			found = append(found, Violation{f.Path, fmt.Sprintf("%d lines, at most %d: one subject a file", f.Lines, maxLines)})
		}
		if slices.Contains(forbiddenNames(), f.Package) {
			found = append(found, Violation{f.Path, "package " + f.Package + ": name it after what it provides"})
		}
	}
	for element := range strings.SplitSeq(p.Path, "/") {
		if slices.Contains(forbiddenNames(), element) {
			found = append(found, Violation{p.Path, "a folder called " + element + ": name it after what it provides"})
		}
	}
	if code && !doc {
		found = append(found, Violation{p.Path, "no package comment: say what the package is for"})
	}
	return found
}

func checkImports(p Package, r rule, f File) []Violation {
	var found []Violation
	for _, i := range f.Imports {
		if what := forbidden(p, r, f, i.Path); what != "" {
			found = append(found, Violation{fmt.Sprintf("%s:%d", f.Path, i.Line), what})
		}
	}
	return found
}

// forbidden says why a file may not import a package, or "" if it may. A test
// may import what it needs to set its subject up, except a command.
func forbidden(p Package, r rule, f File, imported string) string {
	switch {
	case matches("cmd/...", imported):
		return fmt.Sprintf("imports %s: nothing imports a command", imported)
	case f.Test || imported == p.Path:
		return ""
	}
	if target, ok := ruleFor(imported); ok && target.testOnly && !r.testOnly {
		return fmt.Sprintf("imports %s, which is for tests only", imported)
	}
	if slices.ContainsFunc(r.may, func(pattern string) bool { return matches(pattern, imported) }) {
		return ""
	}
	if len(r.may) == 0 {
		return fmt.Sprintf("imports %s: %s may import nothing of ours", imported, p.Path)
	}
	return fmt.Sprintf("imports %s: %s may import only %s of ours", imported, p.Path, strings.Join(r.may, ", "))
}

func ruleFor(pkg string) (rule, bool) {
	rules := layout()
	i := slices.IndexFunc(rules, func(r rule) bool { return matches(r.packages, pkg) })
	if i < 0 {
		return rule{}, false
	}
	return rules[i], true
}

// matches reads patterns as the go command does: "bot" is one package, and
// "bot/..." is bot with everything below it.
func matches(pattern, pkg string) bool {
	if root, all := strings.CutSuffix(pattern, "/..."); all {
		return pkg == root || strings.HasPrefix(pkg, root+"/")
	}
	return pattern == pkg
}
