package devenv_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
)

func marshal(t *testing.T, value any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

type object map[string]any

func TestValidateBlocks(t *testing.T) {
	t.Parallel()
	text := func(kind string, n int) object { return object{"type": kind, "text": strings.Repeat("ё", n)} }
	section := func(n int) object { return object{"type": "section", "text": text("mrkdwn", n)} }
	button := func(label, id int) object {
		return object{"type": "button", "action_id": strings.Repeat("a", id), "text": text("plain_text", label)}
	}
	actions := func(elements ...any) object { return object{"type": "actions", "elements": elements} }
	cases := []struct {
		blocks any
		want   string // a part of the complaint, "" for none
	}{
		{[]any{section(3000), object{"type": "divider"}, actions(button(75, 255))}, ""},
		{[]any{section(1), section(3001)}, "[1] (section): text attribute cannot exceed 3000"},
		{[]any{object{"type": "header", "text": text("plain_text", 151)}}, "150"},
		{[]any{object{"type": "markdown", "text": strings.Repeat("ё", 12001)}}, "12000"},
		{[]any{actions(button(76, 255))}, "text attribute cannot exceed 75"},
		{[]any{actions(button(1, 1), button(1, 256))}, ".elements[1] (button): action_id attribute cannot exceed 255"},
		{[]any{object{"type": "section"}}, "text or fields"},
		{[]any{object{"type": "nonsense"}}, "Unknown block"},
		{[]any{object{"type": "section", "text": text("mrkdwn", 1), "bogus": 1}}, "bogus"},
		{[]any{object{"type": "header", "text": object{"type": "plain_text"}}}, "missing"},
		{[]any{}, "no list of blocks"},
		{object{"type": "divider"}, "no list of blocks"},
	}
	var lists []json.RawMessage
	for _, c := range cases {
		lists = append(lists, marshal(t, c.blocks))
	}
	for i, got := range devenv.ValidateBlocks(t, lists...) {
		switch want := cases[i].want; {
		case want == "" && got != nil:
			t.Errorf("%.100s: %v, want nothing wrong", lists[i], got)
		case want != "" && (got == nil || !strings.Contains(got.Error(), want)):
			t.Errorf("%.100s: %v, want %q", lists[i], got, want)
		}
	}
	if got := devenv.ValidateBlocks(t); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestValidateViews(t *testing.T) {
	t.Parallel()
	view := func(title int) json.RawMessage {
		return marshal(t, object{
			"type": "modal", "callback_id": "c", "title": object{"type": "plain_text", "text": strings.Repeat("ё", title)},
			"blocks": []any{object{"type": "divider"}},
		})
	}
	got := devenv.ValidateViews(t, view(24), view(25))
	if got[0] != nil || got[1] == nil || !strings.Contains(got[1].Error(), "24") {
		t.Errorf("a title of 24: %v, of 25: %v", got[0], got[1])
	}
}
