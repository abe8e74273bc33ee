package main

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
)

// telegramGroup is the group of everybody.
const telegramGroup = -1001234567890

// telegramVenue is a Telegram. What its peer cannot do, which is all about files, the
// proxy does.
type telegramVenue struct {
	t       testing.TB
	webhook bool
	peer    *devenv.TelegramPeer
	proxy   *flaky.Proxy
	updates *flaky.TelegramUpdates

	mu    sync.Mutex
	given map[string]attached // files of people, by the id that the bot gets
	sent  map[int]flaky.File  // files of the bot's, by message
}

func newTelegramVenue(t testing.TB, webhook bool) *telegramVenue {
	t.Helper()
	v := &telegramVenue{t: t, webhook: webhook, peer: devenv.Telegram(t), given: map[string]attached{}, sent: map[int]flaky.File{}}
	v.proxy = flaky.New(t, v.peer.URL)
	v.updates = v.proxy.TelegramUpdates(v.peer.Token)
	for _, method := range []string{"sendDocument", "sendPhoto"} {
		v.proxy.Handle(method, http.HandlerFunc(v.takeFile))
	}
	for _, method := range []string{"setMyCommands", "setChatMenuButton"} {
		v.proxy.Handle(method, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"ok":true,"result":true}`) }))
	}
	v.proxy.Handle("getFile", http.HandlerFunc(v.findFile))
	v.proxy.Handle("/file/bot"+v.peer.Token+"/documents/*", http.HandlerFunc(v.giveFile))
	return v
}

func (v *telegramVenue) platform() string        { return "telegram" }
func (v *telegramVenue) external(h human) string { return strconv.FormatInt(h.number, 10) }
func (v *telegramVenue) room() string            { return strconv.Itoa(telegramGroup) }
func (v *telegramVenue) served(string)           {}
func (v *telegramVenue) lost() int               { return 0 } // it keeps all

func (v *telegramVenue) settings(string) map[string]any {
	s := map[string]any{"token": v.peer.Token, "api": v.proxy.URL, "open": true}
	if v.webhook {
		s["mode"] = "webhook"
	}
	return s
}

func (v *telegramVenue) user(h human) devenv.TelegramUser {
	first, last, _ := strings.Cut(h.name, " ")
	return devenv.TelegramUser{ID: h.number, FirstName: first, LastName: last}
}

// chat is a room, or for "" the private chat that is everywhere the zero one.
func (v *telegramVenue) chat(room string) devenv.TelegramChat {
	if room == "" {
		return devenv.TelegramChat{}
	}
	return devenv.TelegramChat{ID: telegramGroup, Type: "supergroup", Title: "Поддержка"}
}

func (v *telegramVenue) saying(h human, room, text string, beneath *note) devenv.TelegramSaying {
	s := devenv.TelegramSaying{From: v.user(h), Chat: v.chat(room), Text: text}
	if beneath != nil {
		s.ReplyTo, _ = strconv.Atoi(beneath.id)
	}
	return s
}

func (v *telegramVenue) say(h human, room, text string, beneath *note) string {
	v.t.Helper()
	s := v.saying(h, room, text, beneath)
	if room != "" && beneath == nil {
		mention := "@" + devenv.TelegramBotUsername
		s.Text = mention + " " + text
		s.More = map[string]any{"entities": []any{map[string]any{"type": "mention", "offset": 0, "length": len(mention)}}}
	}
	return strconv.Itoa(v.peer.Say(s))
}

func (v *telegramVenue) send(h human, text string, f attached, beneath *note) string {
	v.t.Helper()
	v.mu.Lock()
	id := fmt.Sprintf("file%d", len(v.given))
	v.given[id] = f
	v.mu.Unlock()
	s := v.saying(h, "", "", beneath)
	s.More = map[string]any{"document": map[string]any{"file_id": id, "file_name": f.name, "mime_type": f.media, "file_size": len(f.content)}}
	if text != "" {
		s.More["caption"] = text
	}
	return strconv.Itoa(v.peer.Say(s))
}

func (v *telegramVenue) edit(h human, id, text string) {
	v.t.Helper()
	number, err := strconv.Atoi(id)
	if err != nil {
		v.t.Fatal(err)
	}
	now := time.Now().Unix()
	v.updates.Give(map[string]any{"edited_message": map[string]any{
		"message_id": number, "from": v.user(h), "chat": devenv.TelegramChat{ID: h.number, Type: "private"}, "date": now, "edit_date": now, "text": text,
	}})
}

func (v *telegramVenue) press(h human, n note, label string) {
	v.t.Helper()
	m := n.raw.(devenv.TelegramMessage)
	chat := devenv.TelegramChat{}
	if m.ChatID == telegramGroup {
		chat = v.chat(v.room())
	}
	for _, b := range m.Buttons {
		if b.Text == label {
			v.peer.Press(m, v.user(h), chat, b.Data)
			return
		}
	}
	v.t.Fatalf("no button «%s» in %+v", label, m)
}

func (v *telegramVenue) notes(h human, room string) (out []note) {
	v.t.Helper()
	chat := h.number
	if room != "" {
		chat = telegramGroup
	}
	for _, m := range v.peer.Messages(chat) {
		n := note{in: strconv.FormatInt(m.ChatID, 10), id: strconv.Itoa(m.ID), text: telegramText(m), raw: m}
		if m.ReplyTo != 0 {
			n.under = strconv.Itoa(m.ReplyTo)
		}
		for _, b := range m.Buttons {
			n.labels = append(n.labels, b.Text)
		}
		v.mu.Lock()
		n.file = v.sent[m.ID].Name
		v.mu.Unlock()
		out = append(out, n)
	}
	return out
}

func (v *telegramVenue) content(n note) []byte {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sent[n.raw.(devenv.TelegramMessage).ID].Content
}

var telegramTag = regexp.MustCompile(`</?[a-z][^>]*>`)

// telegramText is what can be read in a message.
func telegramText(m devenv.TelegramMessage) string {
	if m.ParseMode != "HTML" {
		return m.Text
	}
	return html.UnescapeString(telegramTag.ReplaceAllString(m.Text, ""))
}

// takeFile takes a file of the bot's: for the peer it is a message with the caption.
func (v *telegramVenue) takeFile(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(1 << 25); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	text := r.Form.Get("caption")
	if text == "" {
		text = "(file)"
	}
	r.Form.Set("text", text)
	response, err := http.PostForm(v.peer.URL+path.Dir(r.URL.Path)+"/sendMessage", r.Form)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	var answer struct {
		OK     bool            `json:"ok"`
		Result json.RawMessage `json:"result"`
	}
	var sent struct {
		ID int `json:"message_id"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || json.Unmarshal(answer.Result, &sent) != nil {
		http.Error(w, "the peer does not take it", http.StatusBadGateway)
		return
	}
	for _, files := range r.MultipartForm.File {
		f, err := files[0].Open()
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		content, _ := io.ReadAll(f)
		_ = f.Close()
		v.mu.Lock()
		v.sent[sent.ID] = flaky.File{Name: files[0].Filename, Content: content}
		v.mu.Unlock()
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// findFile answers getFile.
func (v *telegramVenue) findFile(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "result": map[string]any{"file_id": r.Form.Get("file_id"), "file_path": "documents/" + r.Form.Get("file_id")}})
}

// giveFile gives what somebody has sent.
func (v *telegramVenue) giveFile(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	f, ok := v.given[path.Base(r.URL.Path)]
	v.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(f.content)
}
