package files

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// ticket is what a link to a file says.
type ticket struct {
	attachment, person int64
	until              time.Time // to the second
}

var (
	errForged  = errors.New("not a link of ours")
	errExpired = errors.New("the link has expired")
)

// purpose goes into every signature: a key that is used elsewhere as well signs
// nothing there that is accepted here.
const purpose = "nastavnik file link 1\x00"

const (
	bodyBytes  = 3 * 8
	tokenBytes = bodyBytes + sha256.Size
)

// sign returns the token of a ticket.
func sign(key []byte, t ticket) string {
	b := make([]byte, 0, tokenBytes)
	for _, n := range []int64{t.attachment, t.person, t.until.Unix()} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return base64.RawURLEncoding.EncodeToString(append(b, signature(key, b)...))
}

func signature(key, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(purpose))
	m.Write(body)
	return m.Sum(nil)
}

// check returns the ticket of a token that was signed with the key and works now.
func check(key []byte, token string, now time.Time) (ticket, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) != tokenBytes {
		return ticket{}, errForged
	}
	body, mac := b[:bodyBytes], b[bodyBytes:]
	if !hmac.Equal(mac, signature(key, body)) {
		return ticket{}, errForged
	}
	n := func(i int) int64 { return int64(binary.BigEndian.Uint64(body[8*i:])) }
	t := ticket{attachment: n(0), person: n(1), until: time.Unix(n(2), 0)}
	switch {
	case !now.Before(t.until):
		return ticket{}, errExpired
	case t.until.Sub(now) > knowledge.MaxLinkTTL:
		return ticket{}, errForged // nobody of ours makes such a one
	}
	return t, nil
}
