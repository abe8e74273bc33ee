package blocks

import (
	"slices"

	"github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/markup"
)

// Limits of the home page, https://docs.slack.dev/reference/views and
// …/block-kit/blocks/header-block.
const (
	maxHomeBlocks = 100
	maxHeader     = 150
	maxEntry      = 300 // ours: a line of a list, not a text
	maxNote       = 150 // ours
	maxShelves    = 20  // ours: each has a title and a line of what is left out
	maxGreeting   = 10  // blocks, ours
)

// Shelf is a titled list on the home page.
type Shelf struct {
	Title string // shown up to 150 characters
	Empty string // shown when there are no entries
	// More tells of the entries that the page has no room for, of which there are
	// that many; nil says nothing of them.
	More    func(left int) string
	Entries []Entry
}

// Entry is a line of a Shelf.
type Entry struct {
	Text   string     // shown up to 300 characters
	Note   string     // a small line below, such as a status, up to 150 characters; "" for none
	Button bot.Button // beside the text; without an ID there is none
}

// Home builds the page: the greeting in standard Markdown, then up to 20 shelves.
// Room that is short (100 blocks) is shared fairly among them.
func Home(greeting string, shelves []Shelf) slack.HomeTabViewRequest {
	shelves = shelves[:min(len(shelves), maxShelves)]
	page := greet(greeting)
	room := maxHomeBlocks - len(page) - 2*len(shelves) // each has a title, and a line when it is empty or cut
	seen := map[string]bool{}
	shares := share(shelves, room)
	for i, s := range shelves {
		page = append(page, slack.NewHeaderBlock(plain(markup.OneLine(s.Title), maxHeader)))
		page = append(page, s.lines(shares[i], seen)...)
	}
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: page}}
}

func greet(greeting string) []slack.Block {
	var page []slack.Block
	for _, chunk := range markup.Split(markup.Parse(greeting), fits) {
		if markup.Visible(markup.Text(chunk)) {
			page = append(page, richText(chunk)...)
		}
	}
	return page[:min(len(page), maxGreeting)]
}

// share divides blocks among the shelves: who needs less than an equal share leaves
// the rest to the others.
func share(shelves []Shelf, room int) []int {
	order := make([]int, len(shelves))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return shelves[a].size() - shelves[b].size() })
	shares := make([]int, len(shelves))
	for n, i := range order {
		shares[i] = min(shelves[i].size(), room/(len(order)-n))
		room -= shares[i]
	}
	return shares
}

func (s Shelf) size() int {
	n := 0
	for _, e := range s.Entries {
		n += e.size()
	}
	return n
}

func (e Entry) size() int {
	if markup.Visible(e.Note) {
		return 2
	}
	return 1
}

// lines are the entries that fit into room, and one line more of what is not there.
func (s Shelf) lines(room int, seen map[string]bool) []slack.Block {
	var out []slack.Block
	for i, e := range s.Entries {
		if room -= e.size(); room < 0 {
			if s.More != nil {
				out = append(out, note(s.More(len(s.Entries)-i)))
			}
			return out
		}
		out = append(out, e.lines(seen)...)
	}
	if len(out) == 0 && markup.Visible(s.Empty) {
		out = append(out, note(s.Empty))
	}
	return out
}

func (e Entry) lines(seen map[string]bool) []slack.Block {
	section := slack.NewSectionBlock(plain(markup.OneLine(e.Text), maxEntry), nil, nil)
	if id := e.Button.ID; pressable(id) && !seen[id] {
		seen[id] = true
		section.Accessory = slack.NewAccessory(button(e.Button, false))
	}
	if e.size() == 1 {
		return []slack.Block{section}
	}
	return []slack.Block{section, note(e.Note)}
}

func note(s string) slack.Block { return slack.NewContextBlock("", plain(markup.OneLine(s), maxNote)) }
