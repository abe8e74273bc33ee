package devenv

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// A SlackView is a modal or a Home tab.
type SlackView struct {
	ID         string `json:"id"`
	CallbackID string `json:"callback_id"`
	Raw        json.RawMessage
}

// UnmarshalJSON keeps the whole view in Raw.
func (v *SlackView) UnmarshalJSON(text []byte) error {
	type fields SlackView
	if err := json.Unmarshal(text, (*fields)(v)); err != nil {
		return err
	}
	v.Raw = append(json.RawMessage{}, text...)
	return nil
}

// slackScreen is what the peer shows a person who looks at it.
type slackScreen struct {
	Apps []struct {
		AppID     string `json:"appId"`
		Connected bool
	}
	ModalStack []SlackView
	HomeViews  map[string]map[string]SlackView // by user, then by app
}

// look opens the peer's own web page's connection, on which it shows what it has and
// then every change.
func (p *SlackPeer) look(ctx context.Context) (*websocket.Conn, slackScreen, error) {
	conn, response, err := websocket.Dial(ctx, "ws://"+p.Addr+"/ui", nil)
	if err != nil {
		return nil, slackScreen{}, fmt.Errorf("look at the Slack peer: %w", err)
	}
	if response.Body != nil {
		_ = response.Body.Close()
	}
	conn.SetReadLimit(-1) // the first message is everything
	var first struct{ State slackScreen }
	if err := wsjson.Read(ctx, conn, &first); err != nil {
		_ = conn.CloseNow()
		return nil, slackScreen{}, fmt.Errorf("look at the Slack peer: %w", err)
	}
	return conn, first.State, nil
}

func (p *SlackPeer) screen() slackScreen {
	p.tb.Helper()
	conn, screen, err := p.look(p.tb.Context())
	p.must(err)
	_ = conn.CloseNow()
	return screen
}

// Connected says whether a socket of the bot's is there.
func (p *SlackPeer) Connected() bool {
	p.tb.Helper()
	for _, app := range p.screen().Apps {
		if app.AppID == p.AppID {
			return app.Connected
		}
	}
	return false
}

// AwaitSocket returns when a socket of the bot's is there. Before that, whatever
// people do does not reach it.
func (p *SlackPeer) AwaitSocket() {
	p.tb.Helper()
	await(p.tb, "the bot to open its socket", p.Connected)
}

// OpenHome has a person open the bot's Home tab, which tells the bot.
func (p *SlackPeer) OpenHome(user string) {
	p.tb.Helper()
	p.control("open-home", map[string]string{"user": user}, nil)
}

// HomeView returns the Home tab that the bot has published for a person.
func (p *SlackPeer) HomeView(user string) (view SlackView, ok bool) {
	p.tb.Helper()
	view, ok = p.screen().HomeViews[user][p.AppID]
	return view, ok
}

// View returns the modal on top. The peer has one stack of modals for all people
// together: a test has one person at a time use them.
func (p *SlackPeer) View() (view SlackView, ok bool) {
	p.tb.Helper()
	stack := p.screen().ModalStack
	if len(stack) == 0 {
		return SlackView{}, false
	}
	return stack[len(stack)-1], true
}

// AwaitView returns the modal on top once there is one.
func (p *SlackPeer) AwaitView() SlackView {
	p.tb.Helper()
	var view SlackView
	await(p.tb, "a modal", func() (ok bool) { view, ok = p.View(); return ok })
	return view
}

// Submit has a person submit the modal on top, with what they filled in by block and
// action as view.state.values has it. It returns the errors that the bot answers with
// by block, nil when it takes it.
func (p *SlackPeer) Submit(user string, values map[string]map[string]any) map[string]string {
	p.tb.Helper()
	return p.onScreen(map[string]any{"t": "view_submit", "user": user, "values": values})
}

// CloseView has a person close all modals. The bot is told when the view asks for that.
func (p *SlackPeer) CloseView(user string) {
	p.tb.Helper()
	p.onScreen(map[string]any{"t": "view_close", "user": user})
}

// onScreen does something that the peer takes from its web page only, and returns when
// the modals have changed or have got errors.
func (p *SlackPeer) onScreen(action map[string]any) map[string]string {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.tb.Context(), awaitTimeout)
	defer cancel()
	conn, screen, err := p.look(ctx)
	p.must(err)
	defer func() { _ = conn.CloseNow() }()
	if len(screen.ModalStack) == 0 {
		p.tb.Fatal("no modal is open")
	}
	p.must(wsjson.Write(ctx, conn, action))
	for {
		var change struct {
			T      string
			Errors map[string]string
		}
		p.must(wsjson.Read(ctx, conn, &change))
		switch change.T {
		case "view":
			return nil
		case "view_errors":
			return change.Errors
		}
	}
}
