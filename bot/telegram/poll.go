package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

// poll fetches updates until ctx ends. Each lot is in the inbox before the next call,
// whose offset tells Telegram to forget it.
func (b *Bot) poll(ctx context.Context) error {
	if !b.until(ctx, b.dropWebhook) {
		return nil
	}
	next, failures := int64(0), 0
	for ctx.Err() == nil {
		begun := time.Now()
		got, after, err := b.pollOnce(ctx, next)
		b.note(ctx, err)
		switch {
		case err != nil:
			sleep(ctx, b.backoff(err, failures))
			failures++
			continue
		case got > 0:
			next = after
		default:
			// All that was taken is forgotten by now. Ids may begin anew below it: an
			// offset would make Telegram forget those unseen.
			next = 0
			sleep(ctx, b.o.Pauses.Empty-time.Since(begun)) // a server that does not wait is not to be called without a pause
		}
		failures = 0
	}
	return nil
}

// pollOnce fetches updates from an offset on and takes them; after is the offset behind
// them.
func (b *Bot) pollOnce(ctx context.Context, offset int64) (got int, after int64, err error) {
	wait := b.o.Pauses.Poll
	p := tgbotapi.Params{"allowed_updates": allowed, "timeout": strconv.Itoa(int(wait.Seconds()))}
	p.AddNonZero64("offset", offset)
	raw, err := b.client.call(ctx, "getUpdates", p, manner{repeat: true, wait: wait})
	if errors.Is(err, ErrTaken) {
		// Another poller, or a webhook that was set meanwhile: the one is waited for, the
		// other in the way.
		return 0, 0, errors.Join(err, b.dropWebhook(ctx))
	}
	if err != nil {
		return 0, 0, err
	}
	var lot []json.RawMessage
	if json.Unmarshal(raw, &lot) != nil {
		return 0, 0, b.client.unreadable("getUpdates")
	}
	updates, unreadable := make([]update, 0, len(lot)), 0
	for _, raw := range lot {
		u, ok := readUpdate(raw)
		if u.ID != 0 {
			after = u.ID + 1
		}
		if ok {
			updates = append(updates, u)
		} else {
			unreadable++
		}
	}
	return len(lot), after, b.take(ctx, updates, unreadable)
}

// dropWebhook makes Telegram hand out updates to who polls. What waits stays.
func (b *Bot) dropWebhook(ctx context.Context) error { return b.client.set(ctx, "deleteWebhook", nil) }
