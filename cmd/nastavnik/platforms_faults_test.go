package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
)

// The adapters' own tests have replays of updates, ids that begin anew and events that
// come again by sockets. What is here needs the whole program.

// post sends Slack's signed request to a bot, and returns the status.
func (v *slackVenue) post(listen, body string, sign func(http.Header)) int {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, "http://"+listen+slackPath, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	sign(r.Header)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// event is a message of somebody's in their direct messages, as Slack tells it; apps that
// write for people give no client_msg_id.
func (v *slackVenue) event(h human, id, ts, client, text string) string {
	v.t.Helper()
	message := map[string]any{"type": "message", "channel_type": "im", "channel": v.dm(h), "user": v.external(h), "ts": ts, "text": text}
	if client != "" {
		message["client_msg_id"] = client
	}
	body, err := json.Marshal(map[string]any{"type": "event_callback", "team_id": v.peer.TeamID, "api_app_id": v.peer.AppID, "event_id": id, "event": message})
	if err != nil {
		v.t.Fatal(err)
	}
	return string(body)
}

// RELIABILITY 11 and 12: one event that comes four times, and one message that comes
// under two times, is answered once. 36: what Slack has not signed, or signed long ago,
// is not taken.
func TestSlackSaysItAgain(t *testing.T) {
	t.Parallel()
	v := newSlackVenue(t, true, anna())
	s := newStage(t, newCLI(t), v).open()
	signed := func(body string, at time.Time) func(http.Header) {
		return func(h http.Header) { devenv.SignSlack(h, v.peer.SigningSecret, []byte(body), at) }
	}
	ts := func(n int) string { return fmt.Sprintf("%d.%06d", time.Now().Unix(), n) }
	one := v.event(anna(), "Ev1", ts(100), "", "Как оформить отпуск?")
	for try := range 4 {
		status := v.post(s.listen, one, func(h http.Header) {
			signed(one, time.Now())(h)
			if try > 0 {
				h.Set("X-Slack-Retry-Num", fmt.Sprint(try))
				h.Set("X-Slack-Retry-Reason", "http_timeout")
			}
		})
		if status != http.StatusOK {
			t.Errorf("try %d: status %d", try, status)
		}
	}
	for i, stamp := range []string{ts(200), ts(300)} {
		two := v.event(anna(), fmt.Sprint("Ev2", i), stamp, "c-2", "Как добавить наблюдателя в сделку?")
		if status := v.post(s.listen, two, signed(two, time.Now())); status != http.StatusOK {
			t.Errorf("stamp %d: status %d", i, status)
		}
	}
	forged := v.event(anna(), "Ev3", ts(400), "c-3", "Как изменить ответственного по сделке?")
	for what, sign := range map[string]func(http.Header){
		"not signed":     func(http.Header) {},
		"another secret": func(h http.Header) { devenv.SignSlack(h, "guess", []byte(forged), time.Now()) },
		"long ago":       signed(forged, time.Now().Add(-6*time.Minute)),
	} {
		if status := v.post(s.listen, forged, sign); status != http.StatusUnauthorized {
			t.Errorf("%s: status %d", what, status)
		}
	}
	asker := s.employee(v, anna())
	asker.reads(0, "Раздел «Кадры»")
	asker.reads(0, "Карточка → «Наблюдатели»")
	s.quiet()
	if n := s.c.count(`SELECT COUNT(*) FROM inbox WHERE kind = 'said'`); n != 2 {
		t.Errorf("%d messages have come in, want 2", n)
	}
	for _, answer := range []string{"Раздел «Кадры»", "Карточка → «Наблюдатели»"} {
		if n := asker.told(answer); n != 1 {
			t.Errorf("«%s» is answered %d times", answer, n)
		}
	}
}

// told counts the notes with a text.
func (a actor) told(text string) (n int) {
	a.s.t.Helper()
	for _, note := range a.at.notes(a.human, "") {
		if note.has(text) {
			n++
		}
	}
	return n
}

// RELIABILITY 36: the webhook is Telegram's alone.
func TestTelegramSecret(t *testing.T) {
	t.Parallel()
	v := newTelegramVenue(t, true)
	s := newStage(t, newCLI(t), v).open()
	asker := s.employee(v, anna())
	asker.says("Как оформить отпуск?")
	asker.reads(0, "Раздел «Кадры»")
	update := fmt.Sprintf(`{"update_id":5,"message":{"message_id":900,"from":{"id":%d,"first_name":"Анна"},"chat":{"id":%d,"type":"private"},"date":%d,"text":"Как добавить наблюдателя в сделку?"}}`,
		anna().number, anna().number, time.Now().Unix())
	for _, secret := range []string{"", "guess", v.peer.Token} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.listen+telegramPath, bytes.NewReader([]byte(update)))
		if err != nil {
			t.Fatal(err)
		}
		if secret != "" {
			r.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("a wrong secret: status %d", response.StatusCode)
		}
	}
	s.quiet()
	if n := s.c.count(`SELECT COUNT(*) FROM inbox WHERE kind = 'said'`); n != 1 {
		t.Errorf("%d messages have come in, want 1", n)
	}
}

