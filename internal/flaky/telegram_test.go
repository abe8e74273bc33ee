package flaky_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
)

var anna = devenv.TelegramUser{ID: 7000000001, FirstName: "Анна"}

func telegramPeer(t *testing.T) (*devenv.TelegramPeer, *flaky.Proxy, *flaky.TelegramUpdates, *tgbotapi.BotAPI) {
	t.Helper()
	peer := devenv.Telegram(t)
	p := flaky.New(t, peer.URL)
	updates := p.TelegramUpdates(peer.Token)
	return peer, p, updates, telegramBot(t, p, peer.Token)
}

func telegramBot(t *testing.T, p *flaky.Proxy, token string) *tgbotapi.BotAPI {
	t.Helper()
	b, err := tgbotapi.NewBotAPIWithClient(token, p.URL+"/bot%s/%s", &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// poll returns the texts of the updates from an offset on, and the offset after them.
func poll(t *testing.T, b *tgbotapi.BotAPI, offset, timeout int) (texts []string, next int) {
	t.Helper()
	got, err := b.GetUpdates(tgbotapi.UpdateConfig{Offset: offset, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range got {
		texts, offset = append(texts, u.Message.Text), u.UpdateID+1
	}
	return texts, offset
}

func TestTelegramUpdatesStayUntilConfirmed(t *testing.T) {
	t.Parallel()
	peer, _, updates, b := telegramPeer(t)
	for _, text := range []string{"раз", "два"} {
		peer.Say(devenv.TelegramSaying{From: anna, Text: text})
	}
	first, next := poll(t, b, 0, 0)
	again, _ := poll(t, b, 0, 0) // as a bot that was killed before it had them
	if !slices.Equal(first, []string{"раз", "два"}) || !slices.Equal(again, first) || updates.Pending() != 2 {
		t.Errorf("%q, then %q, %d pending", first, again, updates.Pending())
	}
	if half, _ := poll(t, b, next-1, 0); !slices.Equal(half, []string{"два"}) {
		t.Errorf("with the first confirmed: %q", half)
	}
	if none, _ := poll(t, b, next, 0); len(none) != 0 || updates.Pending() != 0 {
		t.Errorf("with both confirmed: %q", none)
	}
	updates.Again()
	if replay, _ := poll(t, b, next, 0); !slices.Equal(replay, first) {
		t.Errorf("the replay is %q", replay)
	}
	updates.Number(7)
	peer.Say(devenv.TelegramSaying{From: anna, Text: "три"})
	if got, next := poll(t, b, 0, 0); !slices.Equal(got, []string{"три"}) || next != 8 {
		t.Errorf("%q, then %d", got, next)
	}
}

func TestTelegramUpdatesLongPoll(t *testing.T) {
	t.Parallel()
	peer, p, updates, b := telegramPeer(t)
	type answer struct {
		got []tgbotapi.Update
		err error
	}
	wait := func(b *tgbotapi.BotAPI) chan answer {
		done := make(chan answer, 1)
		before := len(p.Requests("getUpdates"))
		go func() {
			got, err := b.GetUpdates(tgbotapi.UpdateConfig{Timeout: 600})
			done <- answer{got, err}
		}()
		eventually(t, "the poll", func() bool { return len(p.Requests("getUpdates")) > before })
		return done
	}
	first := wait(b)
	second := wait(telegramBot(t, p, peer.Token))
	var refused *tgbotapi.Error
	if a := <-first; !errors.As(a.err, &refused) || refused.Code != http.StatusConflict {
		t.Errorf("the first of two polls ends with %+v", a)
	}
	peer.Say(devenv.TelegramSaying{From: anna, Text: "раз"})
	if a := <-second; a.err != nil || len(a.got) != 1 || a.got[0].Message.From.ID != anna.ID {
		t.Errorf("the second ends with %+v", a)
	}

	other := telegramBot(t, p, "1:other")
	if _, err := other.GetUpdates(tgbotapi.UpdateConfig{}); !errors.As(err, &refused) || refused.Code != http.StatusUnauthorized {
		t.Errorf("another token: %v", err)
	}

	member := map[string]any{"my_chat_member": map[string]any{"chat": map[string]any{"id": anna.ID}, "from": anna, "date": 1}}
	reaction := map[string]any{"message_reaction": map[string]any{}}
	if updates.Give(reaction) != 0 {
		t.Error("a reaction comes unasked")
	}
	id := updates.Give(member)
	got, err := b.GetUpdates(tgbotapi.UpdateConfig{Offset: id, AllowedUpdates: []string{"message_reaction"}})
	if err != nil || len(got) != 1 || got[0].MyChatMember == nil {
		t.Errorf("%+v, %v", got, err)
	}
	if updates.Give(member) != 0 || updates.Give(reaction) == 0 {
		t.Error("the kinds that the bot asks for do not count")
	}
}

func TestTelegramUpdatesWebhook(t *testing.T) {
	t.Parallel()
	peer, _, updates, b := telegramPeer(t)
	var away atomic.Bool
	var calls atomic.Int32
	got := make(chan string, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if r.Header.Get("X-Telegram-Bot-Api-Secret-Token") != "secret-1" {
			t.Errorf("the secret is %q", r.Header.Get("X-Telegram-Bot-Api-Secret-Token"))
		}
		if away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var u tgbotapi.Update
		if err := json.NewDecoder(r.Body).Decode(&u); err != nil {
			t.Error(err)
		}
		got <- fmt.Sprint(u.UpdateID, " ", u.Message.Text)
	}))
	defer hook.Close()
	if _, err := b.MakeRequest("setWebhook", tgbotapi.Params{"url": hook.URL, "secret_token": "secret-1"}); err != nil {
		t.Fatal(err)
	}
	peer.Say(devenv.TelegramSaying{From: anna, Text: "раз"})
	if u := <-got; u != "1000 раз" {
		t.Errorf("came %q", u)
	}
	var refused *tgbotapi.Error
	if _, err := b.GetUpdates(tgbotapi.UpdateConfig{}); !errors.As(err, &refused) || refused.Code != http.StatusConflict {
		t.Errorf("a poll beside the webhook: %v", err)
	}
	away.Store(true)
	before := calls.Load()
	peer.Say(devenv.TelegramSaying{From: anna, Text: "два"})
	eventually(t, "two tries", func() bool { return calls.Load() > before+1 })
	if info, err := b.GetWebhookInfo(); err != nil || info.URL != hook.URL || info.PendingUpdateCount != 1 {
		t.Errorf("%+v, %v", info, err)
	}
	away.Store(false)
	if u := <-got; u != "1001 два" {
		t.Errorf("came %q", u)
	}
	updates.Again()
	for _, want := range []string{"1000 раз", "1001 два"} {
		if u := <-got; u != want {
			t.Errorf("replayed: %q, want %q", u, want)
		}
	}
	eventually(t, "the answer to count", func() bool { return updates.Pending() == 0 })
	if _, err := b.MakeRequest("deleteWebhook", nil); err != nil {
		t.Fatal(err)
	}
	peer.Say(devenv.TelegramSaying{From: anna, Text: "три"})
	if texts, _ := poll(t, b, 0, 600); !slices.Equal(texts, []string{"три"}) {
		t.Errorf("after the webhook: %q", texts)
	}
}

func TestTelegramThroughTheProxy(t *testing.T) {
	t.Parallel()
	peer, p, _, b := telegramPeer(t)
	p.Fail(flaky.Rule{Path: "sendMessage", Times: 1, Fault: flaky.ResetAfter})
	if _, err := b.Send(tgbotapi.NewMessage(anna.ID, "раз")); err == nil {
		t.Error("a lost answer is no error")
	}
	if got := peer.Messages(anna.ID); len(got) != 1 || got[0].Text != "раз" {
		t.Errorf("the peer has %+v", got)
	}
	p.Handle("sendPhoto", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"ok":true,"result":{"message_id":77,"date":1,"chat":{"id":1,"type":"private"},"photo":[{"file_id":"F"}]}}`)
	}))
	sent, err := b.Send(tgbotapi.NewPhoto(anna.ID, tgbotapi.FileBytes{Name: "a.png", Bytes: []byte("PNG")}))
	if err != nil || sent.Photo[0].FileID != "F" {
		t.Errorf("%+v, %v", sent, err)
	}
	arguments, err := p.Requests("sendPhoto")[0].Arguments()
	if err != nil || arguments.Values["chat_id"] != "7000000001" || string(arguments.Files["photo"].Content) != "PNG" || !strings.HasPrefix(arguments.Files["photo"].Name, "a") {
		t.Errorf("it is asked %+v, %v", arguments, err)
	}
}
