package record

import (
	"context"
	"errors"
	"fmt"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

const personColumns = `name, senior, admin, chat, created, email, team, zone, hours, away, gone, admitted, unreachable`

const selectPerson = `SELECT p.id, p.name, p.senior, p.admin, p.chat, p.created, p.email, p.team, p.zone, p.hours, p.away, p.gone, p.admitted, p.unreachable FROM persons p`

func scanPerson(r Rows) (p knowledge.Person, err error) {
	var created, away int64
	err = r.Scan(&p.ID, &p.Name, (*truth)(&p.Senior), (*truth)(&p.Admin), &p.Chat, &created,
		&p.Email, &p.Team, &p.Zone, &p.Hours, &away, (*truth)(&p.Left), (*truth)(&p.Admitted), &p.Unreachable)
	p.Created, p.Away = moment(created), moment(away)
	return p, err
}

// personValues are those of personColumns.
func personValues(p knowledge.Person) []any {
	return []any{
		p.Name, bit(p.Senior), bit(p.Admin), p.Chat, millis(p.Created), p.Email, p.Team, p.Zone, p.Hours, millis(p.Away),
		bit(p.Left), bit(p.Admitted), p.Unreachable,
	}
}

// Person implements knowledge.PersonTx.
func (t *Tx) Person(ctx context.Context, id int64) (knowledge.Person, error) {
	p, err := one(ctx, t.conn, scanPerson, selectPerson+" WHERE p.id = ?", id)
	if errors.Is(err, knowledge.ErrNotFound) {
		p, err = one(ctx, t.conn, scanPerson, selectPerson+" JOIN merges m ON m.became = p.id WHERE m.person = ?", id)
	}
	if err != nil {
		return knowledge.Person{}, fmt.Errorf("person %d: %w", id, err)
	}
	return p, nil
}

// PutPerson implements knowledge.PersonTx: it inserts a person without an ID,
// filling it in, or updates the one with it.
func (t *Tx) PutPerson(ctx context.Context, p *knowledge.Person) error {
	p.Email = knowledge.FoldEmail(p.Email)
	if p.ID == 0 {
		id, err := one(ctx, t.conn, scanInt, `INSERT INTO persons (`+personColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			personValues(*p)...)
		if err != nil {
			return fmt.Errorf("put person: %w", err)
		}
		p.ID = id
		return nil
	}
	n, err := t.conn.Exec(ctx, `UPDATE persons SET name = ?, senior = ?, admin = ?, chat = ?, created = ?, email = ?, team = ?, zone = ?, hours = ?,
		away = ?, gone = ?, admitted = ?, unreachable = ? WHERE id = ?`, append(personValues(*p), p.ID)...)
	if err == nil && n == 0 {
		err = knowledge.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("put person %d: %w", p.ID, err)
	}
	return nil
}

// People implements knowledge.PersonTx.
func (t *Tx) People(ctx context.Context, seniorsOnly bool) ([]knowledge.Person, error) {
	var w where
	if seniorsOnly {
		w.add("p.senior = 1 AND p.gone = 0")
	}
	out, err := list(ctx, t.conn, scanPerson, selectPerson+w.String()+" ORDER BY p.id")
	if err != nil {
		return nil, fmt.Errorf("people: %w", err)
	}
	return out, nil
}
