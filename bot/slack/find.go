package slack

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
)

const (
	// skew is how far Slack's clock may be behind ours.
	skew = 10 * time.Minute
	// pageSize and pages bound how many of the latest messages are looked through.
	pageSize = 200
	pages    = 5
)

// deliveryEvent and deliveryField are where the metadata of a message say which one it
// is, blockPrefix begins the id of the block that says it too.
const (
	deliveryEvent = "nastavnik_delivery"
	deliveryField = "delivery"
	blockPrefix   = "nastavnik-"
)

// metadata marks a message: it can be found by its mark whatever it says, also when it
// has been sent as plain text.
func metadata(d bot.Dispatch) api.SlackMetadata {
	return api.SlackMetadata{EventType: deliveryEvent, EventPayload: map[string]any{deliveryField: d.Name()}}
}

// marked marks a message by the id of its first block, for who does not see metadata.
func marked(b []api.Block, d bot.Dispatch) []api.Block {
	if len(b) == 0 {
		return b
	}
	id := blockPrefix + d.Name()
	b = slices.Clone(b)
	switch first := b[0].(type) {
	case *api.RichTextBlock:
		c := *first
		c.BlockID = id
		b[0] = &c
	case *api.ActionBlock:
		c := *first
		c.BlockID = id
		b[0] = &c
	case *api.DividerBlock:
		c := *first
		c.BlockID = id
		b[0] = &c
	}
	return b
}

func isMarked(m api.Message, d bot.Dispatch) bool {
	if name, ok := m.Metadata.EventPayload[deliveryField].(string); ok && m.Metadata.EventType == deliveryEvent && name == d.Name() {
		return true
	}
	return len(m.Blocks.BlockSet) > 0 && m.Blocks.BlockSet[0].ID() == blockPrefix+d.Name()
}

// find returns the id of a message that an earlier attempt may have sent, "" when it
// has not arrived. Where the bot may not read, nobody can know, and it is sent again.
func (a *App) find(ctx context.Context, p place, d bot.Dispatch) (string, error) {
	is := func(m api.Message) bool { return isMarked(m, d) }
	var files fileSearch
	if d.Message.File != nil {
		me, err := a.self(ctx)
		if err != nil {
			return "", err
		}
		files = fileSearch{me: me, of: d}
		is = files.look
	}
	found, err := a.search(ctx, p, stamp(d.Created.Add(-skew)), is)
	if classify(err) == threadless || classify(err) == messageless {
		p.thread = ""
		found, err = a.search(ctx, p, stamp(d.Created.Add(-skew)), is)
	}
	if r, ok := slackError(err); ok && r.Err == "missing_scope" {
		a.o.Log.WarnContext(ctx, "whether a message has arrived cannot be looked up", "platform", Platform, "delivery", d.ID, "needed", r.Needed)
		return "", nil
	}
	// As when it is sent: what waits for Slack does not run out of attempts.
	err = a.judge("looking for a message", err, repeatable)
	switch {
	case err != nil:
		return "", err
	case d.Message.File != nil:
		return files.found(), nil
	case found == nil:
		return "", nil
	}
	return found.Timestamp, nil
}

// fileSearch looks for a file. It carries no mark of ours, so it may be one like it that
// was sent before: that one stands above a message of ours that is older than the
// delivery, for a chat gets its messages in their order.
type fileSearch struct {
	me    self
	of    bot.Dispatch
	after string // the latest ts of what was sent before
	ts    string // of the latest file
	id    string
}

// look takes one message into account, and wants all of them.
func (s *fileSearch) look(m api.Message) bool {
	if n := markOf(m); n > 0 && n < s.of.ID {
		s.after = max(s.after, m.Timestamp) // all stamps are equally long
	}
	if id := sentFile(m, s.me, s.of.Message.File); id != "" && m.Timestamp > s.ts {
		s.ts, s.id = m.Timestamp, id
	}
	return false
}

func (s *fileSearch) found() string {
	if s.ts > s.after {
		return s.id
	}
	return ""
}

// markOf is the id of the delivery that a message is marked with, 0 for none.
func markOf(m api.Message) (id int64) {
	name, _ := m.Metadata.EventPayload[deliveryField].(string)
	if name == "" && len(m.Blocks.BlockSet) > 0 {
		name, _ = strings.CutPrefix(m.Blocks.BlockSet[0].ID(), blockPrefix)
	}
	name, _, _ = strings.Cut(name, ".")
	id, err := strconv.ParseInt(name, 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// sentFile returns the id of a file in a message of the bot's, if it is that one: a
// file carries no mark of ours.
func sentFile(m api.Message, me self, f *bot.SentFile) string {
	if m.User != me.user && m.BotID != me.bot || len(m.Files) == 0 {
		return ""
	}
	if got := m.Files[0]; got.Title == f.Name && int64(got.Size) == f.Size {
		return got.ID
	}
	return ""
}

// search goes through a thread, or a channel, since a moment.
func (a *App) search(ctx context.Context, p place, since string, is func(api.Message) bool) (*api.Message, error) {
	cursor := ""
	for range pages {
		messages, next, err := a.page(ctx, p, since, cursor)
		if err != nil {
			return nil, err
		}
		for i := range messages {
			if is(messages[i]) {
				return &messages[i], nil
			}
		}
		if cursor = next; cursor == "" {
			return nil, nil //nolint:nilnil // there is none
		}
	}
	return nil, nil //nolint:nilnil // there is none among the latest
}

func (a *App) page(ctx context.Context, p place, since, cursor string) ([]api.Message, string, error) {
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	if p.thread != "" {
		m, _, next, err := a.api.GetConversationRepliesContext(ctx, &api.GetConversationRepliesParameters{
			ChannelID: p.channel, Timestamp: p.thread, Oldest: since, Limit: pageSize, Cursor: cursor, IncludeAllMetadata: true,
		})
		return m, next, err
	}
	r, err := a.api.GetConversationHistoryContext(ctx, &api.GetConversationHistoryParameters{
		ChannelID: p.channel, Oldest: since, Limit: pageSize, Cursor: cursor, IncludeAllMetadata: true,
	})
	if err != nil {
		return nil, "", err
	}
	return r.Messages, r.ResponseMetaData.NextCursor, nil
}
