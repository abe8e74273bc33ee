package telegram_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/nastavnik-bot/nastavnik/bot/telegram"
)

// entity marks the first place of a word in a text.
func entity(text, word, kind string, more ...string) tgbotapi.MessageEntity {
	i := strings.Index(text, word)
	e := tgbotapi.MessageEntity{Type: kind, Offset: units(text[:i]), Length: units(word)}
	if len(more) > 0 {
		e.URL, e.Language = more[0], more[0]
	}
	return e
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }

func TestMarkdown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text, want string
		entities         func(text string) []tgbotapi.MessageEntity
	}{
		{"plain", "2*2, snake_case", "2*2, snake_case", nil},
		{"bold with emoji before", "👨‍👩‍👧 важно: да", "👨‍👩‍👧 **важно**: да", func(s string) []tgbotapi.MessageEntity {
			return []tgbotapi.MessageEntity{entity(s, "важно", "bold")}
		}},
		{"space at the ends stays outside", "это важно и", "это **важно** и", func(s string) []tgbotapi.MessageEntity {
			return []tgbotapi.MessageEntity{entity(s, " важно ", "bold")}
		}},
		{"emphasis over lines", "раз\n\nдва", "**раз**\n\n**два**", func(s string) []tgbotapi.MessageEntity {
			return []tgbotapi.MessageEntity{entity(s, s, "bold")}
		}},
		{"nested", "раз два три", "**раз *два* три**", func(s string) []tgbotapi.MessageEntity {
			return []tgbotapi.MessageEntity{entity(s, "два", "italic"), entity(s, s, "bold")}
		}},
		{"crossed", "раз два три", "**раз два** три", func(s string) []tgbotapi.MessageEntity {
			return []tgbotapi.MessageEntity{entity(s, "раз два", "bold"), entity(s, "два три", "italic")}
		}},
		{"code with a backtick", "нажмите a`b", "нажмите ``a`b``", func(s string) []tgbotapi.MessageEntity {
			return []tgbotapi.MessageEntity{entity(s, "a`b", "code")}
		}},
		{"code of one backtick", "знак `", "знак `` ` ``", func(s string) []tgbotapi.MessageEntity {
			return []tgbotapi.MessageEntity{entity(s, "`", "code")}
		}},
		{"code block", "вот: a := `x`\nb", "вот: \n```go\na := `x`\nb\n```\n", func(s string) []tgbotapi.MessageEntity {
			return []tgbotapi.MessageEntity{entity(s, "a := `x`\nb", "pre", "go")}
		}},
		{"fence within a code block", "```\nx", "````\n```\nx\n````\n", func(s string) []tgbotapi.MessageEntity {
			return []tgbotapi.MessageEntity{entity(s, s, "pre")}
		}},
		{"link", "см. [инструкцию] тут", `см. [\[инструкцию\]](https://a.example/%28x%29%20y) тут`, func(s string) []tgbotapi.MessageEntity {
			return []tgbotapi.MessageEntity{entity(s, "[инструкцию]", "text_link", "https://a.example/(x) y")}
		}},
		{"quote", "он сказал\nда\nнет\nи всё", "он сказал\n> да\n> нет\n\n\nи всё", func(s string) []tgbotapi.MessageEntity {
			return []tgbotapi.MessageEntity{entity(s, "да\nнет", "blockquote")}
		}},
		{"what has no Markdown", "тайна и подчёркнуто", "тайна и подчёркнуто", func(s string) []tgbotapi.MessageEntity {
			return []tgbotapi.MessageEntity{entity(s, "тайна", "spoiler"), entity(s, "подчёркнуто", "underline")}
		}},
		{"outside of the text", "да", "да", func(string) []tgbotapi.MessageEntity {
			return []tgbotapi.MessageEntity{{Type: "bold", Offset: 1, Length: 5}, {Type: "bold", Offset: -1, Length: 1}, {Type: "bold", Offset: 1 << 62, Length: 1 << 62}}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var entities []tgbotapi.MessageEntity
			if test.entities != nil {
				entities = test.entities(test.text)
			}
			if got := telegram.Markdown(test.text, entities); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// letters are what of a text must not be lost.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

// Formatting loses no letter, adds none, and changes no order.
func FuzzMarkdown(f *testing.F) {
	for _, seed := range []struct{ text, entities string }{
		{"раз 😀 два", `[{"type":"bold","offset":4,"length":6}]`},
		{"a`b`\n> c", `[{"type":"code","offset":0,"length":4},{"type":"blockquote","offset":2,"length":5},{"type":"pre","offset":0,"length":1}]`},
		{"x", `[{"type":"bold","offset":0,"length":1},{"type":"italic","offset":0,"length":1},{"type":"strikethrough","offset":0,"length":1}]`},
	} {
		f.Add(seed.text, seed.entities)
	}
	f.Fuzz(func(t *testing.T, text, raw string) {
		var entities []tgbotapi.MessageEntity
		if json.Unmarshal([]byte(raw), &entities) != nil {
			return
		}
		for i := range entities {
			entities[i].URL, entities[i].Language = "", ""
		}
		text = string(utf16.Decode(utf16.Encode([]rune(text)))) // as Telegram would have it
		if got := telegram.Markdown(text, entities); letters(got) != letters(text) {
			t.Errorf("%q with %s is %q", text, raw, got)
		}
	})
}
