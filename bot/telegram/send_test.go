package telegram_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/telegram"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// text is a dispatch of plain words to a chat.
func text(address, words string) bot.Dispatch {
	return dispatch(address, bot.Message{Text: words})
}

func dispatch(address string, m bot.Message) bot.Dispatch {
	return bot.Dispatch{Delivery: bot.Delivery{ID: 1, Key: "k", Chat: bot.NewChat("telegram", address), Message: m, Created: time.Now()}}
}

// yesNo are two buttons of which one can be chosen.
var yesNo = []bot.Section{{Choice: true, Buttons: []bot.Button{{ID: "1.0.0", Label: "Помогло"}, {ID: "1.0.1", Label: "Не помогло"}}}}

// sendAll sends all parts, as the runner does.
func sendAll(t *testing.T, b *telegram.Bot, d bot.Dispatch) []string {
	t.Helper()
	for n := b.Parts(d); d.Part < n; d.Part++ {
		id, err := b.Send(t.Context(), d)
		if safe(t, err) != nil {
			t.Fatal(err)
		}
		d.External = append(d.External, id)
	}
	return d.External
}

// forms are the calls as the API got them.
func forms(calls []call) (out []map[string]string) {
	for _, c := range calls {
		out = append(out, flat(c.form, c.method))
	}
	return out
}

func flat(form url.Values, method string) map[string]string {
	m := map[string]string{"method": method}
	for k, v := range form {
		m[k] = v[0]
	}
	return m
}

const keyboardYesNo = `{"inline_keyboard":[[{"text":"Помогло","callback_data":"1.0.0"},{"text":"Не помогло","callback_data":"1.0.1"}]]}`

func TestSend(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		d    bot.Dispatch
		want []map[string]string
	}{
		{"words in a private chat", text("42", "Нажмите **Сохранить** & <готово>"), []map[string]string{
			{"method": "sendMessage", "chat_id": "42", "text": "Нажмите <b>Сохранить</b> &amp; &lt;готово&gt;", "parse_mode": "HTML"},
		}},
		{"buttons", dispatch("42", bot.Message{Text: "Ответ", Sections: yesNo}), []map[string]string{
			{"method": "sendMessage", "chat_id": "42", "text": "Ответ", "parse_mode": "HTML", "reply_markup": keyboardYesNo},
		}},
		{"beneath a message of a group", bot.Dispatch{Under: "15", Delivery: bot.Delivery{Chat: "telegram:-1001//42", Message: bot.Message{Text: "Ответ"}}}, []map[string]string{
			{"method": "sendMessage", "chat_id": "-1001", "text": "Ответ", "parse_mode": "HTML", "reply_parameters": `{"message_id":15,"allow_sending_without_reply":true}`},
		}},
		{"in a topic, whose buttons carry it", bot.Dispatch{Under: "31", Delivery: bot.Delivery{Chat: "telegram:-1001/3/42", Message: bot.Message{Text: "Ответ", Sections: yesNo}}}, []map[string]string{
			{"method": "sendMessage", "chat_id": "-1001", "message_thread_id": "3", "text": "Ответ", "parse_mode": "HTML", "reply_parameters": `{"message_id":31,"allow_sending_without_reply":true}`,
				"reply_markup": `{"inline_keyboard":[[{"text":"Помогло","callback_data":"1.0.0@-1001/3/42"},{"text":"Не помогло","callback_data":"1.0.1@-1001/3/42"}]]}`},
		}},
		{"for one person of a group alone", bot.Dispatch{Under: "15", Delivery: bot.Delivery{Chat: "telegram:-1001/3/42", Message: bot.Message{Text: "Ваши вопросы", Private: true, Sections: yesNo}}}, []map[string]string{
			{"method": "sendMessage", "chat_id": "42", "text": "Ваши вопросы", "parse_mode": "HTML",
				"reply_markup": `{"inline_keyboard":[[{"text":"Помогло","callback_data":"1.0.0@-1001/3/42"},{"text":"Не помогло","callback_data":"1.0.1@-1001/3/42"}]]}`},
		}},
		{"nothing to see", text("42", "\u200b"), nil},
	} {
		r := newRig(t)
		sendAll(t, r.Bot, test.d)
		if diff := cmp.Diff(test.want, forms(r.api.called("sendMessage"))); diff != "" {
			t.Errorf("%s: -want +got\n%s", test.name, diff)
		}
	}
}

