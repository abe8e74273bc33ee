package slack_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// What is pressed is marked, and others in a channel are told privately that the
// buttons are not theirs.
func TestButtonsInAChannel(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	ts := o.peer.Say(devenv.SlackSaying{Channel: "C0SUPPORT", User: "U0ANNA", Text: "<@" + o.peer.BotUserID + "> " + known})
	answer := o.awaitButton("C0SUPPORT", "Помогло")
	if answer.Thread != ts {
		t.Errorf("the answer stands in thread %q, want %q", answer.Thread, ts)
	}
	o.press(answer, "U0BORIS", "Помогло")
	o.await("a private word", func() bool {
		for _, m := range o.peer.Messages("C0SUPPORT") {
			if m.EphemeralTo == "U0BORIS" {
				return true
			}
		}
		return false
	})
	o.press(answer, "U0ANNA", "Помогло")
	o.await("the press to be shown", func() bool {
		for _, m := range o.said("C0SUPPORT") {
			if m.TS == answer.TS {
				return strings.Contains(string(m.Blocks), "✓ Помогло")
			}
		}
		return false
	})
	o.quiet()
	if got := len(o.proxy.Requests("chat.update")); got != 0 {
		t.Errorf("chat.update was called %d times: it takes few a minute", got)
	}
	for _, m := range o.said("C0SUPPORT") {
		if m.EphemeralTo == "" && m.Thread != ts {
			t.Errorf("outside of the thread it says %q", m.Text)
		}
	}
}

// A mark goes by chat.update when the press was taken by a process that is no more.
func TestMarkWithoutResponseURL(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: known})
	dm := o.peer.DM("U0ANNA")
	answer := o.awaitButton(dm, "Помогло")
	o.proxy.Fail(refusing("/_hooks/*"))
	o.proxy.Fail(refusing("/_hooks/response/*"))
	o.press(answer, "U0ANNA", "Помогло")
	o.await("the press to be shown", func() bool { return len(o.proxy.Requests("chat.update")) > 0 })
	o.quiet()
	if m := o.said(dm); !strings.Contains(string(m[len(m)-1].Blocks)+string(m[1].Blocks), "✓ Помогло") {
		t.Errorf("it is not shown in %s", m[1].Blocks)
	}
}

// Details are written in a form, which opens with the press.
func TestDetailsByForm(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	anna, boris := o.peer.DM("U0ANNA"), o.peer.DM("U0BORIS")
	ts := o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: "как оформить командировку в Казань?"})
	o.press(o.awaitButton(anna, "Нет моего вопроса"), "U0ANNA", "Нет моего вопроса")
	sent := o.awaitButton(anna, "Дописать")
	o.press(sent, "U0ANNA", "Дописать")
	if v := o.peer.AwaitView(); !strings.Contains(string(v.Raw), "Казань") {
		t.Errorf("the form is %s", v.Raw)
	}
	if errs := o.peer.Submit("U0ANNA", map[string]map[string]any{"text": {"text": map[string]any{"type": "plain_text_input", "value": "  "}}}); errs["text"] == "" {
		t.Errorf("an empty form is taken: %q", errs)
	}
	if errs := o.peer.Submit("U0ANNA", map[string]map[string]any{"text": {"text": map[string]any{"type": "plain_text_input", "value": "уже *послезавтра*"}}}); errs != nil {
		t.Errorf("the form is refused: %q", errs)
	}
	o.awaitText(boris, "уже ", 0)
	o.quiet()
	for _, m := range o.said(anna) {
		if m.Thread != ts {
			t.Errorf("outside of the thread: %q", m.Text)
		}
		if strings.Contains(m.Text, russian(t).Say("details_please", nil)) {
			t.Error("the chat is asked too")
		}
	}
}

