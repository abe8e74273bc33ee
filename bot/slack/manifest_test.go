package slack_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack"
)

// manifest is what matters of configs/slack-manifest.yaml.
type manifest struct {
	Features struct {
		Home struct {
			Home     bool `yaml:"home_tab_enabled"`
			Messages bool `yaml:"messages_tab_enabled"`
			ReadOnly bool `yaml:"messages_tab_read_only_enabled"`
		} `yaml:"app_home"`
		Bot struct {
			Name string `yaml:"display_name"`
		} `yaml:"bot_user"`
		Shortcuts []struct {
			Name, Type, Description string
			Callback                string `yaml:"callback_id"`
		}
		Commands []struct {
			Command, Description, URL string
			Usage                     string `yaml:"usage_hint"`
			Escape                    bool   `yaml:"should_escape"`
		} `yaml:"slash_commands"`
	}
	OAuth struct {
		Scopes struct{ Bot, User []string }
	} `yaml:"oauth_config"`
	Settings struct {
		Events struct {
			URL    string   `yaml:"request_url"`
			Events []string `yaml:"bot_events"`
		} `yaml:"event_subscriptions"`
		Interactivity struct {
			Enabled bool   `yaml:"is_enabled"`
			URL     string `yaml:"request_url"`
		}
		Socket bool `yaml:"socket_mode_enabled"`
	}
}

func readManifest(t *testing.T) (m manifest, text string) {
	t.Helper()
	raw, err := os.ReadFile("../../configs/slack-manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m, string(raw)
}

// methods are slack-go's functions that the app calls, with the scopes that the method
// behind each needs of a bot, https://docs.slack.dev/reference/methods.
func methods() map[string][]string {
	return map[string][]string{
		"AuthTestContext":               nil,
		"StartSocketModeContext":        nil, // connections:write, of the app's own token
		"PostMessageContext":            {"chat:write"},
		"PostEphemeralContext":          {"chat:write"},
		"UpdateMessageContext":          {"chat:write"},
		"DeleteMessageContext":          {"chat:write"},
		"OpenConversationContext":       {"im:write"},
		"GetConversationHistoryContext": {"im:history"}, // in channels it does without
		"GetConversationRepliesContext": {"im:history"},
		"GetUserInfoContext":            {"users:read", "users:read.email"},
		"GetUserByEmailContext":         {"users:read.email"},
		"GetFileInfoContext":            {"files:read"},
		"GetUploadURLExternalContext":   {"files:write"},
		"CompleteUploadExternalContext": {"files:write"},
		"OpenViewContext":               nil,
		"PublishViewContext":            nil,
	}
}

// sources are the files of the package that are no tests.
func sources(t *testing.T) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// called returns the functions of slack-go's client that the package calls.
func called(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	for _, f := range sources(t) {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if fun, ok := call.Fun.(*ast.SelectorExpr); ok {
				if client, ok := fun.X.(*ast.SelectorExpr); ok && client.Sel.Name == "api" {
					found[fun.Sel.Name] = true
				}
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(found))
}

// The manifest asks for every scope that something needs, and for none else.
func TestManifestHasTheLeastScopes(t *testing.T) {
	t.Parallel()
	m, _ := readManifest(t)
	known := methods()
	need := map[string]bool{
		"commands":          true, // the slash command and the shortcut
		"app_mentions:read": true, // of the event app_mention
		"im:history":        true, // of the event message.im
		"files:read":        true, // downloading
	}
	for _, name := range called(t) {
		scopes, ok := known[name]
		if !ok {
			t.Errorf("%s is called, and its scopes are not known here", name)
		}
		for _, s := range scopes {
			need[s] = true
		}
		delete(known, name)
	}
	for name := range known {
		t.Errorf("%s is not called any more", name)
	}
	want := slices.Sorted(maps.Keys(need))
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(m.OAuth.Scopes.Bot))); diff != "" || len(m.OAuth.Scopes.User) != 0 {
		t.Errorf("scopes of the manifest (-want +got):\n%s of users: %q", diff, m.OAuth.Scopes.User)
	}
	if diff := cmp.Diff(want, slack.Scopes()); diff != "" {
		t.Errorf("scopes that Check looks for (-want +got):\n%s", diff)
	}
}