func TestSendInParts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	long := strings.TrimSpace(strings.Repeat(strings.Repeat("Слово ", 100)+"\n\n", 20))
	d := dispatch("-1001//42", bot.Message{Text: long, Sections: yesNo})
	d.Under = "15"
	ids := sendAll(t, r.Bot, d)
	got := forms(r.api.called("sendMessage"))
	if len(got) < 3 || len(ids) != len(got) || !slices.IsSorted(ids) {
		t.Fatalf("%d parts, ids %v", len(got), ids)
	}
	whole := ""
	for i, form := range got {
		first, last := i == 0, i == len(got)-1
		if (form["reply_parameters"] != "") != first || (form["reply_markup"] != "") != last || len([]rune(form["text"])) > 4096 {
			t.Errorf("part %d of %d: reply %q, buttons %q, %d characters", i, len(got), form["reply_parameters"], form["reply_markup"], len([]rune(form["text"])))
		}
		whole += " " + form["text"]
	}
	if strings.Join(strings.Fields(whole), " ") != strings.Join(strings.Fields(long), " ") {
		t.Error("some of the text is lost")
	}
}

// What Telegram refuses for a reason that can be mended is sent at once.
func TestSendMends(t *testing.T) {
	t.Parallel()
	group := bot.Dispatch{Under: "15", Delivery: bot.Delivery{Chat: "telegram:-42/3/7", Message: bot.Message{Text: "**Ответ**"}}}
	t.Run("markup that it cannot parse", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.api.answering(refuseFirst("sendMessage", refuse(400, "Bad Request: can't parse entities: Unsupported start tag \"тайна\" at byte offset 3")))
		sendAll(t, r.Bot, text("42", "**Ответ**"))
		got := forms(r.api.called("sendMessage"))
		if len(got) != 2 || got[1]["text"] != "Ответ" || got[1]["parse_mode"] != "" {
			t.Errorf("%v", got)
		}
	})
	t.Run("a group that has become a supergroup", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.api.answering(func(c call, _ int) http.HandlerFunc {
			if c.form.Get("chat_id") == "-42" {
				return refuse(400, "Bad Request: group chat was upgraded to a supergroup chat", `{"migrate_to_chat_id":-10042}`)
			}
			return nil
		})
		sendAll(t, r.Bot, group)
		sendAll(t, r.Bot, group)
		want := map[string]string{"method": "sendMessage", "chat_id": "-10042", "text": "<b>Ответ</b>", "parse_mode": "HTML"}
		got := forms(r.api.called("sendMessage"))
		if len(got) != 3 || !cmp.Equal(got[1], want) || !cmp.Equal(got[2], want) {
			t.Errorf("%v", got)
		}
	})
	t.Run("a topic that is gone", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.api.answering(refuseFirst("sendMessage", refuse(400, "Bad Request: message thread not found")))
		sendAll(t, r.Bot, group)
		got := forms(r.api.called("sendMessage"))
		if len(got) != 2 || got[0]["message_thread_id"] != "3" || got[1]["message_thread_id"] != "" {
			t.Errorf("%v", got)
		}
	})
	t.Run("without an end", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.api.answering(func(c call, n int) http.HandlerFunc {
			return refuse(400, "Bad Request: group chat was upgraded to a supergroup chat", fmt.Sprintf(`{"migrate_to_chat_id":%d}`, -42-n))
		})
		if _, err := r.Send(t.Context(), group); class(safe(t, err)) != "undeliverable" {
			t.Errorf("%q: %v", class(err), err)
		}
	})
	t.Run("an error does not tell what was written", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.api.answering(func(call, int) http.HandlerFunc {
			return refuse(400, "Bad Request: can't parse entities: Unsupported start tag \"тайна\" at byte offset 3")
		})
		_, err := r.Send(t.Context(), text("42", "**Ответ**"))
		if class(safe(t, err)) != "undeliverable" || strings.Contains(err.Error(), "тайна") {
			t.Errorf("%v", err)
		}
	})
}

