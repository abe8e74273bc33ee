package bot

import (
	"strings"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// part returns what of a message there is to work with, and says what there is not.
func (t *turn) part(b Said) (p Part, ok bool) {
	p = Part{Ref: b.Ref, Files: t.good(b.Files)}
	text, err := knowledge.CleanText(b.Text, knowledge.MaxAnswerRunes)
	p.Text = text
	switch {
	case err == nil:
		return p, true
	case strings.TrimSpace(b.Text) == "" && len(b.Files) > 0:
		return p, len(p.Files) > 0 // what is wrong with the files has been said
	}
	t.unusable(b.Text)
	return p, false
}

// good returns the files that have been kept, and says of the others why they have not.
func (t *turn) good(files []File) []SentFile {
	var out []SentFile
	for _, f := range files {
		name, err := knowledge.CleanFileName(f.Name)
		if err != nil {
			name = t.say.Say("file_unnamed", nil)
		}
		if f.Content.Key == "" {
			t.reply(problem(f.Problem), texts.Data{"Name": oneLine(name, titleRunes), "Limit": fileSize(t.say, t.manner.FileBytes)})
			continue
		}
		out = append(out, SentFile{Key: f.Content.Key, Name: name, Media: f.Content.Media, Size: f.Content.Size})
	}
	return out
}

// problem names the text that says why a file has not been kept.
func problem(p FileProblem) string {
	switch p {
	case FileTooLarge:
		return "file_too_large"
	case FileEmpty:
		return "file_empty"
	case FileRefused:
		return "file_refused"
	default:
		return "file_lost"
	}
}

// albumGoesOn handles what comes in further messages of an album whose first one has
// been dealt with: nobody is told the same of every picture.
func (t *turn) albumGoesOn(album string, p Part) bool {
	a := t.s.Album
	if album == "" || a == nil || a.ID != album {
		return false
	}
	switch {
	case p.Text != "": // the caption stands beneath a later picture
		return false
	case a.Question != "":
		t.do(AddDetail{Question: a.Question, Files: p.Files, Quiet: true})
	case a.Ask != 0:
		t.do(AttachFiles{Ask: a.Ask, Files: p.Files})
	case a.Held && t.s.Held != nil:
		held := *t.s.Held
		held.Parts = append(append([]Part(nil), held.Parts...), p)
		t.s.Held = &held
	case a.Kept && t.s.Kept != nil:
		t.putKept(p)
	default:
		return false // what is being written takes them as they come
	}
	return true
}

// albumIs notes what the album whose first message has just been dealt with is for.
func (t *turn) albumIs(a Album) {
	if t.s.Album != nil {
		a.ID = t.s.Album.ID
		t.s.Album = &a
	}
}

// keep keeps files that came without words, and asks for the words.
func (t *turn) keep(p Part) {
	p.Text = ""
	t.putKept(p)
	t.albumIs(Album{Kept: true})
	t.reply("files_kept", texts.Data{"Count": len(p.Files)})
}

// putKept adds to the files that wait for words. Of too many the latest are left out.
func (t *turn) putKept(p Part) {
	kept := Kept{At: t.e.At}
	if k := t.s.Kept; k != nil && t.e.At.Sub(k.At) <= fresh {
		kept.Parts = append(kept.Parts, k.Parts...)
	}
	if room := knowledge.MaxFiles - len(filesOf(kept.Parts)); len(p.Files) > room {
		p.Files = p.Files[:room]
	}
	if len(p.Files) > 0 {
		kept.Parts = append(kept.Parts, p)
	}
	t.s.Kept = &kept
}

// takeKept returns the files that have waited for words, unless that is long ago.
func (t *turn) takeKept() []SentFile {
	k := t.s.Kept
	t.s.Kept = nil
	if k == nil || t.e.At.Sub(k.At) > fresh {
		return nil
	}
	return filesOf(k.Parts)
}

// sendFiles sends files, each as a message of its own that is placed as m is.
func (t *turn) sendFiles(m Message, files []SentFile) {
	for i := range files {
		m.File = &files[i]
		t.send(m)
	}
}

// attached returns the files of an answer as they are sent.
func attached(files []knowledge.Attachment) []SentFile {
	out := make([]SentFile, len(files))
	for i, f := range files {
		out[i] = SentFile{Key: f.Key, Name: f.Name, Media: f.Media, Size: f.Size}
	}
	return out
}
