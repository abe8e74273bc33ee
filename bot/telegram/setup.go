package telegram

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// offered is a command with the id of its description.
type offered struct{ name, says string }

// commands are those that Telegram offers, in the order in which it shows them.
func commands() []offered {
	return []offered{
		{"my", "command_my"}, {"faq", "command_faq"}, {"cancel", "command_cancel"}, {"help", "command_help"}, {"start", "command_start"},
	}
}

// isCommand tells whether a command is one of the bot's.
func isCommand(name string) bool {
	return slices.ContainsFunc(commands(), func(o offered) bool { return o.name == name })
}

// groups is the scope of the commands in groups; the default one is that of all other
// chats, https://core.telegram.org/bots/api#botcommandscope.
const groups = "all_group_chats"

// offer sets the commands with their descriptions: for everybody in the bot's language,
// and in each of ours for those whose Telegram speaks it.
func (b *Bot) offer(ctx context.Context) error {
	for _, scope := range []string{"default", groups} {
		for _, code := range append([]string{""}, texts.Languages()...) {
			if err := b.offerIn(ctx, scope, code); err != nil {
				return err
			}
		}
	}
	return b.client.set(ctx, "setChatMenuButton", tgbotapi.Params{"menu_button": `{"type":"commands"}`})
}

// offerIn sets the commands of one scope and language, "" for all others.
func (b *Bot) offerIn(ctx context.Context, scope, code string) error {
	language := code
	if code == "" {
		language = b.o.Language
	}
	say, err := texts.New(language)
	if err != nil {
		return err
	}
	var all []tgbotapi.BotCommand
	for _, o := range commands() {
		if o.name == "start" && scope == groups {
			continue // it is for getting acquainted
		}
		all = append(all, tgbotapi.BotCommand{Command: o.name, Description: say.Say(o.says, nil)})
	}
	list, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("list the commands: %w", err)
	}
	p := tgbotapi.Params{"commands": string(list), "scope": `{"type":"` + scope + `"}`}
	p.AddNonEmpty("language_code", code)
	return b.client.set(ctx, "setMyCommands", p)
}

// payload is what a link may carry, https://core.telegram.org/bots/features#deep-linking.
var payload = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Invitation returns the link that opens the bot and, with [Start], sends it /start with
// a code. The error wraps knowledge.ErrInvalid when the code cannot be in a link.
func (b *Bot) Invitation(ctx context.Context, code string) (string, error) {
	if !payload.MatchString(code) {
		return "", fmt.Errorf("a code in a link to Telegram has 1 to 64 of A-Z, a-z, 0-9, _ and -: %w", knowledge.ErrInvalid)
	}
	me, err := b.self(ctx)
	if err != nil {
		return "", err
	}
	return "https://t.me/" + me.UserName + "?start=" + code, nil
}
