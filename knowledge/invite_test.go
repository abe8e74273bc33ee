package knowledge_test

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func (f *fixture) invite(person int64) (i knowledge.Invitation) {
	f.t.Helper()
	f.do(func(d knowledge.Desk) (err error) {
		i, err = d.Invite(context.Background(), person, 24*time.Hour)
		return err
	})
	return i
}

func (f *fixture) accept(code string, who int64) (p knowledge.Person, err error) {
	stranger := f.get(who)
	err = f.try(func(d knowledge.Desk) (err error) {
		p, err = d.Accept(context.Background(), code, stranger)
		return err
	})
	return p, err
}

// An employee whom the administrator knows and who has asked as a stranger is one
// person by their invitation, once.
func TestInvitationOfSomebodyKnown(t *testing.T) {
	f := open(t)
	anna := f.person("Анна", true)
	f.change(anna, func(p *knowledge.Person) { p.Chat, p.Email = "", "anna@firm.example" })
	boris := f.person("Борис", true)
	stranger := f.person("@anna_k", false)
	s := f.send(f.ask(stranger, "как войти").ID)
	i := f.invite(anna)
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{22,64}$`).MatchString(i.Code) || i.Hash == i.Code {
		t.Errorf("the code is %q, kept as %q", i.Code, i.Hash)
	}
	p, err := f.accept(i.Code, stranger)
	if err != nil || p.ID != anna || p.Chat != "test:@anna_k" || !p.Admitted || !p.Senior || !p.Reachable() {
		t.Fatalf("accepted: %+v, %v", p, err)
	}
	if got := f.get(stranger); got != p {
		t.Errorf("by the number before she is %+v", got)
	}
	f.look(func(tx bot.Tx) error {
		waiters, err := tx.Waiters(context.Background(), s.Question.ID)
		if len(waiters) != 1 || waiters[0].Person != anna {
			t.Errorf("who waits: %+v", waiters)
		}
		return err
	})
	if again, err := f.accept(i.Code, anna); err != nil || again.ID != anna {
		t.Errorf("pressed twice: %+v, %v", again, err)
	}
	if _, err := f.accept(i.Code, f.person("@chuzhoy", false)); !errors.Is(err, knowledge.ErrConflict) {
		t.Errorf("used by somebody else: %v", err)
	}
	if _, err := f.accept(f.invite(anna).Code, boris); !errors.Is(err, knowledge.ErrConflict) {
		t.Errorf("used by a colleague: %v", err)
	}
}

func TestInvitationsThatAreNone(t *testing.T) {
	f := open(t)
	anna, stranger := f.person("Анна", false), f.person("@a", false)
	old := f.invite(anna)
	revoked := old
	old = f.invite(anna)
	for name, code := range map[string]string{"unknown": "nonsense", "empty": "", "the hash itself": old.Hash, "replaced": revoked.Code} {
		if _, err := f.accept(code, stranger); !errors.Is(err, knowledge.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.now = f.now.Add(24 * time.Hour)
	if _, err := f.accept(old.Code, stranger); !errors.Is(err, knowledge.ErrNotFound) {
		t.Errorf("expired: %v", err)
	}
	fresh := f.invite(anna)
	f.do(func(d knowledge.Desk) error {
		_, err := d.Leave(context.Background(), anna)
		return err
	})
	if _, err := f.accept(fresh.Code, stranger); !errors.Is(err, knowledge.ErrNotFound) {
		t.Errorf("of somebody who has left: %v", err)
	}
	if err := f.try(func(d knowledge.Desk) error {
		_, err := d.Invite(context.Background(), anna, time.Hour)
		return err
	}); !errors.Is(err, knowledge.ErrInvalid) {
		t.Errorf("for somebody who has left: %v", err)
	}
}

func TestInvitationForWhoeverComes(t *testing.T) {
	f := open(t)
	var i knowledge.Invitation
	f.do(func(d knowledge.Desk) (err error) {
		i, err = d.InviteSenior(context.Background(), 0, time.Hour)
		return err
	})
	who := f.person("@a", false)
	if p, err := f.accept(i.Code, who); err != nil || p.ID != who || !p.Admitted || !p.Senior {
		t.Errorf("accepted: %+v, %v", p, err)
	}
}

func TestAccess(t *testing.T) {
	var (
		stranger = knowledge.Person{ID: 1}
		invited  = knowledge.Person{ID: 2, Admitted: true}
		senior   = knowledge.Person{ID: 3, Senior: true}
		gone     = knowledge.Person{ID: 4, Admitted: true, Senior: true, Left: true}
		inside   = knowledge.Identity{Platform: "slack", External: "U1"}
		outside  = knowledge.Identity{Platform: "slack", External: "U1", Outsider: true}
	)
	for _, c := range []struct {
		access                        knowledge.Access
		who                           knowledge.Person
		admitsInside, admitsOutsiders bool
	}{
		{knowledge.AccessOpen, stranger, true, false}, {"", stranger, true, false},
		{knowledge.AccessInvitation, stranger, false, false}, {knowledge.AccessList, stranger, false, false},
		{knowledge.AccessOpen, invited, true, true}, {knowledge.AccessInvitation, invited, true, true}, {knowledge.AccessList, invited, true, true},
		{knowledge.AccessList, senior, true, true}, {knowledge.AccessOpen, gone, false, false}, {knowledge.AccessList, gone, false, false},
	} {
		if got := c.access.Admits(c.who, inside); got != c.admitsInside {
			t.Errorf("%q admits %+v: %t", c.access, c.who, got)
		}
		if got := c.access.Admits(c.who, outside); got != c.admitsOutsiders {
			t.Errorf("%q admits %+v from outside: %t", c.access, c.who, got)
		}
	}
}

func TestLinkByHand(t *testing.T) {
	f := open(t)
	anna, seen, boris := f.person("Анна", false), f.person("U7", false), f.person("Борис", true)
	f.ask(seen, "как войти")
	link := func(external string) (p knowledge.Person, err error) {
		err = f.try(func(d knowledge.Desk) (err error) {
			p, err = d.Link(context.Background(), knowledge.Identity{Platform: "test", External: external}, anna)
			return err
		})
		return p, err
	}
	for _, external := range []string{"U7", "U7", "U8"} {
		if p, err := link(external); err != nil || p.ID != anna {
			t.Errorf("%s: %+v, %v", external, p, err)
		}
	}
	if f.get(seen).ID != anna {
		t.Error("who was seen is somebody else")
	}
	if _, err := link("Борис"); !errors.Is(err, knowledge.ErrConflict) || f.get(boris).ID == anna {
		t.Errorf("a colleague: %v", err)
	}
}
