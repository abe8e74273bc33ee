package record

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

const selectIdentity = `SELECT platform, external, name, chat, email, team, zone, outsider, unreachable FROM identities`

func scanIdentity(r Rows) (i knowledge.Identity, err error) {
	err = r.Scan(&i.Platform, &i.External, &i.Name, &i.Chat, &i.Email, &i.Team, &i.Zone, (*truth)(&i.Outsider), &i.Unreachable)
	return i, err
}

// Identities implements knowledge.IdentityTx.
func (t *Tx) Identities(ctx context.Context, person int64) ([]knowledge.Identity, error) {
	out, err := list(ctx, t.conn, scanIdentity, selectIdentity+" WHERE person = ? ORDER BY platform, external", person)
	if err != nil {
		return nil, fmt.Errorf("identities of person %d: %w", person, err)
	}
	return out, nil
}

// Known implements knowledge.IdentityTx.
func (t *Tx) Known(ctx context.Context, i knowledge.Identity) (knowledge.Person, error) {
	p, err := one(ctx, t.conn, scanPerson, selectPerson+` JOIN identities i ON i.person = p.id WHERE i.platform = ? AND i.external = ?`, i.Platform, i.External)
	if err != nil {
		return knowledge.Person{}, fmt.Errorf("person known on %s: %w", i.Platform, err)
	}
	return p, nil
}

// Link implements knowledge.IdentityTx.
func (t *Tx) Link(ctx context.Context, i knowledge.Identity, person int64) error {
	if i.Platform == "" || i.External == "" {
		return fmt.Errorf("identity without a platform or an id: %w", knowledge.ErrInvalid)
	}
	_, err := t.conn.Exec(ctx, `INSERT INTO identities (platform, external, person, name, chat, email, team, zone, outsider, unreachable)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (platform, external) DO UPDATE SET person = excluded.person, name = excluded.name, chat = excluded.chat, email = excluded.email,
			team = excluded.team, zone = excluded.zone, outsider = excluded.outsider, unreachable = excluded.unreachable`,
		i.Platform, i.External, person, i.Name, i.Chat, i.Email, i.Team, i.Zone, bit(i.Outsider), i.Unreachable)
	if err != nil {
		return fmt.Errorf("link person %d to %s: %w", person, i.Platform, err)
	}
	return nil
}

// Identify implements knowledge.PersonTx. The name that a person has here stays
// when a platform shows another.
func (t *Tx) Identify(ctx context.Context, i knowledge.Identity, now time.Time) (knowledge.Person, error) {
	p, err := t.identify(ctx, i, now)
	if err != nil {
		return knowledge.Person{}, fmt.Errorf("identify on %s: %w", i.Platform, err)
	}
	return p, nil
}

func (t *Tx) identify(ctx context.Context, i knowledge.Identity, now time.Time) (knowledge.Person, error) {
	if i.Platform == "" || i.External == "" {
		return knowledge.Person{}, fmt.Errorf("identity without a platform or an id: %w", knowledge.ErrInvalid)
	}
	was, err := one(ctx, t.conn, scanIdentity, selectIdentity+" WHERE platform = ? AND external = ?", i.Platform, i.External)
	known := err == nil
	if err != nil && !errors.Is(err, knowledge.ErrNotFound) {
		return knowledge.Person{}, err
	}
	p, err := t.whose(ctx, i, known)
	if err != nil {
		return p, err
	}
	before := p
	if p.ID == 0 {
		p.Name, p.Created = cmp.Or(i.Name, i.External), now
	}
	learn(&p, was, i)
	if p != before {
		if err := t.PutPerson(ctx, &p); err != nil {
			return p, err
		}
	}
	return p, t.see(ctx, i, was, p.ID, known && before.ID == p.ID)
}

// whose returns the person behind an identity: without an ID, somebody new.
func (t *Tx) whose(ctx context.Context, i knowledge.Identity, known bool) (p knowledge.Person, err error) {
	if known {
		if p, err = t.Known(ctx, i); err != nil {
			return p, err
		}
	}
	email := i.Vouched()
	if email == "" || p.Email != "" {
		return p, nil
	}
	owner, err := one(ctx, t.conn, scanPerson, selectPerson+" WHERE p.email = ?", email)
	switch {
	case errors.Is(err, knowledge.ErrNotFound):
		p.Email = email
		return p, nil
	case err != nil || p.ID == 0:
		return owner, err
	}
	if err := t.Merge(ctx, p.ID, owner.ID); err != nil {
		return p, err
	}
	return t.Person(ctx, owner.ID)
}

// learn takes over what a platform tells of a person. A team or a zone that is not
// the one this platform told before was set by hand, and stays.
func learn(p *knowledge.Person, was, i knowledge.Identity) {
	if i.Chat != "" {
		p.Chat, p.Unreachable = i.Chat, ""
	}
	if i.Team != "" && (p.Team == "" || p.Team == was.Team) {
		p.Team = i.Team
	}
	if i.Zone != "" && (p.Zone == "" || p.Zone == was.Zone) {
		p.Zone = i.Zone
	}
}

// see stores an identity as it was seen, unless it is stored so.
func (t *Tx) see(ctx context.Context, i, was knowledge.Identity, person int64, stored bool) error {
	i.Chat, i.Email = cmp.Or(i.Chat, was.Chat), cmp.Or(i.Email, was.Email)
	i.Team, i.Zone = cmp.Or(i.Team, was.Team), cmp.Or(i.Zone, was.Zone)
	if i.Unreachable = was.Unreachable; i.Chat != "" {
		i.Unreachable = ""
	}
	if stored && i == was {
		return nil
	}
	return t.Link(ctx, i, person)
}
