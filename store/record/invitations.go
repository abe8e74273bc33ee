package record

import (
	"context"
	"fmt"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// PutInvitation implements knowledge.InvitationTx.
func (t *Tx) PutInvitation(ctx context.Context, i knowledge.Invitation) error {
	if i.Hash == "" {
		return fmt.Errorf("put invitation without a hash: %w", knowledge.ErrInvalid)
	}
	_, err := t.conn.Exec(ctx, `INSERT INTO invitations (hash, person, senior, created, expires, used, used_by) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (hash) DO UPDATE SET person = excluded.person, senior = excluded.senior, created = excluded.created,
			expires = excluded.expires, used = excluded.used, used_by = excluded.used_by`,
		i.Hash, i.Person, bit(i.Senior), millis(i.Created), millis(i.Expires), millis(i.Used), i.UsedBy)
	if err != nil {
		return fmt.Errorf("put invitation: %w", err)
	}
	return nil
}

// Invitation implements knowledge.InvitationTx.
func (t *Tx) Invitation(ctx context.Context, hash string) (knowledge.Invitation, error) {
	i, err := one(ctx, t.conn, func(r Rows) (i knowledge.Invitation, err error) {
		var created, expires, used int64
		err = r.Scan(&i.Hash, &i.Person, (*truth)(&i.Senior), &created, &expires, &used, &i.UsedBy)
		i.Created, i.Expires, i.Used = moment(created), moment(expires), moment(used)
		return i, err
	}, `SELECT hash, person, senior, created, expires, used, used_by FROM invitations WHERE hash = ?`, hash)
	if err != nil {
		return knowledge.Invitation{}, fmt.Errorf("invitation: %w", err)
	}
	return i, nil
}

// RevokeInvitations implements knowledge.InvitationTx.
func (t *Tx) RevokeInvitations(ctx context.Context, person int64) error {
	if _, err := t.conn.Exec(ctx, `DELETE FROM invitations WHERE person = ? AND used = 0`, person); err != nil {
		return fmt.Errorf("revoke invitations of person %d: %w", person, err)
	}
	return nil
}
