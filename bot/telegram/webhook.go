package telegram

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

// secretHeader is where Telegram shows the secret,
// https://core.telegram.org/bots/api#setwebhook.
const secretHeader = "X-Telegram-Bot-Api-Secret-Token" //nolint:gosec // a name, no secret

// maxUpdate bounds an update, in bytes: the longest text takes less than a tenth of it.
const maxUpdate = 1 << 20

// secretOf makes the secret of a token, for who has set none.
func secretOf(token string) string {
	h := hmac.New(sha256.New, []byte(token))
	h.Write([]byte("nastavnik telegram webhook"))
	return hex.EncodeToString(h.Sum(nil))
}

// Webhook takes updates that Telegram sends. Any replica may serve it: what comes twice
// is one event. An answer other than 200 makes Telegram send the update again.
func (b *Bot) Webhook() http.Handler {
	want := sha256.Sum256([]byte(b.o.Secret))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := sha256.Sum256([]byte(r.Header.Get(secretHeader)))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		w.WriteHeader(b.receive(r.Context(), w, r.Body))
	})
}

// receive takes one update and returns the status to answer with.
func (b *Bot) receive(ctx context.Context, w http.ResponseWriter, body io.ReadCloser) int {
	raw, err := io.ReadAll(http.MaxBytesReader(w, body, maxUpdate))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return http.StatusRequestEntityTooLarge
	case err != nil || !json.Valid(raw):
		return http.StatusBadRequest
	}
	u, ok := readUpdate(raw)
	if ok {
		err = b.take(ctx, []update{u}, 0)
	} else {
		err = b.take(ctx, nil, 1)
	}
	if err != nil {
		b.o.Log.ErrorContext(ctx, "an update could not be taken", "platform", Platform, "err", err)
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

// keepWebhook tells Telegram the webhook, and again when Telegram knows another one:
// a bot that polls, of an older version or by mistake, has removed it.
func (b *Bot) keepWebhook(ctx context.Context) error {
	if !b.until(ctx, b.setWebhook) {
		return nil
	}
	for sleep(ctx, b.o.Pauses.Check) {
		err := b.checkWebhook(ctx)
		if err != nil && ctx.Err() == nil {
			b.note(ctx, err)
			continue
		}
		b.note(ctx, nil)
	}
	return nil
}

func (b *Bot) setWebhook(ctx context.Context) error {
	return b.client.set(ctx, "setWebhook", tgbotapi.Params{"url": b.o.Webhook, "secret_token": b.o.Secret, "allowed_updates": allowed})
}

// checkWebhook looks whether Telegram still knows the webhook.
func (b *Bot) checkWebhook(ctx context.Context) error {
	var known struct {
		URL string `json:"url"`
	}
	if err := b.client.ask(ctx, "getWebhookInfo", nil, &known); err != nil {
		return err
	}
	if known.URL == b.o.Webhook {
		return nil
	}
	b.o.Log.WarnContext(ctx, "Telegram knows another webhook or none: it is set again", "platform", Platform)
	return b.setWebhook(ctx)
}
