package record

import (
	"cmp"
	"context"
	"fmt"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Merge implements knowledge.IdentityTx. What both said of the same stays as into
// said it. Messages are left as they were written.
func (t *Tx) Merge(ctx context.Context, from, into int64) error {
	if err := t.merge(ctx, from, into); err != nil {
		return fmt.Errorf("merge person %d into %d: %w", from, into, err)
	}
	return nil
}

func (t *Tx) merge(ctx context.Context, from, into int64) error {
	gone, err := t.Person(ctx, from)
	if err != nil {
		return err
	}
	p, err := t.Person(ctx, into)
	if err != nil {
		return err
	}
	if gone.ID == p.ID {
		return nil
	}
	if err := t.mergeWaiters(ctx, gone.ID, p.ID); err != nil {
		return err
	}
	for _, statement := range mergers() {
		if _, err := t.conn.Exec(ctx, statement.sql, statement.args(gone.ID, p.ID)...); err != nil {
			return err
		}
	}
	unite(&p, gone)
	return t.PutPerson(ctx, &p)
}

// merger is a statement that merges a table.
type merger struct {
	sql  string
	args func(from, into int64) []any
}

// mergers are the statements that make everything of one person another's, in the
// order in which tables refer to each other.
func mergers() []merger {
	become := func(from, into int64) []any { return []any{into, from} }
	both := func(from, into int64) []any { return []any{from, into} }
	only := func(from, _ int64) []any { return []any{from} }
	return []merger{
		{`UPDATE identities SET person = ? WHERE person = ?`, become},
		{`UPDATE asks SET person = ? WHERE person = ?`, become},
		{`UPDATE questions SET asked_by = ? WHERE asked_by = ?`, become},
		{`UPDATE phrasings SET person = ? WHERE person = ?`, become},
		{`UPDATE answers SET author = ? WHERE author = ?`, become},
		{`UPDATE attachments SET author = ? WHERE author = ?`, become},
		{`UPDATE escalations SET senior = ? WHERE senior = ?`, become},
		{`UPDATE steps SET person = ? WHERE person = ?`, become},
		{`UPDATE reviews SET person = ? WHERE person = ?`, become},
		{`UPDATE reviews SET by_person = ? WHERE by_person = ?`, become},
		{`UPDATE conversations SET person = ? WHERE person = ?`, become},
		{`UPDATE invitations SET person = ? WHERE person = ?`, become},
		{`UPDATE invitations SET used_by = ? WHERE used_by = ?`, become},
		{`DELETE FROM verdicts WHERE person = ? AND EXISTS (
			SELECT 1 FROM verdicts o WHERE o.person = ? AND o.question = verdicts.question AND o.fold = verdicts.fold)`, both},
		{`UPDATE verdicts SET person = ? WHERE person = ?`, become},
		{`DELETE FROM topic_seniors WHERE person = ? AND EXISTS (
			SELECT 1 FROM topic_seniors o WHERE o.person = ? AND o.topic = topic_seniors.topic)`, both},
		{`UPDATE topic_seniors SET person = ? WHERE person = ?`, become},
		{`UPDATE merges SET became = ? WHERE became = ?`, become},
		{`INSERT INTO merges (person, became) VALUES (?, ?)`, both},
		{`DELETE FROM persons WHERE id = ?`, only},
	}
}

// mergeWaiters makes the waiting of one person another's. Where both wait for a
// question, or did, what was got further stays: who waits still is not forgotten.
func (t *Tx) mergeWaiters(ctx context.Context, from, into int64) error {
	both, err := list(ctx, t.conn, func(r Rows) (w knowledge.Waiter, err error) {
		err = r.Scan(&w.Question, &w.Person, &w.State)
		return w, err
	}, `SELECT question, person, state FROM waiters WHERE person IN (?, ?) ORDER BY question`, from, into)
	if err != nil {
		return err
	}
	rank := map[knowledge.WaiterState]int{knowledge.Waiting: 2, knowledge.WaitAnswered: 1}
	for i := range both[:max(0, len(both)-1)] {
		a, b := both[i], both[i+1]
		if a.Question != b.Question {
			continue
		}
		if a.Person != from {
			a, b = b, a
		}
		drop := a
		if rank[a.State] > rank[b.State] {
			drop = b
		}
		if _, err := t.conn.Exec(ctx, `DELETE FROM waiters WHERE question = ? AND person = ?`, drop.Question, drop.Person); err != nil {
			return err
		}
	}
	_, err = t.conn.Exec(ctx, `UPDATE waiters SET person = ? WHERE person = ?`, into, from)
	return err
}

// unite adds to a person what another one was.
func unite(p *knowledge.Person, gone knowledge.Person) {
	p.Senior, p.Admin = p.Senior || gone.Senior, p.Admin || gone.Admin
	p.Admitted, p.Left = p.Admitted || gone.Admitted, p.Left || gone.Left
	if p.Chat == "" || p.Unreachable != "" && gone.Reachable() {
		p.Chat, p.Unreachable = gone.Chat, gone.Unreachable
	}
	p.Email, p.Team = cmp.Or(p.Email, gone.Email), cmp.Or(p.Team, gone.Team)
	p.Zone, p.Hours = cmp.Or(p.Zone, gone.Zone), cmp.Or(p.Hours, gone.Hours)
	if gone.Away.After(p.Away) {
		p.Away = gone.Away
	}
	if !gone.Created.IsZero() && gone.Created.Before(p.Created) {
		p.Created = gone.Created
	}
}