func TestSendPrivatelyToWhoNeverWrote(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.api.answering(func(c call, _ int) http.HandlerFunc {
		if c.form.Get("chat_id") == "7" {
			return refuse(403, "Forbidden: bot can't initiate conversation with a user")
		}
		return nil
	})
	d := bot.Dispatch{Under: "15", Delivery: bot.Delivery{Chat: "telegram:-42//7", Message: bot.Message{Text: "Ваши вопросы", Private: true}}}
	ids := sendAll(t, r.Bot, d)
	got := forms(r.api.called("sendMessage"))
	want := map[string]string{
		"method": "sendMessage", "chat_id": "-42", "reply_parameters": `{"message_id":15,"allow_sending_without_reply":true}`,
		"text": "Это только для вас. Напишите мне в личные сообщения: https://t.me/nastavnik_test_bot — пришлю туда.",
	}
	if len(got) != 2 || len(ids) != 1 || !cmp.Equal(got[1], want) {
		t.Errorf("%v", cmp.Diff(want, got[len(got)-1]))
	}
}

// earlier is a delivery that was sent before as the messages with ids.
func earlier(m bot.Message, ids ...string) *bot.Delivery {
	return &bot.Delivery{ID: 1, Key: "before", Chat: "telegram:42", Message: m, State: bot.DeliverySent, External: ids}
}

func TestMark(t *testing.T) {
	t.Parallel()
	d := dispatch("42", bot.Message{Replaces: "before", Chosen: "Помогло"})
	d.Of, d.Taken = earlier(bot.Message{Text: "Ответ", Sections: yesNo}, "77"), map[int]string{0: "Помогло"}
	r := newRig(t)
	sendAll(t, r.Bot, d)
	want := []map[string]string{{
		"method": "editMessageReplyMarkup", "chat_id": "42", "message_id": "77",
		"reply_markup": `{"inline_keyboard":[[{"text":"✓ Помогло","callback_data":"1.0.0"}]]}`,
	}}
	if diff := cmp.Diff(want, forms(r.api.called("editMessageReplyMarkup", "sendMessage", "editMessageText"))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	// A message that is gone, or is marked already, is no trouble.
	for _, no := range []string{"Bad Request: message to edit not found", "Bad Request: message can't be edited", "Bad Request: message is not modified: specified new message content and reply markup are exactly the same"} {
		r := newRig(t)
		r.api.answering(refuseFirst("editMessageReplyMarkup", refuse(400, no)))
		if _, err := r.Send(t.Context(), d); err != nil {
			t.Errorf("%s: %v", no, err)
		}
	}
	d.Of = nil
	if _, err := r.Send(t.Context(), d); err != nil {
		t.Errorf("nothing to mark: %v", err)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	d := dispatch("42", bot.Message{Replaces: "before", Text: "Уже иначе"})
	d.Of = earlier(bot.Message{Text: "Было", Sections: yesNo}, "77", "78")
	edit := map[string]string{
		"method": "editMessageText", "chat_id": "42", "message_id": "77", "text": "Уже иначе", "parse_mode": "HTML", "reply_markup": `{"inline_keyboard":[]}`,
	}
	t.Run("fewer parts", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		ids := sendAll(t, r.Bot, d)
		want := []map[string]string{edit, {"method": "deleteMessage", "chat_id": "42", "message_id": "78"}}
		if diff := cmp.Diff(want, forms(r.api.called("editMessageText", "sendMessage", "deleteMessage"))); diff != "" || !slices.Equal(ids, []string{"77"}) {
			t.Errorf("ids %v, -want +got\n%s", ids, diff)
		}
	})
	t.Run("more parts", func(t *testing.T) {
		t.Parallel()
		r, d := newRig(t), d
		d.Message.Text = strings.Repeat(strings.Repeat("Слово ", 100)+"\n\n", 20)
		ids := sendAll(t, r.Bot, d)
		if len(r.api.called("editMessageText")) != 2 || len(r.api.called("sendMessage")) != len(ids)-2 || !slices.Equal(ids[:2], []string{"77", "78"}) {
			t.Errorf("ids %v", ids)
		}
	})
	t.Run("the same", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.api.answering(refuseFirst("editMessageText", refuse(400, "Bad Request: message is not modified")))
		if ids := sendAll(t, r.Bot, d); !slices.Equal(ids, []string{"77"}) {
			t.Errorf("ids %v", ids)
		}
	})
	t.Run("the message is gone", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.api.answering(refuseFirst("editMessageText", refuse(400, "Bad Request: message to edit not found")))
		ids := sendAll(t, r.Bot, d)
		if len(r.api.called("sendMessage")) != 1 || !slices.Equal(ids, []string{"101"}) {
			t.Errorf("what it would say is lost: ids %v", ids)
		}
	})
	t.Run("it was never sent", func(t *testing.T) {
		t.Parallel()
		r, d := newRig(t), d
		d.Of = nil
		if sendAll(t, r.Bot, d); len(r.api.called("sendMessage")) != 1 {
			t.Error("nothing was sent")
		}
	})
}

