package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// acquaintance sees people on platforms.
type acquaintance struct {
	t *testing.T
	s bot.Store
}

func (a acquaintance) meet(i knowledge.Identity) (p knowledge.Person) {
	a.t.Helper()
	write(a.t, a.s, func(ctx context.Context, tx bot.Tx) (err error) {
		p, err = tx.Identify(ctx, i, noon())
		return err
	})
	return p
}

func (a acquaintance) person(id int64) knowledge.Person {
	a.t.Helper()
	return read(a.t, a.s, func(ctx context.Context, tx bot.Tx) (knowledge.Person, error) { return tx.Person(ctx, id) })
}

func (a acquaintance) identities(id int64) []knowledge.Identity {
	a.t.Helper()
	return read(a.t, a.s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Identity, error) { return tx.Identities(ctx, id) })
}

func testIdentities(t *testing.T, s bot.Store) {
	a := acquaintance{t, s}
	slack := knowledge.Identity{Platform: "slack", External: "U1", Name: "Анна", Chat: "slack:U1"}
	t.Run("keeps what platforms tell", func(t *testing.T) {
		i := slack
		i.Email, i.Team, i.Zone = "Anna@Firm.example", "Продажи", "Europe/Moscow"
		p := a.meet(i)
		want := knowledge.Person{ID: p.ID, Name: "Анна", Chat: "slack:U1", Email: "anna@firm.example", Team: "Продажи", Zone: "Europe/Moscow", Created: noon()}
		equal(t, "person", p, want)
		equal(t, "identities", a.identities(p.ID), []knowledge.Identity{i})
		equal(t, "when it tells nothing", a.meet(knowledge.Identity{Platform: "slack", External: "U1"}), want)
		i.Zone, want.Zone = "Asia/Omsk", "Asia/Omsk"
		equal(t, "when it tells something else", a.meet(i), want)
		byHand := want
		byHand.Team = "Отдел продаж"
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutPerson(ctx, &byHand) })
		equal(t, "what was set by hand", a.meet(i), byHand)
	})
	t.Run("is one person across platforms by a vouched e-mail", func(t *testing.T) {
		p := a.meet(slack)
		equal(t, "person", a.meet(knowledge.Identity{Platform: "web", External: "anna", Email: "ANNA@firm.example", Chat: "web:anna"}).ID, p.ID)
		equal(t, "where to write to", a.person(p.ID).Chat, "web:anna")
		equal(t, "where to write to after a message from a channel", a.meet(knowledge.Identity{Platform: "web", External: "anna"}).Chat, "web:anna")
	})
	t.Run("outsiders' e-mails name nobody", func(t *testing.T) {
		p := a.meet(knowledge.Identity{Platform: "slack", External: "U9", Email: "anna@firm.example", Outsider: true})
		if p.ID == a.meet(slack).ID || p.Email != "" {
			t.Errorf("they are %+v", p)
		}
		equal(t, "kept", a.identities(p.ID)[0].Outsider, true)
	})
	t.Run("who was made by sight is found out", func(t *testing.T) {
		known := person(t, s, knowledge.Person{Name: "Борис", Email: "boris@firm.example", Senior: true})
		seen := a.meet(knowledge.Identity{Platform: "slack", External: "U2", Chat: "slack:U2"})
		p := a.meet(knowledge.Identity{Platform: "slack", External: "U2", Chat: "slack:U2", Email: "boris@firm.example"})
		want := knowledge.Person{ID: known, Name: "Борис", Email: "boris@firm.example", Senior: true, Chat: "slack:U2", Created: p.Created}
		equal(t, "person", p, want)
		equal(t, "by the number they had", a.person(seen.ID), want)
	})
	t.Run("who writes can be reached", func(t *testing.T) {
		p := a.meet(knowledge.Identity{Platform: "telegram", External: "5", Chat: "telegram:5"})
		i := knowledge.Identity{Platform: "telegram", External: "5", Chat: "telegram:5", Unreachable: "blocked"}
		p.Unreachable = "blocked"
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			if err := tx.Link(ctx, i, p.ID); err != nil {
				return err
			}
			return tx.PutPerson(ctx, &p)
		})
		equal(t, "identity", a.identities(p.ID), []knowledge.Identity{i})
		equal(t, "after a message from a group", a.meet(knowledge.Identity{Platform: "telegram", External: "5"}).Unreachable, "blocked")
		equal(t, "after a message", a.meet(knowledge.Identity{Platform: "telegram", External: "5", Chat: "telegram:5"}).Unreachable, "")
		equal(t, "and their identity", a.identities(p.ID)[0].Unreachable, "")
	})
	t.Run("can be linked", func(t *testing.T) {
		p := person(t, s, knowledge.Person{Name: "Вера"})
		i := knowledge.Identity{Platform: "slack", External: "U3"}
		known := func(ctx context.Context, tx bot.Tx) (knowledge.Person, error) { return tx.Known(ctx, i) }
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { _, err := known(ctx, tx); return err })
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.Link(ctx, i, p) })
		equal(t, "known", read(t, s, known).ID, p)
		equal(t, "seen", a.meet(i).ID, p)
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { return tx.Link(ctx, i, 999) })
		refuse(t, s, knowledge.ErrInvalid, func(ctx context.Context, tx bot.Tx) error {
			return tx.Link(ctx, knowledge.Identity{Platform: "slack"}, p)
		})
	})
}

