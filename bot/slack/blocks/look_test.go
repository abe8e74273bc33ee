package blocks_test

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"
)

// seen draws blocks as a person sees them: **bold**, _italic_, ~strike~, `code`,
// text→link, a bar before quotes, [ buttons ].
func seen(blocks []slack.Block) string { return look(blocks, true) }

// said is the text of blocks, without the signs of style and without addresses.
func said(blocks []slack.Block) string { return look(blocks, false) }

func look(blocks []slack.Block, styled bool) string {
	var out []string
	for _, b := range blocks {
		out = append(out, lookBlock(b, styled))
	}
	return strings.Join(out, "\n")
}

func lookBlock(b slack.Block, styled bool) string {
	switch b := b.(type) {
	case *slack.RichTextBlock:
		return lookRich(b, styled)
	case *slack.DividerBlock:
		return strings.Repeat("─", 40)
	case *slack.ContextBlock:
		text, _ := b.ContextElements.Elements[0].(*slack.TextBlockObject)
		return "(" + text.Text + ")"
	case *slack.HeaderBlock:
		return "# " + b.Text.Text
	case *slack.SectionBlock:
		s := b.Text.Text
		if b.Accessory != nil {
			s += "   " + lookButton(b.Accessory.ButtonElement)
		}
		return s
	case *slack.ActionBlock:
		var row []string
		for _, e := range b.Elements.ElementSet {
			button, _ := e.(*slack.ButtonBlockElement)
			row = append(row, lookButton(button))
		}
		return strings.Join(row, " ")
	}
	return fmt.Sprintf("unknown block %T", b)
}

func lookButton(b *slack.ButtonBlockElement) string { return "[ " + b.Text.Text + " ]" }

func lookRich(b *slack.RichTextBlock, styled bool) string {
	var out []string
	for _, e := range b.Elements {
		switch e := e.(type) {
		case *slack.RichTextSection:
			// The line break that ends a section is that of its own last line.
			out = append(out, strings.TrimSuffix(lookTexts(e.Elements, styled), "\n"))
		case *slack.RichTextQuote:
			out = append(out, "▌ "+strings.ReplaceAll(lookTexts(e.Elements, styled), "\n", "\n▌ "))
		case *slack.RichTextPreformatted:
			bar := strings.Repeat("▌ ", e.Border)
			out = append(out, bar+"| "+strings.ReplaceAll(lookTexts(e.Elements, styled), "\n", "\n"+bar+"| "))
		case *slack.RichTextList:
			for i, item := range e.Elements {
				section, _ := item.(*slack.RichTextSection)
				marker := "• "
				if e.Style == slack.RTEListOrdered {
					marker = fmt.Sprint(e.Offset+i+1, ". ")
				}
				indent := strings.Repeat("▌ ", e.Border) + strings.Repeat("    ", e.Indent)
				out = append(out, indent+marker+strings.ReplaceAll(lookTexts(section.Elements, styled), "\n", "\n"+indent+"  "))
			}
		default:
			out = append(out, fmt.Sprintf("unknown element %T", e))
		}
	}
	return strings.Join(out, "\n")
}

func lookTexts(elements []slack.RichTextSectionElement, styled bool) string {
	var b strings.Builder
	for _, e := range elements {
		switch e := e.(type) {
		case *slack.RichTextSectionTextElement:
			b.WriteString(lookStyle(e.Text, e.Style, styled))
		case *slack.RichTextSectionLinkElement:
			b.WriteString(lookStyle(e.Text, e.Style, styled))
			if styled {
				b.WriteString("→" + e.URL)
			}
		default:
			fmt.Fprintf(&b, "unknown text %T", e)
		}
	}
	return b.String()
}

func lookStyle(text string, s *slack.RichTextSectionTextStyle, styled bool) string {
	if s == nil || !styled {
		return text
	}
	for _, sign := range []struct {
		on   bool
		mark string
	}{{s.Code, "`"}, {s.Strike, "~"}, {s.Italic, "_"}, {s.Bold, "**"}} {
		if sign.on {
			text = sign.mark + text + sign.mark
		}
	}
	return text
}
