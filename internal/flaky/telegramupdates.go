package flaky

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// pullEvery is how often the peer is asked for what is new while somebody waits.
const pullEvery = 20 * time.Millisecond

// errTaken is why a poll ends that another has taken over.
var errTaken = errors.New("another poll has begun")

// TelegramUpdates gives the bot its updates the way Telegram does where the peer has
// another (core.telegram.org/bots/api#getting-updates): they stay until a later offset
// confirms them; getUpdates waits for as long as it says; of two that poll, the first is
// told 409, and so is whoever polls beside a webhook; a webhook has its secret with it
// and is tried again until it takes an update. The peer itself goes on as if it were
// polled, so that nothing is lost while the bot is away.
type TelegramUpdates struct {
	proxy *Proxy
	token string

	mu      sync.Mutex
	pulling sync.Mutex // keeps the peer's order
	next    int
	pending []telegramUpdate
	given   []telegramUpdate // all so far
	allowed []string         // kinds; nil: those that Telegram gives if nobody asks
	polling context.CancelCauseFunc
	webhook telegramWebhook
}

type telegramUpdate struct {
	id     int
	fields map[string]any
	replay bool // given once more, whatever was confirmed
}

// A telegramWebhook is where updates go; the zero value is none.
type telegramWebhook struct {
	url, secret string
	stop        context.CancelFunc
}

// TelegramUpdates has the proxy answer, for the bot of the token, getUpdates, setWebhook,
// deleteWebhook and getWebhookInfo. Other tokens are told 401.
func (p *Proxy) TelegramUpdates(token string) *TelegramUpdates {
	u := &TelegramUpdates{proxy: p, token: token, next: 1000}
	for method, answer := range map[string]func(context.Context, Arguments) Answer{
		"getUpdates": u.getUpdates, "setWebhook": u.setWebhook, "deleteWebhook": u.deleteWebhook, "getWebhookInfo": u.getWebhookInfo,
	} {
		p.Handle(method, u.handler(answer))
	}
	return u
}

func (u *TelegramUpdates) handler(answer func(context.Context, Arguments) Answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var a Answer
		switch arguments, err := requestOf(r).Arguments(); {
		case r.URL.Path != "/bot"+u.token+"/"+requestOf(r).Method():
			a = telegramRefusal(http.StatusUnauthorized, "Unauthorized")
		case err != nil:
			a = telegramRefusal(http.StatusBadRequest, "Bad Request: "+err.Error())
		default:
			a = answer(r.Context(), arguments)
		}
		maps.Copy(w.Header(), a.Header)
		w.WriteHeader(a.Status)
		_, _ = w.Write(a.Body)
	})
}

// requestOf reads a request that a handler has got.
func requestOf(r *http.Request) Request {
	var body bytes.Buffer
	if r.Body != nil {
		_, _ = body.ReadFrom(r.Body)
		r.Body = http.NoBody
	}
	return Request{Verb: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header, Body: body.Bytes()}
}

func telegramResult(result any) Answer {
	return jsonAnswer(http.StatusOK, map[string]any{"ok": true, "result": result})
}

func telegramRefusal(code int, description string) Answer {
	return jsonAnswer(code, map[string]any{"ok": false, "error_code": code, "description": description})
}

// Give adds an update of a kind that the peer does not have, such as edited_message or
// my_chat_member, without update_id, and returns its id; 0 if the bot did not ask for
// that kind.
func (u *TelegramUpdates) Give(fields map[string]any) (id int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.add(fields)
}

// Number sets the id of the next update: after a week without any it is arbitrary.
func (u *TelegramUpdates) Number(next int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.next = next
}

// Again gives all updates once more that were given so far, under their ids.
func (u *TelegramUpdates) Again() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, update := range u.given {
		update.replay = true
		u.pending = append(u.pending, update)
	}
}

// Pending returns how many updates the bot has not confirmed or taken.
func (u *TelegramUpdates) Pending() int {
	u.pull(u.proxy.over)
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.pending)
}

// add numbers an update. The caller holds the lock.
func (u *TelegramUpdates) add(fields map[string]any) int {
	wanted := func(kind string) bool { return slices.Contains(u.allowed, kind) }
	if u.allowed == nil {
		wanted = func(kind string) bool {
			return !slices.Contains([]string{"chat_member", "message_reaction", "message_reaction_count"}, kind)
		}
	}
	fields = maps.Clone(fields)
	delete(fields, "update_id")
	for kind := range fields {
		if !wanted(kind) {
			return 0
		}
	}
	id := u.next
	u.next++
	fields["update_id"] = id
	update := telegramUpdate{id: id, fields: fields}
	u.pending, u.given = append(u.pending, update), append(u.given, update)
	return id
}