// RELIABILITY 15: the platform took a message and did not say so. Slack is asked, and
// the message is there once; Telegram cannot be asked, so it comes twice, which is
// counted.
func TestTakenWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		at     func(t testing.TB) venue
		copies int
		doubts float64
	}{
		"slack":    {func(t testing.TB) venue { return newSlackVenue(t, true, anna()) }, 1, 0},
		"telegram": {func(t testing.TB) venue { return newTelegramVenue(t, false) }, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := test.at(t)
			lost := proxyOf(v).Fail(flaky.Rule{Path: sending(v), Times: 1, Fault: flaky.ResetAfter, If: func(r flaky.Request) bool {
				a, err := r.Arguments()
				return err == nil && strings.Contains(a.Values["text"], "Кадры")
			}})
			s := newStage(t, newCLI(t), v).open()
			asker := s.employee(v, anna())
			asker.says("Как оформить отпуск?")
			asker.reads(0, "Раздел «Кадры»")
			s.quiet()
			if n := asker.told("Раздел «Кадры»"); lost.Hits() != 1 || n != test.copies {
				t.Errorf("after %d lost answers the message is there %d times, want %d", lost.Hits(), n, test.copies)
			}
			metric := fmt.Sprintf(`nastavnik_send_doubts_total{platform=%q}`, v.platform())
			if got := s.metric(metric); v.platform() == "telegram" && got != test.doubts {
				t.Errorf("%s is %v, want %v", metric, got, test.doubts)
			}
		})
	}
}

// RELIABILITY 16: a storm of refusals. Everybody is answered once, and no room is
// written to before the platform allows it.
func TestStormOfRefusals(t *testing.T) {
	t.Parallel()
	const people, refusals = 12, 30
	var all []human
	for i := range people {
		all = append(all, newcomer(i))
	}
	for name, at := range map[string]func(t testing.TB) venue{
		"slack":    func(t testing.TB) venue { return newSlackVenue(t, false, all...) },
		"telegram": func(t testing.TB) venue { return newTelegramVenue(t, false) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := at(t)
			fault, room := flaky.TelegramRateLimited(time.Second), "chat_id"
			if v.platform() == "slack" {
				fault, room = flaky.SlackRateLimited(time.Second), "channel"
			}
			storm := proxyOf(v).Fail(flaky.Rule{Path: sending(v), Times: refusals, Fault: fault})
			s := newStage(t, newCLI(t), v).open()
			for _, h := range all {
				s.employee(v, h).says("Как оформить отпуск?")
			}
			for _, h := range all {
				s.employee(v, h).reads(0, "Раздел «Кадры»")
			}
			s.quiet()
			for _, h := range all {
				if n := s.employee(v, h).told("Раздел «Кадры»"); n != 1 {
					t.Errorf("%s is answered %d times", h.name, n)
				}
			}
			obeyed(t, proxyOf(v).Requests(sending(v)), room)
			if n := s.metric(fmt.Sprintf(`nastavnik_send_attempts_total{platform=%q,result="slow_down"}`, v.platform())); storm.Hits() != refusals || int(n) != refusals {
				t.Errorf("%d refusals, %v are counted, want %d", storm.Hits(), n, refusals)
			}
			if n := s.metric(fmt.Sprintf(`nastavnik_received_total{kind="said",platform=%q}`, v.platform())); int(n) < len(all) {
				t.Errorf("%v messages are counted, want %d", n, len(all))
			}
		})
	}
}

// obeyed wants no request for a room within a second after one was refused.
func obeyed(t *testing.T, requests []flaky.Request, room string) {
	t.Helper()
	until := map[string]time.Time{}
	for _, r := range requests {
		a, err := r.Arguments()
		if err != nil {
			t.Fatal(err)
		}
		in := a.Values[room]
		if early := until[in].Sub(r.At); early > 0 {
			t.Errorf("%s is written to %v too early", in, early)
		}
		if r.Status == http.StatusTooManyRequests {
			until[in] = r.At.Add(time.Second)
		}
	}
}
