package markup

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	// maxAddress bounds a link: browsers and platforms take about this much.
	maxAddress = 2000
	// maxShown bounds an address that is shown as text.
	maxShown = 200
)

// address tells whether a link may be followed, and returns it in ASCII. Only http,
// https and mailto may: what else an address can do (javascript:, a platform's own
// scheme) is nothing that a text should be able to start.
func address(destination string) (string, bool) {
	if len(destination) > maxAddress || !printable(destination) {
		return "", false
	}
	u, err := url.Parse(destination)
	if err != nil {
		return "", false
	}
	switch u.Scheme {
	case "mailto":
		return destination, strings.Contains(u.Opaque, "@")
	case "http", "https":
		return webAddress(destination, u)
	}
	return "", false
}

func webAddress(destination string, u *url.URL) (string, bool) {
	host := u.Hostname()
	if host == "" {
		return "", false
	}
	if printable(host) {
		return destination, true
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return "", false
	}
	if port := u.Port(); port != "" {
		ascii += ":" + port
	}
	u.Host = ascii
	to := u.String()
	return to, printable(to) && len(to) <= maxAddress
}

// printable tells whether s is ASCII without spaces and without what platforms read
// as the end of a link.
func printable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("<>|\"`", c) >= 0 {
			return false
		}
	}
	return true
}

// shownAddress is an address as a text: "" for one that holds its contents itself.
func shownAddress(destination string) string {
	if strings.HasPrefix(strings.ToLower(destination), "data:") {
		return ""
	}
	if plain, err := url.PathUnescape(destination); err == nil && utf8.ValidString(plain) {
		destination = plain
	}
	return Shorten(destination, maxShown)
}
