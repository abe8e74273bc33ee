package knowledge

// Reason says why a question is with whom it is.
type Reason string

// The reasons, by their codes as stored.
const (
	NoReason       Reason = ""            // from before reasons were kept
	ByTopic        Reason = "topic"       // answers for the question's topic
	ByLoad         Reason = "load"        // has the fewest open questions
	ByHours        Reason = "hours"       // works now, or is the first to
	OnlyOne        Reason = "only"        // there is nobody else
	Queued         Reason = "queued"      // with nobody: all have as many as they may
	NobodyThere    Reason = "nobody"      // with nobody: there is no senior who can be reached
	FromQueue      Reason = "from_queue"  // their turn, after it was with nobody
	HandedOver     Reason = "handed_over" // who had it did not react
	PassedOn       Reason = "passed"      // who had it chose them
	WasUnreachable Reason = "unreachable" // who had it cannot be reached
	HasLeft        Reason = "left"        // who had it has left the company, or is no senior any more
	AskedBySenior  Reason = "own"         // who had it turned out to be who asks
	ByHand         Reason = "assigned"    // an administrator chose them
)

// Title returns the reason in Russian, for lists.
func (r Reason) Title() string {
	title := map[Reason]string{ //nolint:gosec // "прежний" is no password
		ByTopic:        "отвечает за тему",
		ByLoad:         "меньше всего открытых вопросов",
		ByHours:        "сейчас рабочее время",
		OnlyOne:        "больше некому",
		Queued:         "в очереди: у всех сеньоров предел открытых вопросов",
		NobodyThere:    "в очереди: нет сеньора, которому можно написать",
		FromQueue:      "подошла очередь",
		HandedOver:     "прежний сеньор не ответил вовремя",
		PassedOn:       "передал прежний сеньор",
		WasUnreachable: "с прежним сеньором нет связи",
		HasLeft:        "прежний сеньор больше не отвечает на вопросы",
		AskedBySenior:  "прежний сеньор сам это спросил",
		ByHand:         "назначил администратор",
	}[r]
	if title == "" {
		return string(r)
	}
	return title
}

// byItself reports whether a question has been taken from who had it unasked.
func (r Reason) byItself() bool {
	return r == HandedOver || r == WasUnreachable || r == AskedBySenior
}
