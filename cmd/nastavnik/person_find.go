package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// strangerError says that nobody is meant by what was given.
type strangerError struct{ ref string }

func (e strangerError) Error() string {
	return fmt.Sprintf("человека %q нет; кто есть: nastavnik person list", e.ref)
}

// findPerson returns who is meant: by the number in person list, by e-mail or by name.
func findPerson(ctx context.Context, tx bot.Tx, ref string) (knowledge.Person, error) {
	if id, err := strconv.ParseInt(strings.TrimSpace(ref), 10, 64); err == nil {
		p, err := tx.Person(ctx, id)
		if errors.Is(err, knowledge.ErrNotFound) {
			err = strangerError{ref}
		}
		return p, err
	}
	all, err := tx.People(ctx, false)
	if err != nil {
		return knowledge.Person{}, err
	}
	var found, gone []knowledge.Person
	for _, p := range all {
		switch {
		case !meant(p, ref):
		case p.Left:
			gone = append(gone, p)
		default:
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		found = gone
	}
	switch len(found) {
	case 0:
		return knowledge.Person{}, strangerError{ref}
	case 1:
		return found[0], nil
	}
	numbers := make([]string, len(found))
	for i, p := range found {
		numbers[i] = strconv.FormatInt(p.ID, 10)
	}
	return knowledge.Person{}, fmt.Errorf("людей с именем %q несколько: назовите по номеру (%s)", ref, strings.Join(numbers, ", "))
}

func meant(p knowledge.Person, ref string) bool {
	if strings.Contains(ref, "@") && p.Email == knowledge.FoldEmail(ref) {
		return true
	}
	fold := knowledge.FoldText(ref)
	return fold != "" && fold == knowledge.FoldText(p.Name)
}

// someone opens the store and returns who is meant.
func (a *app) someone(ctx context.Context, ref string) (p knowledge.Person, err error) {
	if err := a.open(ctx); err != nil {
		return p, err
	}
	err = a.store.Read(ctx, func(tx bot.Tx) error {
		p, err = findPerson(ctx, tx, ref)
		return err
	})
	return p, err
}

// author returns who acts at the command line: a person by name, made when there is
// none. Where they are written to does not change by that.
func (a *app) author(ctx context.Context, name string) (knowledge.Person, error) {
	p, err := a.someone(ctx, name)
	if stranger := (strangerError{}); !errors.As(err, &stranger) {
		return p, err
	}
	i := console.Identity(name)
	i.Chat = ""
	return a.office().AddPerson(ctx, i, func(*knowledge.Person) {})
}

// newcomer is how somebody is known who has been added by name. On chat platforms
// they are known by their e-mail or by an invitation, and written to there; without
// any there is the terminal.
func (a *app) newcomer(name string) knowledge.Identity {
	i := console.Identity(name)
	if a.chatsElsewhere() {
		i.Chat = ""
	}
	return i
}

// privateChat is where a person can be written to whom a platform knows by an id; ""
// where they have to begin.
func privateChat(platform, external string) string {
	if platform == "telegram" {
		return "" // a bot cannot write first
	}
	return string(bot.NewChat(platform, external))
}
