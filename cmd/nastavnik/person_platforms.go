package main

import (
	"context"
	"errors"
	"time"
)

// chatsElsewhere reports whether people write on chat platforms, and not in terminals.
func (a *app) chatsElsewhere() bool { return a.cfg.Slack.Token != "" || a.cfg.Telegram.Token != "" }

// invitationWithin bounds how long a platform is asked for the link of an invitation:
// without one there is still the code.
const invitationWithin = 10 * time.Second

// invitationLink is what somebody opens to accept an invitation; "" where there is no
// platform whose links begin a talk. The error says why the platform has not told.
func (a *app) invitationLink(ctx context.Context, code string) (string, error) {
	all, err := a.connections(func() {})
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, invitationWithin)
	defer cancel()
	var failed error
	for _, c := range all {
		if c.invite == nil {
			continue
		}
		link, err := c.invite(ctx, code)
		if err == nil {
			return link, nil
		}
		failed = errors.Join(failed, err)
	}
	return "", failed
}
