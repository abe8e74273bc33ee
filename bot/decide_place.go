package bot

// placesKept is how many of the latest asks a chat remembers the places of, besides
// those that wait; waitingKept bounds those.
const (
	placesKept  = 20
	waitingKept = 100
)

// place notes beneath which message what follows belongs.
func (t *turn) place() {
	switch b := t.e.Body.(type) {
	case Said:
		t.s.Under = b.Under
	case Pressed:
		t.s.Under = b.Under
	case Filled:
		t.s.Under = b.Under
	default:
		if t.fromAfar() {
			t.s.Under = "" // nothing that the person has just said
		}
	}
}

// fromAfar reports whether the event is no consequence of what the person has just done.
func (t *turn) fromAfar() bool {
	switch t.e.Body.(type) {
	case Edited, Deleted, Opened, Undelivered, Silence, Due, Morning, Overdue, Assigned, TaskChanged, TaskGone, Detail, AnswerCame, HandedOn, Dismissed:
		return true
	}
	return false
}

// sendAs sends a message under a key: where it says itself, else beneath what the
// person has written last.
func (t *turn) sendAs(key string, m Message) {
	if m.Under == "" { // which holds too when what it is to go beneath was never sent
		m.Under = t.s.Under
	}
	t.out = append(t.out, Send{Key: key, Message: m})
}

// alone sends what concerns nobody but the person, whoever else reads the chat.
func (t *turn) alone(m Message) {
	m.Private = t.e.Chat.Shared()
	t.send(m)
}

// tell sends a senior a message about a question: beneath the one that brought it,
// so that nobody has to guess which is meant.
func (t *turn) tell(escalation int64, m Message) {
	if escalation != 0 {
		m.Beneath, m.About = t.taskKey(escalation), escalation
	}
	t.send(m)
}

// tellAsker sends something that somebody waits for, beneath the question.
func (t *turn) tellAsker(ask int64, m Message) {
	if i := t.placeOf(ask); i >= 0 {
		m.Under = t.s.Places[i].Under
	}
	t.send(m)
}

func (t *turn) placeOf(ask int64) int {
	for i, p := range t.s.Places {
		if p.Ask == ask && ask != 0 {
			return i
		}
	}
	return -1
}

// askedHere remembers where an ask was made. Where messages have no ids there is
// nothing to remember.
func (t *turn) askedHere(ask int64, ref string) {
	if ref == "" && t.s.Under == "" {
		return
	}
	t.putPlace(Place{Ask: ask, Ref: ref, Under: t.s.Under})
}

// waitsHere notes that an ask waits for a senior's reply, or does so no longer.
func (t *turn) waitsHere(ask int64, waits bool) {
	i := t.placeOf(ask)
	switch {
	case i >= 0:
		p := t.s.Places[i]
		p.Waits = waits
		t.putPlace(p)
	case waits && t.s.Under != "": // asked so long ago that its place is forgotten
		t.putPlace(Place{Ask: ask, Under: t.s.Under, Waits: true})
	}
}

// putPlace adds or replaces a place, and forgets the oldest that are too many.
func (t *turn) putPlace(p Place) {
	var out []Place
	for _, o := range t.s.Places {
		if o.Ask == p.Ask {
			o, p.Ask = p, 0
		}
		out = append(out, o)
	}
	if p.Ask != 0 {
		out = append(out, p)
	}
	t.s.Places = pruned(out)
}

func pruned(places []Place) []Place {
	left := map[bool]int{false: placesKept, true: waitingKept}
	keep := make([]bool, len(places))
	for i := len(places) - 1; i >= 0; i-- {
		keep[i] = left[places[i].Waits] > 0
		left[places[i].Waits]--
	}
	var out []Place
	for i, p := range places {
		if keep[i] {
			out = append(out, p)
		}
	}
	return out
}
