package telegram_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/telegram"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func TestCommandsAreOffered(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *telegram.Options) { o.Language = "en" })
	run(t, r.Bot)
	await(t, "the menu is set", func() bool { return len(r.api.called("setChatMenuButton")) == 1 })
	got := map[string][]string{}
	for _, c := range r.api.called("setMyCommands") {
		var all []struct{ Command, Description string }
		if err := json.Unmarshal([]byte(c.form.Get("commands")), &all); err != nil {
			t.Fatal(err)
		}
		where := c.form.Get("scope") + c.form.Get("language_code")
		for _, o := range all {
			got[where] = append(got[where], o.Command+": "+o.Description)
			// https://core.telegram.org/bots/api#botcommand
			if n := len([]rune(o.Description)); n < 1 || n > 256 {
				t.Errorf("the description of %s has %d characters", o.Command, n)
			}
		}
	}
	for where, first := range map[string]string{
		`{"type":"default"}`: "my: My questions", `{"type":"default"}ru`: "my: Мои вопросы", `{"type":"default"}en`: "my: My questions",
		`{"type":"all_group_chats"}`: "my: My questions", `{"type":"all_group_chats"}ru`: "my: Мои вопросы", `{"type":"all_group_chats"}en`: "my: My questions",
	} {
		if len(got[where]) == 0 || !strings.HasPrefix(got[where][0], first) {
			t.Errorf("%s: %v", where, got[where])
		}
		if start := strings.Contains(strings.Join(got[where], "\n"), "start: "); start == strings.Contains(where, "group") {
			t.Errorf("%s: /start is offered: %t", where, start)
		}
	}
	if len(got) != 6 {
		t.Errorf("offered: %v", got)
	}
}

// That Telegram does not take the commands keeps nobody from an answer.
func TestCommandsAreNotVital(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.api.answering(func(c call, _ int) http.HandlerFunc {
		if c.method == "setMyCommands" {
			return refuse(400, "Bad Request: can't set commands")
		}
		return nil
	})
	r.api.give(message(1, 1, "раз"))
	run(t, r.Bot)
	await(t, "confirmed", func() bool { return r.api.left() == 0 })
	await(t, "it is logged", func() bool { return strings.Contains(r.log.String(), "the commands could not be set") })
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	link, err := r.Invitation(t.Context(), "Inv-It_e42")
	if err != nil || link != "https://t.me/nastavnik_test_bot?start=Inv-It_e42" {
		t.Errorf("%q, %v", link, err)
	}
	for _, code := range []string{"", "код", "a b", strings.Repeat("x", 65)} {
		if _, err := r.Invitation(t.Context(), code); !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("%q: %v", code, err)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if name, err := r.Check(t.Context()); err != nil || name != "@nastavnik_test_bot" {
		t.Errorf("%q, %v", name, err)
	}
}

// What the bot sends by its limits never exceeds what Telegram allows, in any second
// or minute.
func TestLimits(t *testing.T) {
	t.Parallel()
	const group, person = bot.ChatID("telegram:-1001//42"), bot.ChatID("telegram:42")
	for _, test := range []struct {
		name   string
		chats  func(i int) bot.ChatID
		within time.Duration
		most   int
	}{
		{"a group", func(int) bot.ChatID { return group }, time.Minute, 20},
		{"a group's topics and people", func(i int) bot.ChatID { return []bot.ChatID{group, "telegram:-1001/3/42", "telegram:-1001/4/7"}[i%3] }, time.Minute, 20},
		{"a person", func(int) bot.ChatID { return person }, 10 * time.Second, 13}, // one a second, a burst of three
		{"all people", func(i int) bot.ChatID { return bot.NewChat("telegram", strconv.Itoa(100+i)) }, time.Second, 30},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			var sent []time.Time
			at := now
			for i := range 60 {
				for {
					var again time.Time
					err := s.Write(t.Context(), func(tx bot.Tx) (err error) {
						again, err = tx.Reserve(t.Context(), at, telegram.Limits(1)(test.chats(i)))
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
					if !again.After(at) {
						break
					}
					at = again
				}
				sent = append(sent, at)
			}
			for i := range sent {
				n := 0
				for _, other := range sent[i:] {
					if other.Sub(sent[i]) < test.within {
						n++
					}
				}
				if n > test.most {
					t.Fatalf("%d messages within %s of the %d.", n, test.within, i)
				}
			}
		})
	}
}

// A 429 pauses the last limit: it must be that of the room alone.
func TestLimitsEndWithTheRoom(t *testing.T) {
	t.Parallel()
	limits := telegram.Limits(0.5)
	mine, other := limits("telegram:-1001/3/42"), limits("telegram:-1002//42")
	if last := mine[len(mine)-1]; last.Key != "telegram:-1001" || last.Every != 500*time.Millisecond || last.Key == other[len(other)-1].Key {
		t.Errorf("%+v", mine)
	}
	if len(mine) != 3 || len(limits("telegram:42")) != 2 || mine[0] != other[0] {
		t.Errorf("%+v, %+v", mine, limits("telegram:42"))
	}
}
