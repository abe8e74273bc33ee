// Package telegram is the adapter for Telegram: it turns updates into events and
// deliveries into calls of the Bot API, https://core.telegram.org/bots/api.
//
// Updates come by long polling (Bot.Run without a webhook) or to Bot.Webhook. Either
// way an update is in the inbox before Telegram is told that it has been taken, under a
// key that is made of the message itself: Telegram sends again what it is not sure of,
// and its update ids may begin anew.
//
// The token is part of every address of the API. Nothing that leaves the package, no
// error and no line of the log, holds an address.
package telegram