// handled returns the kinds of events of which takeEvent makes something.
func handled(t *testing.T) []string {
	t.Helper()
	var kinds []string
	for _, f := range sources(t) {
		for _, d := range f.Decls {
			fun, ok := d.(*ast.FuncDecl)
			if !ok || fun.Name.Name != "takeEvent" {
				continue
			}
			ast.Inspect(fun, func(n ast.Node) bool {
				c, ok := n.(*ast.CaseClause)
				if !ok {
					return true
				}
				for _, e := range c.List {
					if lit, ok := e.(*ast.BasicLit); ok {
						kind, err := strconv.Unquote(lit.Value)
						if err != nil {
							t.Fatal(err)
						}
						kinds = append(kinds, kind)
					}
				}
				return true
			})
		}
	}
	return kinds
}

// The manifest subscribes to the events that the code handles, and to none else.
func TestManifestHasTheEventsThatAreHandled(t *testing.T) {
	t.Parallel()
	m, text := readManifest(t)
	var got []string
	for _, e := range m.Settings.Events.Events {
		kind, where, _ := strings.Cut(e, ".")
		if kind == "message" && where != "im" {
			t.Errorf("%s: the bot is to hear what is said to it alone", e)
		}
		got = append(got, kind)
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(handled(t))), slices.Sorted(slices.Values(got))); diff != "" {
		t.Errorf("(-handled +subscribed):\n%s", diff)
	}
	if n := strings.Count(text, "url: https://nastavnik.example.com/slack\n"); n != 3 {
		t.Errorf("%d addresses for HTTP, want 3", n)
	}
	for _, optional := range []string{"# - channels:history", "# - groups:history", "# - message.channels", "# - message.groups"} {
		if !strings.Contains(text, optional) {
			t.Errorf("it does not say that there is %q", optional)
		}
	}
}

// What the manifest names is what the code listens to: the shortcut, the command, the
// pages and the buttons.
func TestManifestIsOfThisApp(t *testing.T) {
	t.Parallel()
	m, _ := readManifest(t)
	f := m.Features
	if !f.Home.Home || !f.Home.Messages || f.Home.ReadOnly || !m.Settings.Interactivity.Enabled || !m.Settings.Socket || f.Bot.Name == "" {
		t.Errorf("something is off that is needed: %+v", m)
	}
	if len(f.Commands) != 1 || f.Commands[0].Command != "/nastavnik" || !f.Commands[0].Escape || len([]rune(f.Commands[0].Description)) > 2000 || len([]rune(f.Commands[0].Usage)) > 1000 {
		t.Errorf("commands: %+v", f.Commands)
	}
	if len(f.Shortcuts) != 1 || f.Shortcuts[0].Name != "Спросить наставника" || f.Shortcuts[0].Type != "message" || len([]rune(f.Shortcuts[0].Name)) > 24 || len([]rune(f.Shortcuts[0].Description)) > 150 {
		t.Fatalf("shortcuts: %+v", f.Shortcuts)
	}
	d := newDesks(t)
	d.deliver("action", fmt.Appendf(nil, `{"type":"message_action","callback_id":%q,"team":{"id":"T1"},"user":{"id":"U1"},"trigger_id":"1","message":{"type":"message","ts":"1700000000.000100","text":"как?"}}`, f.Shortcuts[0].Callback))
	if events := d.core.taken(); len(events) != 1 || !cmp.Equal(events[0].Body, bot.Body(bot.Said{Text: "как?"})) {
		t.Errorf("the shortcut makes %+v", events)
	}
	// The words that the command offers are understood.
	for word := range strings.SplitSeq(strings.Trim(f.Commands[0].Usage, "[]"), " | ") {
		d.deliver("command", fmt.Appendf(nil, `{"command":"/nastavnik","team_id":"T1","user_id":"U1","trigger_id":%q,"text":%[1]q}`, word))
		events := d.core.taken()
		if len(events) != 1 {
			t.Fatalf("%s makes %+v", word, events)
		}
		if said, ok := events[0].Body.(bot.Said); !ok || strings.HasPrefix(said.Text, "/") == (word == "вопрос") {
			t.Errorf("%s is said as %+v", word, events[0].Body)
		}
	}
}
