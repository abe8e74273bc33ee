package slack

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	api "github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/markup"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Profile implements bot.Directory. Outsiders are those of other workspaces and
// guests, whose e-mail the company does not vouch for.
func (a *App) Profile(ctx context.Context, user string) (bot.Profile, error) {
	me, err := a.self(ctx)
	if err != nil {
		return bot.Profile{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	u, err := a.api.GetUserInfoContext(ctx, user)
	if r, ok := slackError(err); ok && (r.Err == "user_not_found" || r.Err == "user_not_visible" || r.Err == "users_not_found") {
		return bot.Profile{}, fmt.Errorf("slack: users.info: %w", knowledge.ErrNotFound)
	}
	if err = a.judge("users.info", err, repeatable); err != nil {
		return bot.Profile{}, err
	}
	p := profile(u, me.team)
	a.names.put(user, p.Name)
	return p, nil
}

// ByEmail implements bot.Registry: members of the workspace who have not left it.
func (a *App) ByEmail(ctx context.Context, email string) (string, error) {
	me, err := a.self(ctx)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	u, err := a.api.GetUserByEmailContext(ctx, email)
	if r, ok := slackError(err); ok && r.Err == "users_not_found" {
		return "", fmt.Errorf("slack: users.lookupByEmail: %w", knowledge.ErrNotFound)
	}
	if err = a.judge("users.lookupByEmail", err, repeatable); err != nil {
		return "", err
	}
	if p := profile(u, me.team); p.Gone || p.Outsider {
		return "", fmt.Errorf("slack: not of this workspace any more: %w", knowledge.ErrNotFound)
	}
	return u.ID, nil
}

// profile translates what Slack says of somebody.
func profile(u *api.User, team string) bot.Profile {
	return bot.Profile{
		Name:     markup.Name(cmp.Or(u.Profile.RealName, u.RealName, u.Profile.DisplayName, u.Name)),
		Email:    u.Profile.Email,
		Team:     markup.Name(u.Profile.Title),
		Zone:     u.TZ,
		Outsider: u.IsStranger || u.IsRestricted || u.IsUltraRestricted || u.IsBot || u.TeamID != "" && u.TeamID != team && !slices.Contains(u.Enterprise.Teams, team),
		Gone:     u.Deleted,
	}
}

// names remembers what people are called, for who is mentioned in a text.
type names struct {
	mu    sync.Mutex
	known map[string]string
}

func (n *names) get(user string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.known[user]
}

func (n *names) put(user, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known[user] = name
}
