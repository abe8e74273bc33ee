package knowledge

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Invitation lets somebody in who proves by its code that they are meant.
type Invitation struct {
	// Code is known only to who gets it: stores keep its Hash alone. At most 64 of
	// A–Z, a–z, 0–9, _ and -, which is what Telegram passes on behind /start.
	Code   string
	Hash   string // see HashCode
	Person int64  // who is meant; 0: whoever comes
	Senior bool   // who comes becomes a senior
	// Created, Expires and Used are when it was made, ends and was accepted; Used is
	// zero before.
	Created, Expires, Used time.Time
	UsedBy                 int64
}

// HashCode returns what is kept of an invitation's code.
func HashCode(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// codeBytes are the random bytes of a code: 192 bits, which nobody guesses.
const codeBytes = 24

// Invite makes an invitation that can be accepted once within ttl, in place of those
// that the same person has not accepted yet. Only what it returns has the code.
func (d Desk) Invite(ctx context.Context, person int64, ttl time.Duration) (Invitation, error) {
	return d.invite(ctx, Invitation{Person: person}, ttl)
}

// InviteSenior is Invite for who becomes a senior by accepting.
func (d Desk) InviteSenior(ctx context.Context, person int64, ttl time.Duration) (Invitation, error) {
	return d.invite(ctx, Invitation{Person: person, Senior: true}, ttl)
}

func (d Desk) invite(ctx context.Context, i Invitation, ttl time.Duration) (Invitation, error) {
	if ttl <= 0 {
		return i, fmt.Errorf("invite for %s: %w", ttl, ErrInvalid)
	}
	if i.Person != 0 {
		p, err := d.Tx.Person(ctx, i.Person)
		if err != nil {
			return i, fmt.Errorf("invite: %w", err)
		}
		if p.Left {
			return i, fmt.Errorf("invite person %d, who has left: %w", p.ID, ErrInvalid)
		}
		i.Person = p.ID
		if err := d.Tx.RevokeInvitations(ctx, p.ID); err != nil {
			return i, fmt.Errorf("invite: %w", err)
		}
	}
	random := make([]byte, codeBytes)
	_, _ = rand.Read(random) // never fails
	i.Code = base64.RawURLEncoding.EncodeToString(random)
	i.Hash, i.Created, i.Expires = HashCode(i.Code), d.Now, d.Now.Add(ttl)
	if err := d.Tx.PutInvitation(ctx, i); err != nil {
		return i, fmt.Errorf("invite: %w", err)
	}
	return i, nil
}

// Accept lets who has come with an invitation's code in, and returns who they are
// from now on: when the invitation is for somebody known, they are the same person,
// and all that was said as who is theirs. The error wraps ErrNotFound when there is no
// such invitation, or none any more, and ErrConflict when somebody else has accepted
// it, or when who is known as somebody else. Accepting twice is accepting once.
//
// Who becomes reachable as a senior may be due questions: see GiveOut.
func (d Desk) Accept(ctx context.Context, code string, who Person) (Person, error) {
	p, err := d.accept(ctx, code, who)
	if err != nil {
		return Person{}, fmt.Errorf("accept an invitation: %w", err)
	}
	return p, nil
}

func (d Desk) accept(ctx context.Context, code string, who Person) (Person, error) {
	i, err := d.Tx.Invitation(ctx, HashCode(code))
	if err != nil {
		return Person{}, err
	}
	switch {
	case !i.Used.IsZero() && i.UsedBy == who.ID:
		return who, nil
	case !i.Used.IsZero():
		return Person{}, fmt.Errorf("it has been used: %w", ErrConflict)
	case !d.Now.Before(i.Expires):
		return Person{}, fmt.Errorf("it has expired: %w", ErrNotFound)
	case who.Left:
		return Person{}, fmt.Errorf("person %d has left: %w", who.ID, ErrNotFound)
	}
	p, err := d.become(ctx, who, i)
	if err != nil {
		return p, err
	}
	p.Admitted, p.Senior = true, p.Senior || i.Senior
	if err := d.Tx.PutPerson(ctx, &p); err != nil {
		return p, err
	}
	i.Used, i.UsedBy = d.Now, p.ID
	return p, d.Tx.PutInvitation(ctx, i)
}

// become makes who has come the person that an invitation is for.
func (d Desk) become(ctx context.Context, who Person, i Invitation) (Person, error) {
	if i.Person == 0 {
		return who, nil
	}
	p, err := d.Tx.Person(ctx, i.Person)
	switch {
	case err != nil:
		return p, err
	case p.Left:
		return p, fmt.Errorf("person %d has left: %w", p.ID, ErrNotFound)
	case p.ID == who.ID:
		return p, nil
	case who.Admitted || who.Senior || who.Admin || who.Email != "":
		// An invitation that went astray must not make one person of two.
		return p, fmt.Errorf("person %d is known already: %w", who.ID, ErrConflict)
	}
	if err := d.Tx.Merge(ctx, who.ID, p.ID); err != nil {
		return p, err
	}
	if p, err = d.Tx.Person(ctx, p.ID); err != nil {
		return p, err
	}
	if who.Chat != "" {
		p.Chat, p.Unreachable = who.Chat, "" // they have just written from there
	}
	return p, nil
}

// Link makes an identity that of a person; who was behind it is that person from now
// on. The error wraps ErrConflict when a platform knows somebody else by it who was
// let in or has an e-mail: those are two people.
func (d Desk) Link(ctx context.Context, i Identity, person int64) (Person, error) {
	p, err := d.link(ctx, i, person)
	if err != nil {
		return Person{}, fmt.Errorf("link to %s: %w", i.Platform, err)
	}
	return p, nil
}

func (d Desk) link(ctx context.Context, i Identity, person int64) (Person, error) {
	p, err := d.Tx.Person(ctx, person)
	if err != nil {
		return p, err
	}
	was, err := d.Tx.Known(ctx, i)
	switch {
	case errors.Is(err, ErrNotFound):
		return p, d.Tx.Link(ctx, i, p.ID)
	case err != nil, was.ID == p.ID:
		return p, err
	case was.Admitted || was.Senior || was.Admin || was.Email != "" && was.Email != p.Email:
		return p, fmt.Errorf("it is %s (person %d): %w", was.Name, was.ID, ErrConflict)
	}
	if err := d.Tx.Merge(ctx, was.ID, p.ID); err != nil {
		return p, err
	}
	return d.Tx.Person(ctx, p.ID)
}
