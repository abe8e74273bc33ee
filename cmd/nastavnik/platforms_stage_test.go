package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// paceVariable sets the app's pace in processes that tests start.
const paceVariable = "NASTAVNIK_TEST_PACE"

// unhurried is the pace of tests that are not about how fast the bot may send.
const unhurried = "0.001"

// human is somebody who has accounts on the platforms.
type human struct {
	name   string
	key    string // of capital letters: their id in Slack and their e-mail address
	number int64  // their id in Telegram
}

func anna() human  { return human{"Анна Ким", "ANNA", 7100000001} }
func boris() human { return human{"Борис Ли", "BORIS", 7100000002} }
func vera() human  { return human{"Вера Ян", "VERA", 7100000003} }

func (h human) email() string { return strings.ToLower(h.key) + "@example.com" }

// note is something that the bot has said, as people see it.
type note struct {
	in     string // the platform's id of the chat or channel
	id     string
	under  string // the id of the message beneath which it stands, "" for none
	text   string // all that there is to read
	labels []string
	file   string // the name of its file, "" for none
	raw    any    // as the platform's peer has it
}

// offers reports whether the note has a button with a label.
func (n note) offers(label string) bool { return n.labelled(label) != "" }

// labelled returns the button whose label contains a text.
func (n note) labelled(label string) string {
	for _, l := range n.labels {
		if strings.Contains(l, label) {
			return l
		}
	}
	return ""
}

// venue is a chat platform as people use it: a third party's peer behind a proxy.
type venue interface {
	platform() string
	// settings are the platform's section of the configuration; listen is where the bot
	// listens, if it does.
	settings(listen string) map[string]any
	// served is called before the bot is started.
	served(listen string)
	// external is the platform's id of somebody.
	external(h human) string
	// room is the id of a room with everybody and the bot in it.
	room() string
	// say has somebody write: into a room, or to the bot for "", beneath a note if there
	// is one. It returns the platform's id of the message.
	say(h human, room, text string, beneath *note) string
	// send is say with a file.
	send(h human, text string, f attached, beneath *note) string
	// edit has somebody change what they have written privately.
	edit(h human, id, text string)
	press(h human, n note, label string)
	// notes are what the bot has said that somebody sees in a room, or privately for "",
	// in its order.
	notes(h human, room string) []note
	// lost counts what the platform has given up to bring to the bot; the person has been
	// shown that it failed.
	lost() int
	// content is that of a note's file.
	content(n note) []byte
}

// attached is a file that somebody sends.
type attached struct {
	name, media string
	content     []byte
}

// stage is the bot in a process of its own, on platforms.
type stage struct {
	t      testing.TB
	c      cli
	listen string
	at     []venue
	bot    *process
}

// passEntries are about passes and parking, and none of them answers passQuestion.
const passEntries = `{"id":"guest","question":"Как заказать пропуск для гостя?","answer":"В приёмной."}
{"id":"pool","question":"Где продлить пропуск в бассейн?","answer":"На входе в бассейн."}
{"id":"bike","question":"Где парковка для велосипедов?","answer":"За корпусом."}
{"id":"key","question":"Где получить ключ от переговорной?","answer":"У охраны."}
{"id":"laptop","question":"Где получить ноутбук?","answer":"В отделе техники."}
`

// newStage makes a base with some entries, and a configuration for the platforms.
func newStage(t testing.TB, c cli, at ...venue) *stage {
	t.Helper()
	s := &stage{t: t, listen: freeAddress(t), at: at}
	s.c = s.configured(c, s.listen, nil)
	filled(s.c).must("import", s.c.file("pass.jsonl", passEntries))
	return s
}

// configured writes the configuration of one replica; more is what else is set.
func (s *stage) configured(c cli, listen string, more map[string]any) cli {
	s.t.Helper()
	all := map[string]any{"http": map[string]any{"listen": listen, "url": "http://" + listen}}
	if c.dsn != "" {
		all["postgres"] = map[string]any{"dsn": c.dsn}
	}
	for _, v := range s.at {
		all[v.platform()] = v.settings(listen)
	}
	maps.Copy(all, more)
	text, err := json.Marshal(all) // which is YAML, too
	if err != nil {
		s.t.Fatal(err)
	}
	c.config = c.file("nastavnik.yaml", string(text))
	if !slices.ContainsFunc(c.env, func(kv string) bool { return strings.HasPrefix(kv, paceVariable) }) {
		c.env = append(slices.Clip(c.env), paceVariable+"="+unhurried)
	}
	return c
}

// open starts the bot.
func (s *stage) open() {
	s.t.Helper()
	for _, v := range s.at {
		v.served(s.listen)
	}
	s.bot = s.c.startBot()
}

// restart kills the bot and starts another.
func (s *stage) restart() {
	s.t.Helper()
	s.bot.kill()
	s.bot = s.c.startBot()
}

// senior makes somebody a senior who is written to on a platform.
func (s *stage) senior(at venue, h human) actor {
	s.t.Helper()
	s.know(at, h, func(p *knowledge.Person) { p.Senior = true })
	return actor{s, at, h}
}

