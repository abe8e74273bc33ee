package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/telegram"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func TestPollTakesUpdatesInTheirOrder(t *testing.T) {
	t.Parallel()
	woken := make(chan struct{}, 1000)
	r := newRig(t)
	r.Bot = newBot(t, r, func(o *telegram.Options) {
		o.Inbox = bot.Reception{Store: r.store, Wake: func() { woken <- struct{}{} }}
	})
	for i := range 250 { // more than one poll brings
		r.api.give(message(10+i, 1+i, fmt.Sprint("вопрос ", i)))
	}
	run(t, r.Bot)
	<-woken
	await(t, "all updates are confirmed", func() bool { return r.api.left() == 0 })
	rows := inbox(t, r.store)
	if len(rows) != 250 {
		t.Fatalf("%d rows in the inbox", len(rows))
	}
	for i, row := range rows {
		if want := fmt.Sprint(`"вопрос `, i, `"`); !strings.Contains(string(row.Payload), want) {
			t.Fatalf("row %d is %s", i, row.Payload)
		}
	}
	if first := r.api.called("getUpdates")[0].form; first.Get("allowed_updates") != `["message","edited_message","callback_query","my_chat_member"]` || first.Get("offset") != "" {
		t.Errorf("the first poll: %v", first)
	}
	if len(r.api.called("deleteWebhook")) != 1 {
		t.Error("the webhook of before is in the way")
	}
}

// RELIABILITY: a replay of updates, and ids that begin anew.
func TestPollReplayAndIdsAnew(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.api.give(message(900, 1, "раз"), message(901, 2, "два"))
	stop := run(t, r.Bot)
	await(t, "confirmed", func() bool { return r.api.left() == 0 })
	stop()
	r.api.give(message(900, 1, "раз"), message(901, 2, "два")) // sent again
	stop = run(t, newBot(t, r))
	await(t, "confirmed again", func() bool { return r.api.left() == 0 })
	if n := waiting(t, r.store); n != 2 {
		t.Errorf("two messages that came twice are %d", n)
	}
	polls := len(r.api.called("getUpdates"))
	await(t, "a poll without updates", func() bool { return len(r.api.called("getUpdates")) > polls+2 })
	r.api.give(message(17, 3, "три"), message(900, 4, "с номером, который уже был")) // a week later
	await(t, "the updates with low ids are confirmed", func() bool { return r.api.left() == 0 })
	stop()
	if n := waiting(t, r.store); n != 4 {
		t.Errorf("%d messages of 4", n)
	}
}

// failing is a store that does not commit while it is told so.
type failing struct {
	bot.Store
	fail atomic.Bool
	n    atomic.Int32
}

func (f *failing) Write(ctx context.Context, fn func(bot.Tx) error) error {
	if f.fail.Load() {
		f.n.Add(1)
		return fmt.Errorf("disk full: %w", knowledge.ErrAway)
	}
	return f.Store.Write(ctx, fn)
}

func TestPollConfirmsNothingBeforeTheCommit(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := &failing{Store: r.store}
	s.fail.Store(true)
	b := newBot(t, r, func(o *telegram.Options) { o.Inbox = bot.Reception{Store: s} })
	r.api.give(message(5, 1, "раз"))
	run(t, b)
	await(t, "three attempts to commit", func() bool { return s.n.Load() >= 3 })
	if r.api.left() != 1 {
		t.Fatal("an update is confirmed that is not in the inbox")
	}
	if _, err := b.Check(t.Context()); safe(t, err) == nil || !errors.Is(err, knowledge.ErrAway) {
		t.Errorf("Check does not tell that no updates come: %v", err)
	}
	s.fail.Store(false)
	await(t, "confirmed", func() bool { return r.api.left() == 0 })
	if n := waiting(t, r.store); n != 1 {
		t.Errorf("%d rows", n)
	}
	if said := strings.Count(r.log.String(), "no updates come"); said != 1 {
		t.Errorf("it is logged %d times", said)
	}
}

func TestPollGoesOnAfterWhatItCannotRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.api.give(`{"update_id":1,"message":{"message_id":"not a number"}}`, `{"update_id":2,"purchased_paid_media":{}}`,
		`{"update_id":3,"my_chat_member":{"new_chat_member":{"status":"kicked"}}}`, message(4, 1, "дальше"))
	run(t, r.Bot)
	await(t, "confirmed", func() bool { return r.api.left() == 0 })
	if n := strings.Count(r.log.String(), "an update could not be read"); n != 1 {
		t.Errorf("the log says %d times that an update could not be read", n)
	}
	if n := waiting(t, r.store); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// An update that breaks the bot would come again after every start, before all others.
func TestPollGoesOnAfterWhatBreaksIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := newBot(t, r, func(o *telegram.Options) { o.Now = func() time.Time { panic("слова людей") } })
	r.api.give(`{"update_id":1,"message":{"message_id":1,"from":{"id":7,"first_name":"Иван"},"chat":{"id":7,"type":"private"},"text":"без даты"}}`, message(2, 2, "дальше"))
	run(t, b)
	await(t, "confirmed", func() bool { return r.api.left() == 0 })
	if n := waiting(t, r.store); n != 1 {
		t.Errorf("%d rows", n)
	}
	if log := r.log.String(); !strings.Contains(log, "parse.go") || strings.Contains(log, "слова людей") {
		t.Errorf("the log:\n%s", log)
	}
}

// A server that does not wait must not be asked without a pause.
func TestPollDoesNotSpin(t *testing.T) {
	t.Parallel()
	const pause = 20 * time.Millisecond
	r := newRig(t, func(o *telegram.Options) { o.Pauses.Empty = pause })
	begun := time.Now()
	run(t, r.Bot)
	const polls = 10
	await(t, "ten polls", func() bool { return len(r.api.called("getUpdates")) >= polls })
	if took, least := time.Since(begun), (polls-1)*pause; took < least {
		t.Errorf("%d polls in %s, at least %s", polls, took, least)
	}
}

func TestPollWaitsWhileAnotherPolls(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var other atomic.Bool
	other.Store(true)
	r.api.answering(func(c call, _ int) http.HandlerFunc {
		if c.method == "getUpdates" && other.Load() {
			return refuse(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
		}
		return nil
	})
	r.api.give(message(1, 1, "раз"))
	run(t, r.Bot)
	await(t, "three refused polls", func() bool { return len(r.api.called("getUpdates")) >= 3 })
	if _, err := r.Check(t.Context()); !errors.Is(safe(t, err), telegram.ErrTaken) || !errors.Is(err, knowledge.ErrAway) {
		t.Errorf("Check: %v", err)
	}
	other.Store(false) // it has ended: this one takes over
	await(t, "confirmed", func() bool { return r.api.left() == 0 })
	if n := waiting(t, r.store); n != 1 {
		t.Errorf("%d rows", n)
	}
	await(t, "all is well", func() bool { _, err := r.Check(t.Context()); return err == nil })
	if log := r.log.String(); strings.Count(log, "no updates come") != 1 || strings.Count(log, "updates come again") != 1 {
		t.Errorf("the log:\n%s", log)
	}
}

// Two bots on one token and one store, as when a leader is replaced while it hangs: what
// both take is one event.
func TestPollTakeover(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 50 {
		r.api.give(message(1+i, 1+i, fmt.Sprint(i)))
	}
	old := run(t, r.Bot)
	run(t, newBot(t, r))
	await(t, "confirmed", func() bool { return r.api.left() == 0 })
	old()
	r.api.give(message(51, 51, "потом"))
	await(t, "confirmed by the new one", func() bool { return r.api.left() == 0 })
	if n := waiting(t, r.store); n != 51 {
		t.Errorf("%d rows of 51", n)
	}
}

func TestPollObeysSlowDown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.api.answering(refuseFirst("getUpdates", refuse(429, "Too Many Requests: retry after 1", `{"retry_after":1}`)))
	begun := time.Now()
	r.api.give(message(1, 1, "раз"))
	run(t, r.Bot)
	await(t, "confirmed", func() bool { return r.api.left() == 0 })
	if took := time.Since(begun); took < time.Second {
		t.Errorf("asked again after %s", took)
	}
}