func testMerges(t *testing.T, s bot.Store) {
	a := acquaintance{t, s}
	entries(t, s, "a", "b", "c", "d")
	from := a.meet(knowledge.Identity{Platform: "telegram", External: "1", Chat: "telegram:1"}).ID
	into := person(t, s, knowledge.Person{Name: "Анна", Email: "anna@firm.example", Created: noon().Add(time.Hour)})
	write(t, s, func(ctx context.Context, tx bot.Tx) error { return traces(ctx, tx, from, into) })
	write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.Merge(ctx, from, into) })

	want := knowledge.Person{ID: into, Name: "Анна", Email: "anna@firm.example", Chat: "telegram:1", Created: noon()}
	equal(t, "person", a.person(into), want)
	equal(t, "by the number that was merged", a.person(from), want)
	equal(t, "identities", len(a.identities(into)), 1)
	equal(t, "people", len(read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Person, error) { return tx.People(ctx, false) })), 1)
	asks := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Ask, error) { return tx.Asks(ctx, into, "", 0) })
	equal(t, "asks", len(asks), 2)
	tasks := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Escalation, error) {
		return tx.Escalations(ctx, knowledge.EscalationFilter{Senior: into})
	})
	equal(t, "escalations", len(tasks), 1)
	for id, want := range map[string]knowledge.WaiterState{"a": knowledge.Waiting, "b": knowledge.Waiting, "c": knowledge.WaitAnswered, "d": knowledge.WaitAnswered} {
		waiters := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Waiter, error) { return tx.Waiters(ctx, id) })
		if len(waiters) != 1 || waiters[0].Person != into || waiters[0].State != want {
			t.Errorf("waiters of %s: %+v, want one who is %s", id, waiters, want)
		}
	}
	answers := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Answer, error) { return tx.Answers(ctx, "b") })
	equal(t, "author", answers[len(answers)-1].Author, into)
	verdicts := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Verdict, error) { return tx.Verdicts(ctx, nil) })
	equal(t, "verdicts", len(verdicts), 2)
	for _, v := range verdicts {
		if v.Person != into || v.Wording == "слова" && v.Outcome != knowledge.Helped {
			t.Errorf("verdict: %+v", v)
		}
	}
	files := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Attachment, error) {
		return tx.Attachments(ctx, knowledge.AttachmentFilter{Asks: []int64{1}})
	})
	equal(t, "author of the file", files[0].Author, into)
	topics := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Topic, error) { return tx.Topics(ctx) })
	equal(t, "topics", topics, []knowledge.Topic{{Name: "Доступ", Seniors: []int64{into}}, {Name: "Сделки", Seniors: []int64{into}}})
	c := read(t, s, func(ctx context.Context, tx bot.Tx) (bot.Conversation, error) {
		return tx.Conversation(ctx, "telegram:1")
	})
	equal(t, "conversation", c.Person, into)
	steps := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Step, error) { return tx.Steps(ctx, "a", 0, 0) })
	equal(t, "step", steps[0].Person, into)
	equal(t, "who asked first", question(t, s, "mine").AskedBy, into)

	other := person(t, s, knowledge.Person{Name: "Анна К."})
	write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.Merge(ctx, into, other) })
	equal(t, "by the number that was merged first", a.person(from).ID, other)
	equal(t, "e-mail", a.person(other).Email, "anna@firm.example")
	write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.Merge(ctx, from, other) })
	equal(t, "merged with herself", a.person(other).ID, other)
	refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { return tx.Merge(ctx, 999, other) })
}