// shelf has contents of files by key.
type shelf map[string]io.Reader

func (s shelf) Open(_ context.Context, key string) (io.ReadCloser, int64, error) {
	r, ok := s[key]
	if !ok {
		return nil, 0, fmt.Errorf("content %s: %w", key, knowledge.ErrNotFound)
	}
	size := int64(3)
	if b, ok := r.(*bytes.Reader); ok {
		size = b.Size()
		_, _ = b.Seek(0, io.SeekStart)
	}
	return io.NopCloser(r), size, nil
}

// broken ends with an error in the middle.
func broken(err error) io.Reader {
	return io.MultiReader(strings.NewReader("ab"), readerFunc(func([]byte) (int, error) { return 0, err }))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestSendFile(t *testing.T) {
	t.Parallel()
	file := func(key, name, media string, size int64) bot.Dispatch {
		d := dispatch("-42//7", bot.Message{File: &bot.SentFile{Key: key, Name: name, Media: media, Size: size}})
		d.Under = "15"
		return d
	}
	big := bytes.Repeat([]byte("x"), 11<<20)
	for _, test := range []struct {
		name          string
		d             bot.Dispatch
		answer        func(call, int) http.HandlerFunc
		method, field string // that it arrived by; "" when it did not
		want          string // the class of the error
	}{
		{name: "picture", d: file("png", "снимок.png", "image/png", 3), method: "sendPhoto", field: "photo", want: "sent"},
		{name: "document", d: file("pdf", "счёт.pdf", "application/pdf", 3), method: "sendDocument", field: "document", want: "sent"},
		{name: "picture of more than 10 MB", d: file("big", "большой.png", "image/png", int64(len(big))), method: "sendDocument", field: "document", want: "sent"},
		{name: "no picture to Telegram", d: file("png", "снимок.png", "image/png", 3), method: "sendDocument", field: "document", want: "sent",
			answer: refuseFirst("sendPhoto", refuse(400, "Bad Request: PHOTO_INVALID_DIMENSIONS"))},
		{name: "more than 50 MB", d: file("pdf", "счёт.pdf", "application/pdf", 50<<20+1), want: "undeliverable"},
		{name: "empty", d: file("empty", "пусто.txt", "text/plain", 0), want: "undeliverable"},
		{name: "gone", d: file("gone", "нет.txt", "text/plain", 3), want: "undeliverable"},
		{name: "changed behind our back", d: file("changed", "иное.txt", "text/plain", 3), want: "undeliverable"},
		{name: "its store goes away", d: file("away", "далеко.txt", "text/plain", 3), want: "away"},
		{name: "too large for a server between", d: file("pdf", "счёт.pdf", "application/pdf", 3), want: "undeliverable",
			answer: refuseFirst("sendDocument", refuse(413, "Request Entity Too Large"))},
		{name: "slower", d: file("pdf", "счёт.pdf", "application/pdf", 3), want: "slow down 9s",
			answer: refuseFirst("sendDocument", refuse(429, "Too Many Requests: retry after 9", `{"retry_after":9}`))},
		{name: "blocked", d: file("pdf", "счёт.pdf", "application/pdf", 3), want: "unreachable",
			answer: refuseFirst("sendDocument", refuse(403, "Forbidden: bot was kicked from the group chat"))},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			contents := shelf{
				"png": bytes.NewReader([]byte("png")), "pdf": bytes.NewReader([]byte("pdf")), "big": bytes.NewReader(big), "empty": bytes.NewReader(nil),
				"changed": broken(fmt.Errorf("content: %w", knowledge.ErrFileChanged)), "away": broken(fmt.Errorf("bucket: %w", knowledge.ErrAway)),
			}
			r := newRig(t, func(o *telegram.Options) { o.Files = contents })
			r.api.answering(test.answer)
			id, err := r.Send(t.Context(), test.d)
			if got := class(safe(t, err)); got != test.want {
				t.Errorf("%q, want %q: %v", got, test.want, err)
			}
			if test.method == "" {
				return
			}
			calls := r.api.called(test.method)
			if len(calls) != 1 || id != "101" {
				t.Fatalf("%d calls, id %s", len(calls), id)
			}
			want := map[string]string{"method": test.method, "chat_id": "-42", "reply_parameters": `{"message_id":15,"allow_sending_without_reply":true}`}
			if diff := cmp.Diff(want, forms(calls)[0]); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			name := test.d.Message.File.Name
			content := contents[test.d.Message.File.Key].(*bytes.Reader)
			if got := calls[0]; int64(len(got.files[test.field])) != content.Size() || got.names[test.field] != name {
				t.Errorf("got %d bytes of %q", len(got.files[test.field]), got.names[test.field])
			}
		})
	}
}