func TestRevokedToken(t *testing.T) {
	t.Parallel()
	for _, code := range []int{401, 404} {
		r := newRig(t)
		var revoked atomic.Bool
		revoked.Store(true)
		r.api.answering(func(call, int) http.HandlerFunc {
			if revoked.Load() {
				return refuse(code, http.StatusText(code))
			}
			return nil
		})
		r.api.give(message(1, 1, "раз"))
		run(t, r.Bot)
		await(t, "it is logged", func() bool { return strings.Contains(r.log.String(), "BotFather") })
		_, err := r.Check(t.Context())
		if !errors.Is(safe(t, err), telegram.ErrToken) || !errors.Is(err, knowledge.ErrAway) {
			t.Errorf("Check: %v", err)
		}
		if _, err := r.Send(t.Context(), text("42", "привет")); !errors.Is(safe(t, err), telegram.ErrToken) {
			t.Errorf("Send: %v", err)
		}
		revoked.Store(false)
		await(t, "confirmed", func() bool { return r.api.left() == 0 })
	}
}

// What a press waits for ends at once, and only after the commit.
func TestPressIsAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const update = `{"update_id":%d,"callback_query":{"id":"%s","from":{"id":42,"first_name":"Иван"},"data":%q,"message":{"message_id":7,"date":1700000000,"chat":{"id":42,"type":"private"}}}}`
	r.api.give(fmt.Sprintf(update, 1, "press1", "a.0.1"), fmt.Sprintf(update, 2, "press2", "-"), fmt.Sprintf(update, 3, "press3", "чужое"))
	run(t, r.Bot)
	await(t, "three answers", func() bool { return len(r.api.called("answerCallbackQuery")) == 3 })
	got := map[string]bool{}
	for _, c := range r.api.called("answerCallbackQuery") {
		got[c.form.Get("callback_query_id")] = true
	}
	if len(got) != 3 {
		t.Errorf("answered: %v", got)
	}
	rows := inbox(t, r.store)
	if len(rows) != 2 || rows[0].Kind != "pressed" || !strings.Contains(string(rows[0].Payload), `"a.0.1"`) || !strings.Contains(string(rows[1].Payload), `"чужое"`) {
		t.Errorf("the inbox has %+v", rows)
	}
}

// Of an album in a group only one picture has the words that speak to the bot.
func TestAlbumInAGroup(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	picture := func(update, id int, album, caption string) string {
		return fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"date":1700000000,"chat":{"id":-1001,"type":"supergroup"},"from":{"id":42,"first_name":"Иван"},
			"media_group_id":%q,"photo":[{"file_id":"F%d","width":1}]%s}}`, update, id, album, id, caption)
	}
	r.api.give(
		picture(1, 1, "ours", `,"caption":"@nastavnik_test_bot что это?","caption_entities":[{"type":"mention","offset":0,"length":19}]`),
		picture(2, 2, "theirs", `,"caption":"обед"`), picture(3, 3, "ours", ""), picture(4, 4, "theirs", ""),
	)
	run(t, r.Bot)
	await(t, "confirmed", func() bool { return r.api.left() == 0 })
	rows := inbox(t, r.store)
	if len(rows) != 2 || !strings.Contains(string(rows[0].Payload), `"F1"`) || !strings.Contains(string(rows[1].Payload), `"F3"`) {
		t.Errorf("the inbox has %+v", rows)
	}
}

// Edits are told to the second: two within one are two all the same.
func TestEditsWithinASecond(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	edit := func(update int, text string) string {
		return strings.Replace(message(update, 1, text), `"message":{`, `"edited_message":{"edit_date":1700000009,`, 1)
	}
	r.api.give(message(1, 1, "раз"), edit(2, "два"), edit(3, "три"), edit(3, "три"))
	run(t, r.Bot)
	await(t, "confirmed", func() bool { return r.api.left() == 0 })
	if n := waiting(t, r.store); n != 3 {
		t.Errorf("%d rows", n)
	}
}
