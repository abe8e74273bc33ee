package telegram

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf16"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

// maxEntities is how many entities of a message Telegram shows,
// https://core.telegram.org/bots/api#formatting-options.
const maxEntities = 100

// markdown returns a text with its entities as standard Markdown, so that an answer
// keeps its formatting on every platform. What is dropped is left out together with the
// comma and the space behind it. Characters that Markdown would read are left as they
// are: what looks like a list is one.
//
// Offsets count UTF-16 code units, https://core.telegram.org/bots/api#messageentity.
func markdown(text string, entities []tgbotapi.MessageEntity, dropped func(word string, e tgbotapi.MessageEntity) bool) string {
	w := &setter{units: utf16.Encode([]rune(text)), dropped: dropped}
	entities = slices.DeleteFunc(slices.Clone(entities[:min(len(entities), maxEntities)]), func(e tgbotapi.MessageEntity) bool {
		return e.Offset < 0 || e.Length <= 0 || e.Length > len(w.units) || e.Offset > len(w.units)-e.Length
	})
	slices.SortStableFunc(entities, func(a, b tgbotapi.MessageEntity) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(b.Length, a.Length))
	})
	return w.set(0, len(w.units), entities)
}

// setter sets a text with its entities.
type setter struct {
	units   []uint16
	dropped func(string, tgbotapi.MessageEntity) bool
}

func (w *setter) text(from, to int) string { return string(utf16.Decode(w.units[from:to])) }

// set sets a part of the text. An entity that is neither within another nor outside of
// it is left out.
func (w *setter) set(from, to int, entities []tgbotapi.MessageEntity) string {
	var out strings.Builder
	for len(entities) > 0 {
		e := entities[0]
		end := e.Offset + e.Length
		within := 1
		for within < len(entities) && entities[within].Offset < end {
			within++
		}
		if e.Offset >= from && end <= to {
			out.WriteString(w.text(from, e.Offset))
			if w.dropped != nil && w.dropped(w.text(e.Offset, end), e) {
				from = w.behind(end, to)
			} else {
				out.WriteString(w.entity(e, end, entities[1:within], out.String()))
				from = end
			}
		}
		entities = entities[within:]
	}
	out.WriteString(w.text(from, to))
	return out.String()
}

// behind returns where the text goes on after a name: «Бот, как …».
func (w *setter) behind(from, to int) int {
	for from < to && slices.Contains([]uint16{',', ':', ' '}, w.units[from]) {
		from++
	}
	return from
}

// entity sets one entity with what is within it; before is what stands before it.
func (w *setter) entity(e tgbotapi.MessageEntity, end int, inner []tgbotapi.MessageEntity, before string) string {
	plain := w.text(e.Offset, end)
	within := func() string { return w.set(e.Offset, end, inner) }
	switch e.Type {
	case "bold":
		return emphasis(within(), "**")
	case "italic":
		return emphasis(within(), "*")
	case "strikethrough":
		return emphasis(within(), "~~")
	case "code":
		return code(plain, before)
	case "pre":
		return fence(plain, e.Language, before)
	case "text_link":
		return link(within(), e.URL)
	case "blockquote", "expandable_blockquote":
		return ownLine(before) + "> " + strings.ReplaceAll(within(), "\n", "\n> ") + "\n\n"
	}
	return within()
}

// emphasis puts a mark around each line: emphasis does not reach over paragraphs, and
// begins and ends at a letter.
func emphasis(s, mark string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if core := strings.TrimSpace(line); core != "" {
			lines[i] = strings.Replace(line, core, mark+core+mark, 1)
		}
	}
	return strings.Join(lines, "\n")
}

func code(s, before string) string {
	if strings.Contains(s, "\n") {
		return fence(s, "", before)
	}
	ticks := strings.Repeat("`", longestRun(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return ticks + s + ticks
}

func fence(s, language, before string) string {
	if strings.ContainsAny(language, "`\n ") {
		language = ""
	}
	ticks := strings.Repeat("`", max(3, longestRun(s, '`')+1))
	return ownLine(before) + ticks + language + "\n" + strings.TrimSuffix(s, "\n") + "\n" + ticks + "\n"
}

// longestRun returns the length of the longest run of a byte.
func longestRun(s string, of byte) int {
	most, run := 0, 0
	for i := range len(s) {
		if s[i] != of {
			run = 0
			continue
		}
		run++
		most = max(most, run)
	}
	return most
}

// inLink makes the text and the address of a link safe for each other.
var (
	inLinkText = strings.NewReplacer("[", `\[`, "]", `\]`, "\n", " ")
	inLinkURL  = strings.NewReplacer("(", "%28", ")", "%29", " ", "%20", "<", "%3C", ">", "%3E", "\n", "")
)

func link(s, url string) string {
	if url == "" || strings.TrimSpace(s) == "" || s == url {
		return s
	}
	return "[" + inLinkText.Replace(s) + "](" + inLinkURL.Replace(url) + ")"
}

// ownLine ends the line that what stands before is in.
func ownLine(before string) string {
	if before == "" || strings.HasSuffix(before, "\n") {
		return ""
	}
	return "\n"
}
