package search_test

import (
	"slices"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// What people asked next is offered, however far its words are; what says the same
// as any wording of the entry just read is not, however often it was asked next.
func TestRelatedAskedNext(t *testing.T) {
	l := search.NewLexicon()
	l.Put(
		search.Entry{ID: "vacation", Topic: "Кадры", Phrasings: []string{"Как оформить отпуск?", "сколько дней отпуска осталось"}, Answer: "Заявка."},
		search.Entry{ID: "days", Topic: "Кадры", Phrasings: []string{"Сколько дней отпуска у меня осталось?"}, Answer: "Баланс."},
		search.Entry{ID: "move", Topic: "Кадры", Phrasings: []string{"Как перенести отпуск?"}, Answer: "Перенести."},
		search.Entry{ID: "sick", Topic: "Кадры", Phrasings: []string{"Как оформить больничный?"}, Answer: "Заявка."},
		search.Entry{ID: "remote", Topic: "Кадры", Phrasings: []string{"Как оформить удалённую работу?"}, Answer: "Заявка."},
		search.Entry{ID: "pass", Topic: "Офис", Phrasings: []string{"Где взять гостевой билет?"}, Answer: "На стойке."},
	)
	related := func(boost map[string]float64) []string {
		var ids []string
		for _, s := range l.Related("vacation", weights(), search.RelatedOptions{Boost: boost}) {
			ids = append(ids, s.ID)
		}
		return ids
	}
	if got := related(nil); slices.Contains(got, "pass") || slices.Contains(got, "days") {
		t.Errorf("without anybody's asking it, %v", got)
	}
	if got := related(map[string]float64{"pass": 1.1, "days": 1, "nobody": 1}); !slices.Contains(got, "pass") || slices.Contains(got, "days") || slices.Contains(got, "nobody") {
		t.Errorf("what people asked next gives %v", got)
	}
}
