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
		if err := c.take(f.Name, string(f.Data)); err != nil {
			return c, fmt.Errorf("conversation %s: %w", filepath.Base(path), err)
		}
	}
	if strings.TrimSpace(c.Script) == "" {
		return c, fmt.Errorf("conversation %s: no part %q", filepath.Base(path), scriptFile)
	}
	return c, nil
}

// take takes in one part of the file.
func (c *Conversation) take(part, text string) (err error) {
	switch part {
	case baseFile:
		c.Base = text
	case faqFile:
		c.FAQ = strings.Fields(text)
	case langFile:
		c.Language = strings.TrimSpace(text)
	case threadFile:
		c.Threads = true
	case rulesFile:
		c.Rules, err = parseRules(text)
	case scriptFile:
		c.Script = text
	case wantFile:
		c.Want = text
	default:
		all := []string{baseFile, faqFile, langFile, threadFile, rulesFile, scriptFile, wantFile}
		return fmt.Errorf("unknown part %q: there are %s", part, strings.Join(all, ", "))
	}
	return err
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
