package slack

// KeepsFiles reports whether an address of a file gets the app's token.
func KeepsFiles(a *App, address string) bool { return a.keepsFiles(address) }

// Markdown translates Slack's markup.
func Markdown(s string) string {
	return markdown(s, func(user string) string { return "имя " + user })
}
