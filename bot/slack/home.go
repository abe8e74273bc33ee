package slack

import (
	"context"
	"fmt"

	api "github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack/blocks"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
)

// homePrefix begins the id of a button of the start page; the entry follows.
const homePrefix = "open:"

// publishHome shows somebody their start page as it is now.
func (a *App) publishHome(ctx context.Context, user string) error {
	who := identity(user)
	p, err := a.Profile(ctx, user)
	if err != nil {
		return err
	}
	who.Name, who.Email, who.Team, who.Zone, who.Outsider = first(p.Name, user), p.Email, p.Team, p.Zone, p.Outsider
	h, err := a.o.Core.Home(ctx, who)
	if err != nil {
		return fmt.Errorf("slack: read a start page: %w", err)
	}
	_, err = a.api.PublishViewContext(ctx, api.PublishViewContextRequest{UserID: user, View: homePage(a.o.Say, h)})
	return a.judge("views.publish", err, repeatable)
}

// homePage lays out a start page.
func homePage(say *texts.Catalogue, h bot.Home) api.HomeTabViewRequest {
	if h.Stranger {
		return blocks.Home(say.Say("slack_home_stranger", nil), nil)
	}
	more := func(left int) string { return say.Say("slack_home_more", texts.Data{"Count": left}) }
	open := func(question string) bot.Button {
		return bot.Button{ID: homePrefix + question, Label: say.Say("slack_home_open", nil)}
	}
	mine := blocks.Shelf{Title: say.Say("slack_home_mine", nil), Empty: say.Say("my_none", nil), More: more}
	for _, m := range h.Mine {
		e := blocks.Entry{Text: m.Text, Note: m.Status(say)}
		if m.Question.Status.Answered() {
			e.Button = open(m.Question.ID)
		}
		mine.Entries = append(mine.Entries, e)
	}
	shelves := []blocks.Shelf{mine}
	for _, s := range h.FAQ {
		shelf := blocks.Shelf{Title: s.Topic, More: more}
		if s.Topic == "" {
			shelf.Title = say.Say("slack_home_faq", nil)
		}
		for _, b := range s.Items {
			shelf.Entries = append(shelf.Entries, blocks.Entry{Text: b.Text, Button: open(b.ID)})
		}
		shelves = append(shelves, shelf)
	}
	return blocks.Home(say.Say("slack_home_greeting", nil), shelves)
}