// know makes somebody known on a platform.
func (s *stage) know(at venue, h human, change func(*knowledge.Person)) {
	s.t.Helper()
	a := s.c.opened()
	defer func() { _ = a.close() }()
	id := knowledge.Identity{Platform: at.platform(), External: at.external(h), Name: h.name, Chat: string(bot.NewChat(at.platform(), at.external(h)))}
	if _, err := a.office().AddPerson(s.t.Context(), id, change); err != nil {
		s.t.Fatal(err)
	}
}

// opened is an app with the record open, as commands have it.
func (c cli) opened() *app {
	c.t.Helper()
	a := &app{std: streams{in: strings.NewReader(""), out: &screen{}, err: &screen{}}, environ: os.Environ(), dataFlag: c.data, configFlag: c.config}
	if err := a.configure(); err != nil {
		c.t.Fatal(err)
	}
	if err := a.open(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	return a
}

// employee is somebody who has only an account there.
func (s *stage) employee(at venue, h human) actor { return actor{s, at, h} }

// quiet waits until nothing that has come in is left to do, and nothing to send.
func (s *stage) quiet() {
	s.t.Helper()
	eventually(s.t, "the inbox and the outbox are worked off", func() bool {
		return s.c.count(`SELECT (SELECT COUNT(*) FROM inbox WHERE done = 0) + (SELECT COUNT(*) FROM outbox WHERE state = 'pending')`) == 0
	})
}

// actor is somebody on a platform in front of the bot.
type actor struct {
	s  *stage
	at venue
	human
}

// says has them write to the bot, and waits until that has come in.
func (a actor) says(text string) (id string) {
	a.s.t.Helper()
	a.arrives("said", func() { id = a.at.say(a.human, "", text, nil) })
	return id
}

// answers has them write beneath what the bot has said.
func (a actor) answers(n note, text string) (id string) {
	a.s.t.Helper()
	a.arrives("said", func() { id = a.at.say(a.human, "", text, &n) })
	return id
}

// arrives does something and waits until it is in the inbox. What the platform could not
// bring to the bot is done again, as a person does who is told so.
func (a actor) arrives(kind string, do func()) {
	a.s.t.Helper()
	arrived := func() int {
		return a.s.c.count(`SELECT COUNT(*) FROM inbox WHERE kind = ? AND from_platform = ? AND from_external = ?`, kind, a.at.platform(), a.at.external(a.human))
	}
	before, lost := arrived(), a.at.lost()
	do()
	eventually(a.s.t, fmt.Sprintf("what %s did (%s) comes in", a.name, kind), func() bool {
		if arrived() > before {
			return true
		}
		if n := a.at.lost(); n > lost {
			lost = n
			do()
		}
		return false
	})
}

// edits has them change what they have written.
func (a actor) edits(id, text string) {
	a.s.t.Helper()
	a.arrives("edited", func() { a.at.edit(a.human, id, text) })
}

// sends has them send a file beneath what the bot has said.
func (a actor) sends(n note, f attached) {
	a.s.t.Helper()
	a.arrives("said", func() { a.at.send(a.human, "", f, &n) })
}

// presses has them press a button.
func (a actor) presses(n note, label string) {
	a.s.t.Helper()
	if !n.offers(label) {
		a.s.t.Fatalf("%s: no button «%s» among %q of «%s»", a.name, label, n.labels, n.text)
	}
	a.arrives("pressed", func() { a.at.press(a.human, n, n.labelled(label)) })
}

// sees waits for a note that the bot sends them privately after the first so many.
func (a actor) sees(after int, what string, is func(note) bool) note {
	a.s.t.Helper()
	return a.seesIn("", after, what, is)
}

func (a actor) seesIn(room string, after int, what string, is func(note) bool) (found note) {
	a.s.t.Helper()
	var all []note
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		all = a.at.notes(a.human, room)
		for _, n := range all[min(after, len(all)):] {
			if is(n) {
				return n
			}
		}
		if time.Now().After(deadline) {
			a.s.t.Fatalf("%s on %s waits in vain for %s; the bot has said:\n%s", a.name, a.at.platform(), what, listed(all))
		}
	}
}

// reads waits for a note with texts.
func (a actor) reads(after int, parts ...string) note {
	a.s.t.Helper()
	return a.sees(after, fmt.Sprintf("%q", parts), func(n note) bool { return n.has(parts...) })
}

// offered waits for a note with a button.
func (a actor) offered(after int, label string) note {
	a.s.t.Helper()
	return a.sees(after, "a button «"+label+"»", func(n note) bool { return n.offers(label) })
}

// seen counts what the bot has said to them privately.
func (a actor) seen() int { a.s.t.Helper(); return len(a.at.notes(a.human, "")) }

// has reports whether all of the parts can be read in a note.
func (n note) has(parts ...string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(n.text, p) })
}

// listed shows notes in the log of a test.
func listed(all []note) string {
	var b strings.Builder
	for _, n := range all {
		fmt.Fprintf(&b, "  %s (beneath %q) %q %q %s\n", n.id, n.under, n.text, n.labels, n.file)
	}
	return b.String()
}

// label is a button's, from the catalogue.
func label(t testing.TB, id string) string { t.Helper(); return say(t, id, texts.Data{}) }
