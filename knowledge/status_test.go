package knowledge_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Every pair of statuses: what may follow what is decided here and nowhere else.
func TestStatusTable(t *testing.T) {
	const (
		no  = false
		yes = true
	)
	allowed := map[knowledge.Status]map[knowledge.Status]bool{
		knowledge.Unanswered: {
			knowledge.Unanswered: yes, knowledge.AwaitingSenior: yes, knowledge.InKnowledgeBase: yes, knowledge.FAQ: no,
		},
		knowledge.AwaitingSenior: {
			knowledge.Unanswered: yes, knowledge.AwaitingSenior: yes, knowledge.InKnowledgeBase: yes, knowledge.FAQ: no,
		},
		knowledge.InKnowledgeBase: {
			knowledge.Unanswered: yes, knowledge.AwaitingSenior: no, knowledge.InKnowledgeBase: yes, knowledge.FAQ: yes,
		},
		knowledge.FAQ: {
			knowledge.Unanswered: yes, knowledge.AwaitingSenior: no, knowledge.InKnowledgeBase: yes, knowledge.FAQ: yes,
		},
	}
	for _, from := range knowledge.Statuses() {
		for _, to := range knowledge.Statuses() {
			err := from.To(to)
			if allowed[from][to] != (err == nil) {
				t.Errorf("«%s» → «%s»: %v", from.Title(), to.Title(), err)
			}
			if err == nil {
				continue
			}
			if !errors.Is(err, knowledge.ErrTransition) {
				t.Errorf("%v does not wrap ErrTransition", err)
			}
			if !strings.Contains(err.Error(), from.Title()) || !strings.Contains(err.Error(), to.Title()) {
				t.Errorf("%v does not name both statuses", err)
			}
		}
	}
}

// There are exactly four, with the names that people know.
func TestStatusNames(t *testing.T) {
	want := map[knowledge.Status]string{
		"unanswered":        "Без ответа",
		"awaiting_senior":   "Ожидание ответа сеньора",
		"in_knowledge_base": "Добавлен в базу знаний",
		"faq":               "Часто задаваемый вопрос",
	}
	if len(knowledge.Statuses()) != len(want) {
		t.Fatalf("%d statuses", len(knowledge.Statuses()))
	}
	for _, s := range knowledge.Statuses() {
		if s.Title() != want[s] {
			t.Errorf("%s is called «%s», want «%s»", s, s.Title(), want[s])
		}
		if s.Answered() != (s == knowledge.InKnowledgeBase || s == knowledge.FAQ) {
			t.Errorf("%s: Answered is %v", s, s.Answered())
		}
	}
}

func TestParseStatus(t *testing.T) {
	for text, want := range map[string]knowledge.Status{
		"unanswered": knowledge.Unanswered, "Без ответа": knowledge.Unanswered, "  БЕЗ   ОТВЕТА ": knowledge.Unanswered,
		"awaiting_senior": knowledge.AwaitingSenior, "Awaiting-Senior": knowledge.AwaitingSenior, "ожидание ответа сеньора": knowledge.AwaitingSenior,
		"in knowledge base": knowledge.InKnowledgeBase, "добавлен в базу знаний": knowledge.InKnowledgeBase,
		"FAQ": knowledge.FAQ, "часто задаваемый вопрос": knowledge.FAQ,
	} {
		if got, err := knowledge.ParseStatus(text); err != nil || got != want {
			t.Errorf("%q is %q, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "готово", "faq!", "без"} {
		_, err := knowledge.ParseStatus(text)
		if !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for _, s := range knowledge.Statuses() {
			if !strings.Contains(err.Error(), s.Title()) || !strings.Contains(err.Error(), string(s)) {
				t.Errorf("%q: %v does not offer %s", text, err, s)
			}
		}
	}
}
