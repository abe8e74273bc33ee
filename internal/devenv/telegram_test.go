package devenv_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
)

var (
	anna  = devenv.TelegramUser{ID: 7000000001, FirstName: "Анна", Username: "anna", LanguageCode: "ru"}
	group = devenv.TelegramChat{ID: -1001234567890, Type: "supergroup", Title: "Поддержка"}
)

func telegramBot(t *testing.T, p *devenv.TelegramPeer) *tgbotapi.BotAPI {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	bot, err := tgbotapi.NewBotAPIWithClient(p.Token, p.Endpoint, client)
	if err != nil {
		t.Fatal(err)
	}
	if bot.Self.ID != devenv.TelegramBotID || bot.Self.UserName != devenv.TelegramBotUsername {
		t.Errorf("the bot is %+v", bot.Self)
	}
	return bot
}

// update returns the only update that waits for the bot.
func update(t *testing.T, bot *tgbotapi.BotAPI) tgbotapi.Update {
	t.Helper()
	got, err := bot.GetUpdates(tgbotapi.UpdateConfig{})
	if err != nil || len(got) != 1 {
		t.Fatalf("%d updates, %v", len(got), err)
	}
	return got[0]
}

//nolint:tparallel // its parts follow each other on one peer
func TestTelegramPolling(t *testing.T) {
	t.Parallel()
	p := devenv.Telegram(t)
	bot := telegramBot(t, p)

	t.Run("a command with an invitation", func(t *testing.T) {
		id := p.Say(devenv.TelegramSaying{From: anna, Text: "/start КОД_7"})
		got := update(t, bot).Message
		if got.MessageID != id || got.Command() != "start" || got.CommandArguments() != "КОД_7" || got.From.ID != anna.ID || got.From.LanguageCode != "ru" || !got.Chat.IsPrivate() {
			t.Errorf("the bot got %+v", got)
		}
	})

	t.Run("buttons, edits and deletion", func(t *testing.T) {
		message := tgbotapi.NewMessage(anna.ID, "<b>ответ</b>")
		message.ParseMode, message.ReplyToMessageID = tgbotapi.ModeHTML, 1
		message.ReplyMarkup = tgbotapi.NewInlineKeyboardMarkup(tgbotapi.NewInlineKeyboardRow(tgbotapi.NewInlineKeyboardButtonData("Да", "yes:1")))
		sent, err := bot.Send(message)
		if err != nil {
			t.Fatal(err)
		}
		said := p.Messages(anna.ID)
		if len(said) != 1 || said[0].ID != sent.MessageID || said[0].Text != "<b>ответ</b>" || said[0].ParseMode != "HTML" || said[0].ReplyTo != 1 {
			t.Fatalf("the bot has sent %+v", said)
		}
		p.Press(said[0], anna, devenv.TelegramChat{}, "yes:1")
		pressed := update(t, bot).CallbackQuery
		if pressed.Data != "yes:1" || pressed.Message.MessageID != sent.MessageID || pressed.From.ID != anna.ID || pressed.Message.ReplyMarkup == nil {
			t.Errorf("pressed: %+v", pressed)
		}
		if _, err := bot.Request(tgbotapi.NewCallback(pressed.ID, "")); err != nil {
			t.Errorf("answerCallbackQuery: %v", err)
		}
		if _, err := bot.Request(tgbotapi.NewEditMessageText(anna.ID, sent.MessageID, "исправлено")); err != nil {
			t.Errorf("editMessageText: %v", err)
		}
		if now := p.Messages(anna.ID)[0]; now.Text != "исправлено" || !now.Edited {
			t.Errorf("after the edit it is %+v", now)
		}
		if _, err := bot.Request(tgbotapi.NewDeleteMessage(anna.ID, sent.MessageID)); err != nil {
			t.Errorf("deleteMessage: %v", err)
		}
		if now := p.Messages(anna.ID); len(now) != 0 {
			t.Errorf("after the deletion there are %+v", now)
		}
	})

	t.Run("a reply in a group, with a picture", func(t *testing.T) {
		sent, err := bot.Send(tgbotapi.NewMessage(group.ID, "Вопрос от Анны"))
		if err != nil {
			t.Fatal(err)
		}
		photo := []any{map[string]any{"file_id": "F1", "file_unique_id": "U1", "width": 10, "height": 10, "file_size": 100}}
		p.Say(devenv.TelegramSaying{From: anna, Chat: group, ReplyTo: sent.MessageID, More: map[string]any{"photo": photo, "caption": "вот так"}})
		got := update(t, bot).Message
		if !got.Chat.IsSuperGroup() || got.ReplyToMessage.MessageID != sent.MessageID || got.ReplyToMessage.From.ID != devenv.TelegramBotID ||
			got.Caption != "вот так" || len(got.Photo) != 1 || got.Photo[0].FileID != "F1" || got.Text != "" {
			t.Errorf("the bot got %+v", got)
		}
	})

	t.Run("what it has no idea of", func(t *testing.T) {
		if _, err := bot.Request(tgbotapi.NewSetMyCommands(tgbotapi.BotCommand{Command: "my", Description: "мои вопросы"})); err == nil {
			t.Error("setMyCommands works: use it")
		}
		if _, err := bot.Send(tgbotapi.NewPhoto(anna.ID, tgbotapi.FileBytes{Name: "a.png", Bytes: []byte("png")})); err == nil {
			t.Error("sendPhoto works: use it")
		}
	})

	t.Run("another token is another bot", func(t *testing.T) {
		p.Say(devenv.TelegramSaying{From: anna, Text: "вопрос"})
		other, err := tgbotapi.NewBotAPIWithAPIEndpoint("1:other", p.Endpoint)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := other.GetUpdates(tgbotapi.UpdateConfig{}); err != nil || len(got) != 0 {
			t.Errorf("it gets %d updates, %v", len(got), err)
		}
		if got := update(t, bot).Message.Text; got != "вопрос" {
			t.Errorf("the bot got %q", got)
		}
	})
}

