// Package storetest says what a store must do: a suite of tests for each kind,
// the same for every implementation. A store that passes can take the place of
// another.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// TestStore holds a record of truth to its contract. Open returns a new, empty
// store, and closes it when the test ends.
func TestStore(t *testing.T, open func(t *testing.T) bot.Store) {
	t.Helper()
	for _, noun := range []struct {
		name string
		test func(*testing.T, bot.Store)
	}{
		{"Transactions", testTransactions},
		{"Questions", testQuestions},
		{"Lists", testLists},
		{"Phrasings", testPhrasings},
		{"ForgottenPhrasings", testForgottenPhrasings},
		{"Answers", testAnswers},
		{"Entries", testEntries},
		{"Versions", testVersions},
		{"Changes", testChanges},
		{"Embeddings", testEmbeddings},
		{"Asks", testAsks},
		{"Askers", testAskers},
		{"AskedNext", testAskedNext},
		{"Escalations", testEscalations},
		{"Waiters", testWaiters},
		{"People", testPeople},
		{"Identities", testIdentities},
		{"Merges", testMerges},
		{"Topics", testTopics},
		{"Invitations", testInvitations},
		{"Inbox", testInbox},
		{"Outbox", testOutbox},
		{"Sent", testSent},
		{"Backlog", testBacklog},
		{"Chats", testChats},
		{"Schedule", testSchedule},
		{"Limits", testLimits},
		{"Pauses", testPauses},
		{"Verdicts", testVerdicts},
		{"Reviews", testReviews},
		{"Steps", testSteps},
		{"Calibrations", testCalibrations},
		{"Attachments", testAttachments},
		{"Histories", testHistories},
	} {
		t.Run(noun.name, func(t *testing.T) { noun.test(t, open(t)) })
	}
}

// noon is when things happen here, to the millisecond that stores keep.
func noon() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 123_000_000, time.UTC) }

// reporter is what *testing.T and *rapid.T have in common.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// errUndo rolls a Write back.
var errUndo = errors.New("undo")

// write runs fn in a transaction that must succeed.
func write(t *testing.T, s bot.Store, fn func(context.Context, bot.Tx) error) {
	t.Helper()
	ctx := t.Context()
	if err := s.Write(ctx, func(tx bot.Tx) error { return fn(ctx, tx) }); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// refuse runs fn in a transaction that must fail with an error that wraps want.
func refuse(t *testing.T, s bot.Store, want error, fn func(context.Context, bot.Tx) error) {
	t.Helper()
	ctx := t.Context()
	err := s.Write(ctx, func(tx bot.Tx) error { return fn(ctx, tx) })
	if !errors.Is(err, want) {
		t.Errorf("the error is %v, want one that wraps %v", err, want)
	}
}

// read returns what fn finds.
func read[T any](t *testing.T, s bot.Store, fn func(context.Context, bot.Tx) (T, error)) T {
	t.Helper()
	ctx := t.Context()
	var out T
	err := s.Read(ctx, func(tx bot.Tx) error {
		var err error
		out, err = fn(ctx, tx)
		return err
	})
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return out
}

// equal compares what a store returns with what it should. Nothing and an empty
// list are the same.
func equal[T any](t reporter, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// entry stores an answered question, the way an import does.
func entry(ctx context.Context, tx bot.Tx, id, text string) error {
	q := knowledge.Question{ID: id, Text: text, Status: knowledge.InKnowledgeBase, Asked: noon()}
	if err := tx.PutQuestion(ctx, &q); err != nil {
		return err
	}
	return tx.PutAnswer(ctx, &knowledge.Answer{Question: id, Text: "Ответ на " + text, Created: noon()})
}

// entries stores answered questions with the given ids.
func entries(t *testing.T, s bot.Store, ids ...string) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx bot.Tx) error {
		for _, id := range ids {
			if err := entry(ctx, tx, id, "Вопрос "+id); err != nil {
				return err
			}
		}
		return nil
	})
}

// question returns one question.
func question(t *testing.T, s bot.Store, id string) knowledge.Question {
	t.Helper()
	return read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Question, error) { return tx.Question(ctx, id) })
}

// person stores somebody and returns their id.
func person(t *testing.T, s bot.Store, p knowledge.Person) int64 {
	t.Helper()
	write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutPerson(ctx, &p) })
	return p.ID
}

func ids(questions []knowledge.Question) []string {
	var out []string
	for _, q := range questions {
		out = append(out, q.ID)
	}
	return out
}

func numbered(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return out
}
