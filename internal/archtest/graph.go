// Package archtest holds the project to its layout: which package may import
// which, what packages may not be called, how long a file may be, and that every
// package says what it is for. docs/design.md gives the reasons; the table in
// rules.go is the rule.
//
// It reads the source itself instead of asking the go command: so it sees the
// files of every operating system and build tag, and the test cache notices when
// one of them changes.
package archtest

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Package is what the rules need to know about one folder of Go files.
type Package struct {
	Path  string // below the module's root, "bot/slack"; "" is the root itself
	Files []File // in the order of their names
}

// name is the package's name in its code. A generator that stands beside it,
// behind "//go:build ignore", says main and does not count.
func (p Package) name() string {
	name := ""
	for _, f := range p.Files {
		if !f.Test && (name == "" || name == "main") {
			name = f.Package
		}
	}
	return name
}

// A File is one Go file of a package.
type File struct {
	Path      string   // below the module's root, "bot/slack/parse.go"
	Package   string   // the name in its package clause, "slack" or "slack_test"
	Lines     int      // as wc counts them
	Test      bool     // its name ends in _test.go
	Generated bool     // it carries the "Code generated … DO NOT EDIT." comment
	Doc       bool     // a comment stands above its package clause
	Imports   []Import // of packages of this module only
}

// An Import is one import of another package of this module.
type Import struct {
	Path string // below the module's root, as Package.Path
	Line int    // where it stands in the file, from 1
}

// Load reads every Go package of the module that is rooted in fsys. Folders that
// the go command leaves out (testdata, vendor, names that begin with . or _) and
// modules nested in this one are left out here too. The packages come in the
// order of their paths.
func Load(fsys fs.FS, module string) ([]Package, error) {
	packages := map[string]*Package{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return enter(fsys, name)
		case path.Ext(name) != ".go" || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_"):
			return nil
		}
		file, err := load(fsys, name, module)
		if err != nil {
			return err
		}
		dir := strings.TrimPrefix(path.Dir(name), ".")
		if packages[dir] == nil {
			packages[dir] = &Package{Path: dir}
		}
		packages[dir].Files = append(packages[dir].Files, file)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load the packages of %s: %w", module, err)
	}
	sorted := make([]Package, 0, len(packages))
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		sorted = append(sorted, *packages[dir])
	}
	return sorted, nil
}

// enter returns fs.SkipDir for a folder that holds no package of this module.
func enter(fsys fs.FS, dir string) error {
	if dir == "." {
		return nil
	}
	base := path.Base(dir)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") ||
		slices.Contains([]string{"testdata", "vendor", "node_modules"}, base) {
		return fs.SkipDir
	}
	switch _, err := fs.Stat(fsys, path.Join(dir, "go.mod")); {
	case err == nil:
		return fs.SkipDir
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return err
	}
}

func load(fsys fs.FS, name, module string) (File, error) {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return File{}, err
	}
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, src, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return File{}, err
	}
	file := File{
		Path:      name,
		Package:   syntax.Name.Name,
		Lines:     bytes.Count(src, []byte("\n")),
		Test:      strings.HasSuffix(name, "_test.go"),
		Generated: ast.IsGenerated(syntax),
		Doc:       syntax.Doc != nil && strings.TrimSpace(syntax.Doc.Text()) != "",
	}
	for _, spec := range syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return File{}, fmt.Errorf("%s: import %s: %w", name, spec.Path.Value, err)
		}
		if below, ours := strings.CutPrefix(imported+"/", module+"/"); ours {
			line := fset.Position(spec.Pos()).Line
			file.Imports = append(file.Imports, Import{Path: strings.TrimSuffix(below, "/"), Line: line})
		}
	}
	return file, nil
}