func TestTelegramWebhook(t *testing.T) {
	t.Parallel()
	p := devenv.Telegram(t)
	bot := telegramBot(t, p)
	var refuse atomic.Bool
	got := make(chan tgbotapi.Update, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var u tgbotapi.Update
		if err := json.NewDecoder(r.Body).Decode(&u); err != nil {
			t.Error(err)
		}
		got <- u
	}))
	defer hook.Close()
	webhook, err := tgbotapi.NewWebhook(hook.URL + "/telegram")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bot.Request(webhook); err != nil {
		t.Fatal(err)
	}
	// At once: each must still come as an update of its own.
	const many = 20
	errs := make(chan error, many)
	for range many {
		go func() {
			_, err := p.Give(t.Context(), map[string]any{"from": anna, "chat": devenv.TelegramChat{ID: anna.ID, Type: "private"}, "date": time.Now().Unix(), "text": "вопрос"})
			errs <- err
		}()
	}
	updates, messages := map[int]bool{}, map[int]bool{}
	for range many {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
		u := <-got
		updates[u.UpdateID], messages[u.Message.MessageID] = true, true
	}
	if len(updates) != many || len(messages) != many {
		t.Errorf("%d updates and %d messages of %d", len(updates), len(messages), many)
	}
	refuse.Store(true)
	if _, err := p.Give(t.Context(), map[string]any{"from": anna, "chat": group, "text": "никому"}); err == nil {
		t.Error("an update that the bot refuses counts as given")
	}
	refuse.Store(false)
	p.Say(devenv.TelegramSaying{From: anna, Text: "дальше"})
	if u := <-got; u.Message.Text != "дальше" {
		t.Errorf("came %+v", u.Message)
	}
}

// It begins to count anew: to a bot its updates are those of a replay.
func TestTelegramKilledForgets(t *testing.T) {
	t.Parallel()
	p := devenv.Telegram(t)
	bot := telegramBot(t, p)
	p.Say(devenv.TelegramSaying{From: anna, Text: "раз"})
	first := update(t, bot)
	p.Kill()
	if _, err := bot.GetMe(); err == nil {
		t.Error("it answers though it was killed")
	}
	p.Start()
	p.Say(devenv.TelegramSaying{From: anna, Text: "два"})
	if second := update(t, bot); second.UpdateID != first.UpdateID || second.Message.Text != "два" {
		t.Errorf("after update %d came %d", first.UpdateID, second.UpdateID)
	}
}
