package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func testPeople(t *testing.T, s bot.Store) {
	get := func(id int64) knowledge.Person {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Person, error) { return tx.Person(ctx, id) })
	}
	identify := func(i knowledge.Identity) (p knowledge.Person) {
		write(t, s, func(ctx context.Context, tx bot.Tx) (err error) {
			p, err = tx.Identify(ctx, i, noon())
			return err
		})
		return p
	}
	maria := knowledge.Person{Name: "Мария Ёлкина", Senior: true, Admin: true, Chat: "console:мария", Created: noon()}
	t.Run("comes back as it went in", func(t *testing.T) {
		maria.ID = person(t, s, maria)
		equal(t, "person", get(maria.ID), maria)
		maria.Admin = false
		maria.Email, maria.Team, maria.Zone, maria.Hours = "maria@firm.example", "Продажи", "Europe/Moscow", "пн-пт 9-18"
		maria.Away, maria.Admitted, maria.Unreachable = noon().Add(time.Hour), true, "bot was blocked"
		write(t, s, func(ctx context.Context, tx bot.Tx) error { p := maria; return tx.PutPerson(ctx, &p) })
		equal(t, "updated", get(maria.ID), maria)
	})
	t.Run("is made on first sight and known on the second", func(t *testing.T) {
		first := identify(knowledge.Identity{Platform: "slack", External: "U1", Name: "Иван", Chat: "slack:D1"})
		equal(t, "made", first, knowledge.Person{ID: first.ID, Name: "Иван", Chat: "slack:D1", Created: noon()})
		second := identify(knowledge.Identity{Platform: "slack", External: "U1", Name: "Ваня", Chat: "slack:D2"})
		equal(t, "known by the same name", second, knowledge.Person{ID: first.ID, Name: "Иван", Chat: "slack:D2", Created: noon()})
		equal(t, "stored", get(first.ID), second)
		silent := identify(knowledge.Identity{Platform: "slack", External: "U1"})
		equal(t, "the chat when none is told", silent.Chat, "slack:D2")
	})
	t.Run("is another one on another platform", func(t *testing.T) {
		a := identify(knowledge.Identity{Platform: "slack", External: "7", Name: "А"})
		b := identify(knowledge.Identity{Platform: "telegram", External: "7"})
		if a.ID == b.ID {
			t.Error("two identities are one person")
		}
		equal(t, "the name of somebody without one", b.Name, "7")
	})
	t.Run("is made once by many at once", func(t *testing.T) {
		var wg sync.WaitGroup
		found := make([]int64, 8)
		for i := range found {
			wg.Go(func() {
				found[i] = identify(knowledge.Identity{Platform: "console", External: "одна"}).ID
			})
		}
		wg.Wait()
		for _, id := range found {
			equal(t, "id", id, found[0])
		}
	})
	t.Run("is listed by id, all or the seniors", func(t *testing.T) {
		all := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Person, error) { return tx.People(ctx, false) })
		if len(all) != 5 || all[0].ID != maria.ID {
			t.Errorf("people: %+v", all)
		}
		seniors := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Person, error) { return tx.People(ctx, true) })
		equal(t, "seniors", seniors, []knowledge.Person{maria})
	})
	t.Run("is no senior any more after leaving", func(t *testing.T) {
		gone := maria
		gone.Left = true
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutPerson(ctx, &gone) })
		equal(t, "stored", get(maria.ID), gone)
		seniors := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Person, error) { return tx.People(ctx, true) })
		equal(t, "seniors", seniors, nil)
	})
	t.Run("has an e-mail alone, in whatever case", func(t *testing.T) {
		one := person(t, s, knowledge.Person{Name: "Ева", Email: " Eva@Firm.example "})
		equal(t, "e-mail", get(one).Email, "eva@firm.example")
		refuse(t, s, knowledge.ErrConflict, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutPerson(ctx, &knowledge.Person{Name: "Ева другая", Email: "EVA@firm.example"})
		})
		person(t, s, knowledge.Person{Name: "Без почты"})
		person(t, s, knowledge.Person{Name: "И этот без почты"})
	})
	t.Run("what does not exist is not found", func(t *testing.T) {
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { _, err := tx.Person(ctx, 999); return err })
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutPerson(ctx, &knowledge.Person{ID: 999, Name: "Никто"})
		})
	})
	t.Run("nobody is refused", func(t *testing.T) {
		refuse(t, s, knowledge.ErrInvalid, func(ctx context.Context, tx bot.Tx) error {
			_, err := tx.Identify(ctx, knowledge.Identity{Platform: "console"}, noon())
			return err
		})
	})
}