// An answer is changed in a form that has it already, and who got it is told.
func TestEditByForm(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	anna, boris := o.peer.DM("U0ANNA"), o.peer.DM("U0BORIS")
	o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: "как оформить командировку в Казань?"})
	o.press(o.awaitButton(anna, "Нет моего вопроса"), "U0ANNA", "Нет моего вопроса")
	task := o.awaitButton(boris, "Ответить")
	o.peer.Say(devenv.SlackSaying{Channel: "U0BORIS", User: "U0BORIS", Text: "Через *портал*", Thread: task.TS})
	o.press(o.awaitButton(boris, "Готово"), "U0BORIS", "Готово")
	o.press(o.awaitButton(boris, "Изменить"), "U0BORIS", "Изменить")
	if v := o.peer.AwaitView(); !strings.Contains(string(v.Raw), "Через **портал**") {
		t.Errorf("the form has not the answer: %s", v.Raw)
	}
	o.peer.Submit("U0BORIS", map[string]map[string]any{"text": {"text": map[string]any{"type": "plain_text_input", "value": "Через **кадры**"}}})
	o.awaitText(anna, "кадры", 0)
}

// A slash command is answered where only its person reads.
func TestSlashCommand(t *testing.T) {
	t.Parallel()
	for name, http := range map[string]bool{"socket": false, "http": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, http)
			o.peer.Command("C0SUPPORT", "U0ANNA", "/nastavnik", known)
			o.awaitText(o.peer.DM("U0ANNA"), "owner", 0)
			got := o.peer.Messages("C0SUPPORT")
			if len(got) != 1 || got[0].EphemeralTo != "U0ANNA" {
				t.Errorf("the channel sees %+v", got)
			}
		})
	}
}

// The start page has my questions and the frequent ones; its buttons open answers.
func TestStartPage(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: "как оформить командировку в Казань?"})
	dm := o.peer.DM("U0ANNA")
	o.awaitButton(dm, "Нет моего вопроса")
	o.quiet()
	o.peer.OpenHome("U0ANNA")
	o.await("the page", func() bool { _, ok := o.peer.HomeView("U0ANNA"); return ok })
	page, _ := o.peer.HomeView("U0ANNA")
	for _, want := range []string{"Казань", "Как выставить счёт клиенту?", "open:owner"} {
		if !strings.Contains(string(page.Raw), want) {
			t.Errorf("«%s» is not in %s", want, page.Raw)
		}
	}
}

// Files go both ways; what cannot be kept is said, and is no reason to lose the words.
func TestFilesBothWays(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	anna, boris := o.peer.DM("U0ANNA"), o.peer.DM("U0BORIS")
	o.peer.Upload(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: "как оформить командировку в Казань?"}, devenv.SlackUpload{Name: "снимок.png", Content: png()})
	o.press(o.awaitButton(anna, "Нет моего вопроса"), "U0ANNA", "Нет моего вопроса")
	task := o.awaitButton(boris, "Ответить")
	o.await("the file to reach the senior", func() bool { return fileIn(o.said(boris), "снимок.png") })
	o.peer.Upload(devenv.SlackSaying{Channel: "U0BORIS", User: "U0BORIS", Text: "По образцу", Thread: task.TS}, devenv.SlackUpload{Name: "образец.png", Content: png()})
	o.press(o.awaitButton(boris, "Готово"), "U0BORIS", "Готово")
	o.await("the file to reach the asker", func() bool { return fileIn(o.said(anna), "образец.png") })
}

func fileIn(messages []devenv.SlackMessage, name string) bool {
	for _, m := range messages {
		for _, f := range m.Files {
			if f.Title == name || f.Name == name {
				return true
			}
		}
	}
	return false
}

