package knowledge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of attachments.
const (
	// MaxFileBytes bounds one file, unless a configuration says otherwise: it is
	// what Telegram lets a bot download.
	MaxFileBytes = 20 << 20
	// MaxFileNameBytes bounds a file's name, as file systems do.
	MaxFileNameBytes = 255
	// MaxFiles bounds how many files one answer or one ask has.
	MaxFiles = 20
)

// Attachment is a file of an answer's version, or of an ask. Its content lies
// in Files under Key; equal contents share one.
type Attachment struct {
	ID     int64
	Answer int64 // the version of an answer that it belongs to; 0 for that of an ask
	Ask    int64 // the ask that it belongs to; 0 for that of an answer
	// Question is that of the answer, or the one to which the ask has led so far,
	// "" for none. The record fills it in.
	Question string
	Content
	Name    string // as CleanFileName leaves it
	Author  int64  // who sent it; 0 when unknown
	Created time.Time
}

// Attach adds a file to the current answer of a question. Versions before it
// stay without the file. The error wraps ErrInvalid when there is no answer, and
// when it has MaxFiles already.
func (d Desk) Attach(ctx context.Context, question string, a Attachment) (Attachment, error) {
	q, err := d.Tx.Question(ctx, question)
	if err != nil {
		return a, fmt.Errorf("attach to %s: %w", question, err)
	}
	if q.Answer.ID == 0 {
		return a, refuse(ErrInvalid, "у вопроса %s ещё нет ответа, файл приложить не к чему; сначала: nastavnik question answer %s", q.ID, q.ID)
	}
	a.Answer, a.Ask, a.Question = q.Answer.ID, 0, q.ID
	return d.attach(ctx, a)
}

// AttachToAsk adds a file to what somebody asked. The error wraps ErrNotFound
// when there is no such ask, ErrInvalid when it has MaxFiles already.
func (d Desk) AttachToAsk(ctx context.Context, ask int64, a Attachment) (Attachment, error) {
	of, err := d.Tx.Ask(ctx, ask)
	if err != nil {
		return a, fmt.Errorf("attach to ask %d: %w", ask, err)
	}
	a.Answer, a.Ask, a.Question, a.Author = 0, of.ID, of.Question, of.Person
	return d.attach(ctx, a)
}

func (d Desk) attach(ctx context.Context, a Attachment) (Attachment, error) {
	name, err := CleanFileName(a.Name)
	if err != nil {
		return a, err
	}
	there, err := d.Tx.Attachments(ctx, AttachmentFilter{Answers: one(a.Answer), Asks: one(a.Ask)})
	if err != nil {
		return a, err
	}
	if len(there) >= MaxFiles {
		return a, refuse(ErrInvalid, "файлов уже %d, больше нельзя: сложите остальные в один документ", len(there))
	}
	a.ID, a.Name, a.Created = 0, name, d.Now
	if a.Author == 0 {
		a.Author = d.By
	}
	return a, d.Tx.PutAttachment(ctx, &a)
}

func one(id int64) []int64 {
	if id == 0 {
		return nil
	}
	return []int64{id}
}

// Detach makes a new version of an answer without one of its files: who has the
// version before still sees what it had. The error wraps ErrInvalid for a file
// that is not one of a current answer.
func (d Desk) Detach(ctx context.Context, attachment, by int64) (Replied, error) {
	a, err := d.Tx.Attachment(ctx, attachment)
	if err != nil {
		return Replied{}, fmt.Errorf("detach: %w", err)
	}
	q, err := d.Tx.Question(ctx, a.Question)
	if errors.Is(err, ErrNotFound) || err == nil && (a.Answer == 0 || q.Answer.ID != a.Answer) {
		return Replied{}, refuse(ErrInvalid, "файл %d не из действующего ответа", attachment)
	}
	if err != nil {
		return Replied{}, fmt.Errorf("detach: %w", err)
	}
	d.without = attachment
	return d.Revise(ctx, q.ID, by, q.Answer.Text)
}

// KeepFiles gives a new version of an answer the files of the one before:
// editing a text loses nothing. With WithoutFiles set it does nothing.
func (d Desk) KeepFiles(ctx context.Context, before, now Answer) error {
	if before.ID == 0 || before.ID == now.ID || d.WithoutFiles {
		return nil
	}
	files, err := d.Tx.Attachments(ctx, AttachmentFilter{Answers: []int64{before.ID}})
	if err != nil {
		return fmt.Errorf("keep files: %w", err)
	}
	for _, a := range files {
		if a.ID == d.without {
			continue
		}
		a.ID, a.Answer = 0, now.ID
		if err := d.Tx.PutAttachment(ctx, &a); err != nil {
			return fmt.Errorf("keep files: %w", err)
		}
	}
	return nil
}

// CleanFileName makes a name that somebody gave safe to show and to save: the
// last element of a path, without control and direction-changing characters and
// what file systems refuse, at most MaxFileNameBytes long with its extension
// kept. The error wraps ErrInvalid when nothing is left.
func CleanFileName(name string) (string, error) {
	name = strings.ToValidUTF8(name, "")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029', r == utf8.RuneError:
			return -1 // Cf has what changes direction and what is not seen at all
		case strings.ContainsRune(`<>:"|?*`, r):
			return '_'
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, name)
	name = strings.Trim(strings.Join(strings.Fields(name), " "), ". ")
	if name == "" {
		return "", refuse(ErrInvalid, "у файла нет имени: назовите его, например «инструкция.pdf»")
	}
	if device(name) {
		name = "_" + name
	}
	return shorten(name), nil
}

// device reports whether Windows takes a name for a device, whatever its extension.
func device(name string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	base = strings.TrimSpace(base)
	switch base {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT")) && '1' <= base[3] && base[3] <= '9'
}

// maxExtension is how long an extension is at most, in bytes with its dot: what
// comes after the last dot of a sentence is none.
const maxExtension = 16

// shorten cuts a name in the middle of a word if it must, never of a character.
func shorten(name string) string {
	if len(name) <= MaxFileNameBytes {
		return name
	}
	ext := ""
	if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= maxExtension {
		name, ext = name[:i], name[i:]
	}
	cut := MaxFileNameBytes - len(ext)
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return strings.TrimRight(name[:cut], ". ") + ext
}
