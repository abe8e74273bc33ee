package bot

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// A thread is what somebody asks in a row on one subject: «а если уволился?» after
// «как сменить ответственного» means nothing by itself.
const (
	// threadFor is how long after a question or its answer another text may go on
	// with it.
	threadFor = 15 * time.Minute
	// threadTurns is how many texts of a thread are kept: the one that began it, and
	// the latest.
	threadTurns = 3
	// threadRunes bounds each of them.
	threadRunes = 300
	// dialogueFor is the pause after which what was shown before may be offered again.
	dialogueFor = time.Hour
)

// follows returns what a text goes on with, and the entry that was shown for that;
// nothing for a text that stands alone.
func (t *turn) follows(text string) (after, shown string) {
	last := t.s.Last
	if last == nil || len(last.Thread) == 0 || t.e.At.Sub(last.At) > threadFor || !search.FollowsUp(text) {
		return "", ""
	}
	return joinThread(last.Thread), last.Shown
}

// newAsk makes a search the latest ask of the chat, and returns the words by which
// it is stored. A text that was understood only together with what it follows is
// stored with that: the senior gets it in one piece.
func (t *turn) newAsk(b Found) string {
	q := b.Search
	next := &LastAsk{Ask: q.Ask, Text: q.Text, Thread: []string{oneLine(q.Text, threadRunes)}, At: t.e.At}
	last := t.s.Last
	if last != nil {
		next.Seen = last.Seen
	}
	switch {
	case b.Result.Together && last != nil:
		next.Thread = continued(last.Thread, next.Thread[0])
		next.Shown = last.Shown
		next.Text = joinThread([]string{q.After, q.Text})
	case q.After != "" && b.Result.Page != nil:
		// «А больничный?» was understood, but it says too little for others to go on
		// with: the entry says it in full.
		next.Thread = []string{oneLine(b.Result.Page.Text, threadRunes)}
	}
	t.s.Last = next
	return next.Text
}

// continued adds a text to a thread. The first stays, whatever has to go.
func continued(thread []string, text string) []string {
	out := append(append([]string(nil), thread...), text)
	if n := len(out) - threadTurns; n > 0 {
		out = append(out[:1], out[1+n:]...)
	}
	return out
}

// joinThread makes one text of a thread: «Как сменить ответственного — а если уволился?»
func joinThread(thread []string) string {
	var b strings.Builder
	for i, text := range thread {
		if i > 0 {
			end, _ := utf8.DecodeLastRuneInString(b.String())
			b.WriteString(pick(strings.ContainsRune(".?!…", end), " ", " — "))
		}
		b.WriteString(text)
	}
	return b.String()
}

// forgetSeen lets a new dialogue be offered what an older one has had.
func (t *turn) forgetSeen() {
	if last := t.s.Last; last != nil && len(last.Seen) > 0 && t.e.At.Sub(last.At) > dialogueFor {
		fresh := *last
		fresh.Seen = nil
		t.s.Last = &fresh
	}
}