// png is a picture of one point.
func png() []byte {
	return []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xfa\xcf\x00\x00\x02\x07\x01\x02\x9a\x1c1q\x00\x00\x00\x00IEND\xaeB`\x82")
}

// Files that are too large, empty or of another kind than their name says.
func TestFilesThatAreNotKept(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false, func(o *slack.Options) { o.MaxFile = knowledge.MaxFileBytes })
	dm := o.peer.DM("U0ANNA")
	for i, f := range []struct {
		devenv.SlackUpload

		says string
	}{
		{devenv.SlackUpload{Name: "пустой.txt"}, "он пустой"},
		{devenv.SlackUpload{Name: "огромный.bin", Content: bytes.Repeat([]byte{1}, knowledge.MaxFileBytes+1)}, "он больше"},
		{devenv.SlackUpload{Name: "не-картинка.png", Content: []byte("MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00")}, "такие файлы я не принимаю"},
	} {
		o.peer.Upload(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: known}, f.SlackUpload)
		o.quiet()
		if answers, said := o.countOf(dm, "owner"), o.countOf(dm, f.says); answers != i+1 || said != 1 {
			t.Errorf("%s: answered %d times, want %d; «%s» is said %d times", f.Name, answers, i+1, f.says, said)
		}
	}
}

// A message that is deleted while it is answered takes nothing with it.
func TestDeletedWhileAnswered(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	anna, boris := o.peer.DM("U0ANNA"), o.peer.DM("U0BORIS")
	ts := o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: "как оформить командировку в Казань?"})
	o.press(o.awaitButton(anna, "Нет моего вопроса"), "U0ANNA", "Нет моего вопроса")
	task := o.awaitButton(boris, "Ответить")
	o.quiet()
	o.peer.Delete(anna, ts, "U0ANNA")
	o.quiet()
	before := len(o.said(anna))
	o.proxy.Fail(flaky.Rule{Path: "chat.postMessage", If: func(r flaky.Request) bool { return strings.Contains(string(r.Body), ts) }, Fault: flaky.SlackError("thread_not_found")})
	o.peer.Say(devenv.SlackSaying{Channel: "U0BORIS", User: "U0BORIS", Text: "Через портал", Thread: task.TS})
	o.press(o.awaitButton(boris, "Готово"), "U0BORIS", "Готово")
	answer := o.awaitText(anna, "портал", before)
	if answer.Thread != "" {
		t.Errorf("the answer stands in thread %q, which is no more", answer.Thread)
	}
}

// Presses of buttons that nobody has, or on messages that are long gone, are answered
// and do no harm.
func TestButtonsOfNowhere(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	dm := o.peer.DM("U0ANNA")
	ts := o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: known})
	answer := o.awaitButton(dm, "Помогло")
	for _, id := range []string{"zzzz", bot.ButtonID(999999, 0, 0), bot.ButtonID(1, 77, -1), strings.Repeat("я", 255), "open:", "1.0.0 OR 1=1"} {
		o.peer.Act(dm, answer.TS, "U0ANNA", devenv.SlackAction{Type: "button", ActionID: id})
	}
	o.peer.Act(dm, ts, "U0ANNA", devenv.SlackAction{Type: "overflow", ActionID: "x"})
	o.quiet()
	o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: known})
	o.await("another answer", func() bool { return o.countOf(dm, "owner") == 2 })
}

// A long answer comes in parts, in its order, in the thread.
func TestLongAnswer(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	var text strings.Builder
	for i := range 400 {
		text.WriteString(strings.Repeat("очень длинный абзац ", 5) + strings.Repeat("я", i%7) + "\n\n")
	}
	d := o.deliver(bot.Message{Text: text.String()})
	want := o.app.Parts(bot.Dispatch{Delivery: d})
	if want < 3 {
		t.Fatalf("it has %d parts", want)
	}
	o.quiet()
	if got := o.said(o.peer.DM("U0ANNA")); len(got) != want {
		t.Errorf("%d messages, want %d", len(got), want)
	}
}

// Who is who: names, e-mail and time zone come from Slack.
func TestProfiles(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	p, err := o.app.Profile(t.Context(), "U0ANNA")
	if err != nil || p.Name != "Анна Ким" || p.Email != "anna@example.com" || p.Zone != "Europe/Moscow" || p.Outsider || p.Gone {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := o.app.Profile(t.Context(), "U0NOBODY"); !isNotFound(err) {
		t.Errorf("nobody: %v", err)
	}
	if who, err := o.app.ByEmail(t.Context(), "boris@example.com"); err != nil || who != "U0BORIS" {
		t.Errorf("by e-mail: %q, %v", who, err)
	}
	if _, err := o.app.ByEmail(t.Context(), "nobody@example.com"); !isNotFound(err) {
		t.Errorf("nobody by e-mail: %v", err)
	}
}

func isNotFound(err error) bool { return errors.Is(err, knowledge.ErrNotFound) }

func refusing(path string) flaky.Rule {
	return flaky.Rule{Path: path, Fault: flaky.Status(500, "")}
}
