package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	api "github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot/slack/blocks"
)

// Limits of a response_url,
// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses.
const (
	hookFor  = 30 * time.Minute
	hookUses = 5
)

// hooks remembers the addresses by which messages can be changed whose buttons were
// pressed a moment ago. They count against no limit, where chat.update takes about 50
// a minute of the whole workspace, and they change what only one person sees, which
// nothing else does. What they do can be done without.
type hooks struct {
	mu   sync.Mutex
	open map[[2]string]hook // by channel and message
}

type hook struct {
	address string
	until   time.Time
	left    int
}

func (h *hooks) put(channel, message, address string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, old := range h.open {
		if old.until.Before(now) {
			delete(h.open, key)
		}
	}
	h.open[[2]string{channel, message}] = hook{address: address, until: now.Add(hookFor - time.Minute), left: hookUses}
}

// take returns an address to use once, "" when there is none.
func (h *hooks) take(channel, message string, now time.Time) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := [2]string{channel, message}
	x := h.open[key]
	if x.left == 0 || x.until.Before(now) {
		delete(h.open, key)
		return ""
	}
	x.left--
	h.open[key] = x
	return x.address
}

// showByHook changes a message by its address, and reports whether it did.
func (a *App) showByHook(ctx context.Context, channel, message string, part blocks.Part) bool {
	address := a.hooks.take(channel, message, a.o.Now())
	if address == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	err := a.respond(ctx, address, map[string]any{"replace_original": true, "text": part.Text, "blocks": part.Blocks})
	if err != nil {
		a.o.Log.DebugContext(ctx, "a choice is not shown by its response_url", "platform", Platform, "err", err)
	}
	return err == nil
}

// respond writes to a response_url, which is only ever Slack's own.
func (a *App) respond(ctx context.Context, address string, message any) error {
	if !a.isHook(address) {
		return fmt.Errorf("slack: a response_url that is not Slack's: %w", errMalformed)
	}
	body, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("slack: response: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("slack: response: %w", errMalformed)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := a.client.Do(r)
	if err != nil {
		return a.judge("response_url", err, repeatable)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return a.judge("response_url", &statusError{code: response.StatusCode}, repeatable)
	}
	// It says "ok", or {"ok":true}; a refusal may come with the status of success.
	said := struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}{}
	if json.NewDecoder(response.Body).Decode(&said) == nil && said.OK != nil && !*said.OK {
		return a.judge("response_url", api.SlackErrorResponse{Err: said.Error}, repeatable)
	}
	return a.judge("response_url", nil, repeatable)
}

// isHook reports whether an address is one of Slack's for responses.
func (a *App) isHook(address string) bool {
	u, err := url.Parse(address)
	base, errBase := url.Parse(a.o.API)
	if err != nil || errBase != nil || u.User != nil || u.Scheme != base.Scheme {
		return false
	}
	return strings.EqualFold(u.Host, base.Host) || strings.EqualFold(u.Host, "hooks."+base.Host)
}
