package bottest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/txtar"
)

// The parts of a conversation's file.
const (
	baseFile   = "kb.jsonl"
	faqFile    = "faq"
	langFile   = "language"
	threadFile = "threads"
	rulesFile  = "rules"
	scriptFile = "script"
	wantFile   = "want"
)

// Conversation is one scripted conversation.
type Conversation struct {
	Path  string
	About string   // what it shows
	Base  string   // the knowledge base to begin with, as jsonl
	FAQ   []string // the ids of its frequent questions
	// Language is what the bot speaks; "ru" when the file does not say.
	Language string
	// Threads says that the platform has threads: messages stand beneath others.
	Threads bool
	Rules   Rules
	Script  string
	Want    string // the transcript that it must give
}

// Read reads a conversation's file.
func Read(path string) (Conversation, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Conversation{}, fmt.Errorf("conversation: %w", err)
	}
	a := txtar.Parse(raw)
	c := Conversation{Path: path, About: strings.TrimSpace(string(a.Comment)), Language: "ru"}
	if c.About == "" {
		return c, fmt.Errorf("conversation %s: say above the first part what it shows", filepath.Base(path))
	}
	for _, f := range a.Files {
		switch f.Name {
		case baseFile:
			c.Base = string(f.Data)
		case faqFile:
			c.FAQ = strings.Fields(string(f.Data))
		case langFile:
			c.Language = strings.TrimSpace(string(f.Data))
		case threadFile:
			c.Threads = true
		case rulesFile:
			if c.Rules, err = parseRules(string(f.Data)); err != nil {
				return c, fmt.Errorf("conversation %s: %w", filepath.Base(path), err)
			}
		case scriptFile:
			c.Script = string(f.Data)
		case wantFile:
			c.Want = string(f.Data)
		default:
			return c, fmt.Errorf("conversation %s: unknown part %q: there are %s, %s, %s, %s, %s, %s and %s", filepath.Base(path), f.Name, baseFile, faqFile, langFile, threadFile, rulesFile, scriptFile, wantFile)
		}
	}
	if strings.TrimSpace(c.Script) == "" {
		return c, fmt.Errorf("conversation %s: no part %q", filepath.Base(path), scriptFile)
	}
	return c, nil
}

// Update rewrites the transcript of a conversation's file.
func Update(c Conversation, transcript string) error {
	raw, err := os.ReadFile(c.Path)
	if err != nil {
		return fmt.Errorf("update conversation: %w", err)
	}
	a := txtar.Parse(raw)
	kept := a.Files[:0]
	for _, f := range a.Files {
		if f.Name != wantFile {
			kept = append(kept, f)
		}
	}
	a.Files = append(kept, txtar.File{Name: wantFile, Data: []byte(transcript)})
	return os.WriteFile(c.Path, txtar.Format(a), 0o644)
}