// pull takes from the peer what is new. A peer that is away has nothing.
func (u *TelegramUpdates) pull(ctx context.Context) {
	u.pulling.Lock()
	defer u.pulling.Unlock()
	// What the peer has given it does not give again: that a bot is killed meanwhile must
	// not lose it.
	ctx = context.WithoutCancel(ctx)
	answer, err := u.proxy.ask(ctx, Request{Verb: http.MethodPost, uri: "/bot" + u.token + "/getUpdates"})
	if err != nil {
		return
	}
	var got struct{ Result []map[string]any }
	if err := json.Unmarshal(answer.Body, &got); err != nil {
		u.proxy.tb.Errorf("read the peer's updates: %v: %s", err, answer.Body)
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, fields := range got.Result {
		u.add(fields)
	}
}

func (u *TelegramUpdates) getUpdates(ctx context.Context, a Arguments) Answer {
	offset, _ := strconv.Atoi(a.Values["offset"])
	timeout, _ := strconv.Atoi(a.Values["timeout"]) // seconds
	limit, err := strconv.Atoi(a.Values["limit"])
	if err != nil || limit < 1 || limit > 100 {
		limit = 100
	}
	ctx, done := context.WithCancelCause(ctx)
	defer done(nil)
	u.mu.Lock()
	if u.webhook.url != "" {
		u.mu.Unlock()
		return telegramRefusal(http.StatusConflict, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
	}
	if u.polling != nil {
		u.polling(errTaken)
	}
	u.polling = done
	u.allow(a)
	u.confirm(offset)
	u.mu.Unlock()
	waited := time.After(time.Duration(timeout) * time.Second)
	for {
		u.pull(ctx)
		if batch := u.batch(limit); len(batch) > 0 {
			return telegramResult(batch)
		}
		select {
		case <-time.After(pullEvery):
		case <-waited:
			return telegramResult([]any{})
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errTaken) {
				return telegramRefusal(http.StatusConflict, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
			}
			return telegramResult([]any{}) // nobody reads it
		}
	}
}

// allow takes over which kinds the bot asks for; they stay until it says otherwise. The
// caller holds the lock.
func (u *TelegramUpdates) allow(a Arguments) {
	var kinds []string
	if json.Unmarshal([]byte(a.Values["allowed_updates"]), &kinds) != nil {
		return
	}
	u.allowed = nil
	if len(kinds) > 0 {
		u.allowed = kinds
	}
}

// confirm forgets what is before the offset; a negative one leaves as many from the end.
// The caller holds the lock.
func (u *TelegramUpdates) confirm(offset int) {
	if offset < 0 {
		u.pending = u.pending[max(0, len(u.pending)+offset):]
		return
	}
	u.pending = slices.DeleteFunc(u.pending, func(p telegramUpdate) bool { return p.id < offset && !p.replay })
}

// batch returns what getUpdates answers with. Replays are over by that.
func (u *TelegramUpdates) batch(limit int) []map[string]any {
	u.mu.Lock()
	defer u.mu.Unlock()
	var batch []map[string]any
	kept := u.pending[:0:0]
	for i, p := range u.pending {
		if i < limit {
			batch = append(batch, p.fields)
		}
		if i >= limit || !p.replay {
			kept = append(kept, p)
		}
	}
	u.pending = kept
	return batch
}

//nolint:contextcheck // deliveries outlive the request that asks for them
func (u *TelegramUpdates) setWebhook(ctx context.Context, a Arguments) Answer {
	if a.Values["url"] == "" {
		return u.deleteWebhook(ctx, a)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.drop(a)
	u.allow(a)
	over, stop := context.WithCancel(u.proxy.over)
	u.webhook = telegramWebhook{a.Values["url"], a.Values["secret_token"], stop}
	hook := u.webhook
	u.proxy.group.Go(func() { u.deliver(over, hook) })
	return telegramResult(true)
}

func (u *TelegramUpdates) deleteWebhook(_ context.Context, a Arguments) Answer {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.drop(a)
	return telegramResult(true)
}

// drop ends the webhook, and forgets updates if it is told to. The caller holds the lock.
func (u *TelegramUpdates) drop(a Arguments) {
	if u.webhook.stop != nil {
		u.webhook.stop()
	}
	u.webhook = telegramWebhook{}
	if a.Values["drop_pending_updates"] == "true" {
		u.pending = nil
	}
}

func (u *TelegramUpdates) getWebhookInfo(context.Context, Arguments) Answer {
	u.mu.Lock()
	defer u.mu.Unlock()
	return telegramResult(map[string]any{"url": u.webhook.url, "has_custom_certificate": false, "pending_update_count": len(u.pending)})
}

// deliver sends updates to a webhook, one after the other, each until it is taken.
func (u *TelegramUpdates) deliver(ctx context.Context, hook telegramWebhook) {
	for ctx.Err() == nil {
		u.pull(ctx)
		u.mu.Lock()
		pending := slices.Clone(u.pending)
		u.mu.Unlock()
		if len(pending) > 0 && u.send(ctx, hook, pending[0]) == nil {
			u.mu.Lock()
			if i := slices.IndexFunc(u.pending, func(p telegramUpdate) bool { return p.id == pending[0].id && p.replay == pending[0].replay }); i >= 0 {
				u.pending = slices.Delete(u.pending, i, i+1)
			}
			u.mu.Unlock()
			continue
		}
		select {
		case <-time.After(pullEvery):
		case <-ctx.Done():
		}
	}
}

// send sends an update to a webhook once.
func (u *TelegramUpdates) send(ctx context.Context, hook telegramWebhook, update telegramUpdate) error {
	text, err := json.Marshal(update.fields)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if hook.secret != "" {
		request.Header.Set("X-Telegram-Bot-Api-Secret-Token", hook.secret)
	}
	response, err := u.proxy.client.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("the webhook answers %d", response.StatusCode)
	}
	return nil
}
