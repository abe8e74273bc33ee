package search_test

import (
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

func standingLexicon(refused []string, doubt float64) *search.Lexicon {
	l := search.NewLexicon()
	l.Put(
		search.Entry{ID: "owner", Phrasings: []string{"Как сменить ответственного?", "передать сделку коллеге"}, Answer: "Откройте карточку.", Refused: refused, Doubt: doubt},
		search.Entry{ID: "pass", Phrasings: []string{"Как забрать пропуск?"}, Answer: "На проходной."},
	)
	return l
}

func rankWords(l *search.Lexicon, text string) []search.Scored {
	return l.Rank(search.Parse(text), nil, search.DefaultWeights(""))
}

func TestRefusedWordingComesLast(t *testing.T) {
	const asked = "сменить ответственного за пропуск"
	if first := rankWords(standingLexicon(nil, 0), asked)[0].ID; first != "owner" {
		t.Fatalf("first is %q before anybody refused it", first)
	}
	l := standingLexicon([]string{"Сменить ответственного за пропуск?!"}, 0)
	ranked := rankWords(l, asked)
	if ranked[0].ID != "pass" || !ranked[len(ranked)-1].Parts.Refused {
		t.Errorf("the refused entry is not last: %+v", ranked)
	}
	if other := rankWords(l, "сменить ответственного")[0]; other.ID != "owner" || other.Parts.Refused {
		t.Errorf("another wording suffers: %+v", other)
	}
}

func TestRefusedIsNotAnsweredDirectly(t *testing.T) {
	l := search.NewLexicon()
	l.Put(search.Entry{ID: "owner", Phrasings: []string{"Как сменить ответственного?"}, Answer: "Откройте карточку.", Refused: []string{"сменить ответственного"}})
	ranked := rankWords(l, "сменить ответственного")
	c := search.DefaultCalibration("")
	c.AnswerAt, c.MinChars, c.SuggestAt, c.Floor = 0, 0, 0, 0
	if d := search.Decide(ranked, c); d.Kind == search.Answer {
		t.Errorf("decided %v on what people refused", d.Kind)
	}
}

func TestDoubtLowersConfidence(t *testing.T) {
	c := search.DefaultCalibration("")
	for _, asked := range []string{"передать сделку коллеге", "как передать сделку"} {
		trusted := c.Confidence(rankWords(standingLexicon(nil, 0), asked))
		doubted := c.Confidence(rankWords(standingLexicon(nil, 1), asked))
		if !(doubted < trusted && doubted > 0) {
			t.Errorf("%q: confidence %.4f with doubt, %.4f without", asked, doubted, trusted)
		}
	}
}

func TestExactWithItsGreeting(t *testing.T) {
	l := search.NewLexicon()
	l.Put(search.Entry{ID: "owner", Phrasings: []string{"Здравствуйте, подскажите, как сменить ответственного?"}, Answer: "Откройте карточку."})
	for _, asked := range []string{"здравствуйте подскажите как сменить ответственного", "Здравствуйте! Подскажите: как сменить ответственного"} {
		if r := rankWords(l, asked); !r[0].Parts.Exact {
			t.Errorf("%q is not taken for the stored wording", asked)
		}
	}
}