func TestSendFileWithWords(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *telegram.Options) { o.Files = shelf{"pdf": bytes.NewReader([]byte("pdf"))} })
	words := "**Счёт** " + strings.Repeat("слово ", 400)
	ids := sendAll(t, r.Bot, dispatch("42", bot.Message{Text: words, File: &bot.SentFile{Key: "pdf", Name: "счёт.pdf", Media: "application/pdf", Size: 3}}))
	sent := r.api.called("sendDocument", "sendMessage")
	if len(ids) != 2 || len(sent) != 2 {
		t.Fatalf("ids %v", ids)
	}
	if caption := sent[0].form.Get("caption"); !strings.HasPrefix(caption, "<b>Счёт</b> слово") || len([]rune(caption)) > 1024+7 || sent[0].form.Get("parse_mode") != "HTML" {
		t.Errorf("caption %q", caption)
	}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.api.answering(func(c call, _ int) http.HandlerFunc {
		switch c.form.Get("file_id") {
		case "big":
			return refuse(400, "Bad Request: file is too big")
		case "wrong":
			return refuse(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
		case "away":
			return refuse(500, "Internal Server Error")
		}
		return nil
	})
	for _, test := range []struct {
		f    bot.File
		want error
	}{
		{bot.File{Ref: "doc 1"}, nil}, {bot.File{Ref: "doc", Size: 20<<20 + 1}, knowledge.ErrInvalid}, {bot.File{Ref: "big"}, knowledge.ErrInvalid},
		{bot.File{Ref: "wrong"}, knowledge.ErrNotFound}, {bot.File{Ref: "gone"}, knowledge.ErrNotFound}, {bot.File{Ref: "away"}, knowledge.ErrAway},
	} {
		body, err := r.Fetch(t.Context(), test.f)
		if !errors.Is(safe(t, err), test.want) {
			t.Errorf("%s: %v", test.f.Ref, err)
		}
		if err != nil {
			continue
		}
		got, err := io.ReadAll(body)
		if err := errors.Join(err, body.Close()); err != nil || string(got) != "content of documents/doc 1" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	body, err := r.Fetch(t.Context(), bot.File{Ref: "broken"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(body); !errors.Is(safe(t, err), knowledge.ErrAway) {
		t.Errorf("half a file: %v", err)
	}
	_ = body.Close()
	r.api.server.Close()
	if _, err := r.Fetch(t.Context(), bot.File{Ref: "doc"}); !errors.Is(safe(t, err), knowledge.ErrAway) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestSendToNoChatOfTelegrams(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, address := range []string{"", "иван", "0", "12x"} {
		if _, err := r.Send(t.Context(), text(address, "привет")); class(err) != "undeliverable" {
			t.Errorf("%q: %v", address, err)
		}
	}
}
