package slack_test

import (
	"testing"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
)

// A question goes to the senior and the answer comes back, by socket and by HTTP.
func TestFromQuestionToAnswer(t *testing.T) {
	t.Parallel()
	for name, http := range map[string]bool{"socket": false, "http": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, http)
			anna, boris := o.peer.DM("U0ANNA"), o.peer.DM("U0BORIS")
			ts := o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: "как оформить командировку в &lt;Казань&gt;?"})
			offer := o.awaitButton(anna, "Нет моего вопроса")
			if offer.Thread != ts {
				t.Errorf("the offer stands in thread %q, want %q", offer.Thread, ts)
			}
			o.press(offer, "U0ANNA", "Нет моего вопроса")
			task := o.awaitText(boris, "Казань", 0)
			if task.Thread != "" {
				t.Errorf("the task stands in thread %q", task.Thread)
			}
			o.peer.Say(devenv.SlackSaying{Channel: "U0BORIS", User: "U0BORIS", Text: "Через *портал*, см. <https://portal.example.com|заявку>", Thread: task.TS})
			done := o.awaitButton(boris, "Готово")
			if done.Thread != task.TS {
				t.Errorf("what the senior is told stands in thread %q, want %q", done.Thread, task.TS)
			}
			o.press(done, "U0BORIS", "Готово")
			o.awaitText(anna, "портал", 1)
		})
	}
}
