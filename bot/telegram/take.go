package telegram

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// answerWithin bounds how long the answer to a press may take, also while the bot
// stops.
const answerWithin = 5 * time.Second

// take puts what updates say into the inbox, in one transaction, and returns after the
// commit: only then may Telegram be told that they have been taken. Updates that say
// nothing, or cannot be read, are done with by that.
func (b *Bot) take(ctx context.Context, updates []update, unreadable int) error {
	p, err := b.parser(ctx)
	if err != nil {
		return err
	}
	var events []bot.Event
	for _, u := range updates {
		if e, says := b.event(ctx, p, u); says {
			events = append(events, e)
		}
	}
	if len(events) > 0 {
		if err := b.o.Inbox.Post(ctx, events...); err != nil {
			return fmt.Errorf("put %d events into the inbox: %w", len(events), err)
		}
	}
	for _, u := range updates {
		if u.Pressed != nil {
			b.answer(ctx, u.Pressed.ID)
		}
	}
	for range unreadable {
		b.o.Log.WarnContext(ctx, "an update could not be read", "platform", Platform)
	}
	return nil
}

// event is what an update says. One that breaks the reading of it says nothing: it would
// end the process, and be the first to come again.
func (b *Bot) event(ctx context.Context, p parser, u update) (e bot.Event, says bool) {
	defer func() {
		if recover() != nil {
			e, says = bot.Event{}, false
			b.o.Log.ErrorContext(ctx, "this is a mistake in the program, please report it", "platform", Platform, "update", u.ID, "stack", string(debug.Stack()))
		}
	}()
	return p.event(u)
}

// answer tells Telegram that a press has been taken, which ends the waiting sign on the
// button. It waits for nothing; where it fails the sign goes away by itself.
func (b *Bot) answer(ctx context.Context, press string) {
	select {
	case b.answers <- struct{}{}:
	case <-ctx.Done():
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	b.pending.Go(func() {
		defer cancel()
		defer func() { <-b.answers }()
		if err := b.client.set(ctx, "answerCallbackQuery", tgbotapi.Params{"callback_query_id": press}); err != nil {
			b.o.Log.DebugContext(ctx, "a press was not answered", "platform", Platform, "err", err)
		}
	})
}