// traces are what two people leave, in part on the same questions.
func traces(ctx context.Context, tx bot.Tx, from, into int64) error {
	var errs []error
	put := func(err error) { errs = append(errs, err) }
	waiter := func(id string, who int64, state knowledge.WaiterState) {
		put(tx.PutWaiter(ctx, knowledge.Waiter{Question: id, Person: who, Text: id, Since: noon(), State: state, Answer: 1}))
	}
	waiter("a", from, knowledge.Waiting)
	waiter("b", from, knowledge.Waiting)
	waiter("b", into, knowledge.WaitCancelled)
	waiter("c", from, knowledge.WaitCancelled)
	waiter("c", into, knowledge.WaitAnswered)
	waiter("d", into, knowledge.WaitAnswered)
	put(tx.PutAsk(ctx, knowledge.Ask{ID: 1, Person: from, Text: "Как?", Decision: knowledge.DecisionNothing}))
	put(tx.PutAsk(ctx, knowledge.Ask{ID: 2, Person: into, Text: "Где?", Decision: knowledge.DecisionNothing}))
	put(tx.PutEscalation(ctx, &knowledge.Escalation{Question: "a", Senior: from, State: knowledge.EscalationOpen}))
	put(tx.PutAnswer(ctx, &knowledge.Answer{Question: "b", Text: "Так.", Author: from}))
	put(tx.PutVerdict(ctx, &knowledge.Verdict{Question: "a", Wording: "слова", Person: from, Outcome: knowledge.Rejected}))
	put(tx.PutVerdict(ctx, &knowledge.Verdict{Question: "a", Wording: "слова", Person: into, Outcome: knowledge.Helped}))
	put(tx.PutVerdict(ctx, &knowledge.Verdict{Question: "a", Wording: "другие", Person: from, Outcome: knowledge.Rejected}))
	put(tx.PutAttachment(ctx, &knowledge.Attachment{Ask: 1, Content: knowledge.Content{Key: "k", Media: "image/png", Size: 1}, Name: "a.png", Author: from}))
	put(tx.PutTopic(ctx, knowledge.Topic{Name: "Доступ", Seniors: []int64{from, into}}))
	put(tx.PutTopic(ctx, knowledge.Topic{Name: "Сделки", Seniors: []int64{from}}))
	put(tx.PutConversation(ctx, bot.Conversation{Chat: "telegram:1", Person: from, State: []byte("{}")}))
	put(tx.PutStep(ctx, &knowledge.Step{Question: "a", Kind: knowledge.StepEscalated, At: noon(), Person: from}))
	put(tx.PutQuestion(ctx, &knowledge.Question{ID: "mine", Text: "Мой вопрос", Status: knowledge.Unanswered, AskedBy: from}))
	return errors.Join(errs...)
}

func testInvitations(t *testing.T, s bot.Store) {
	get := func(hash string) knowledge.Invitation {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Invitation, error) { return tx.Invitation(ctx, hash) })
	}
	put := func(i knowledge.Invitation) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutInvitation(ctx, i) })
	}
	i := knowledge.Invitation{Hash: "h1", Person: 7, Senior: true, Created: noon(), Expires: noon().Add(time.Hour)}
	put(i)
	equal(t, "as it went in", get("h1"), i)
	i.Used, i.UsedBy = noon().Add(time.Minute), 8
	put(i)
	equal(t, "used", get("h1"), i)
	secret := knowledge.Invitation{Code: "code", Hash: "h2", Person: 7, Created: noon(), Expires: noon().Add(time.Hour)}
	put(secret)
	equal(t, "the code is not kept", get("h2").Code, "")
	put(knowledge.Invitation{Hash: "h3", Expires: noon()})
	write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.RevokeInvitations(ctx, 7) })
	refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { _, err := tx.Invitation(ctx, "h2"); return err })
	equal(t, "a used one stays", get("h1"), i)
	equal(t, "that of nobody stays", get("h3").Hash, "h3")
	refuse(t, s, knowledge.ErrInvalid, func(ctx context.Context, tx bot.Tx) error { return tx.PutInvitation(ctx, knowledge.Invitation{}) })
}
