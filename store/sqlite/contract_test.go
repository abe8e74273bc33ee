package sqlite_test

import (
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.TestStore(t, func(t *testing.T) bot.Store {
		t.Helper()
		return open(t, folder(t))
	})
}
