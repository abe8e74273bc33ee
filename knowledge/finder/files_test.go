package finder_test

import (
	"context"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// An answer is shown with its files as they are now, in every process: whether it
// was loaded with them or has followed them.
func TestPagesHaveFiles(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(entry{id: "deal", text: "Как закрыть сделку?", answer: "Кнопкой «Закрыть»."}, entry{id: "leave", text: "Как оформить отпуск?", answer: "Заявлением."})
	attach := func(question, name string) {
		r.change(func(ctx context.Context, tx knowledge.Tx) error {
			a := knowledge.Attachment{Name: name, Content: knowledge.Content{Key: "sha256/" + name, Media: "image/png", Size: 1}}
			_, err := knowledge.Desk{Tx: tx}.Attach(ctx, question, a)
			return err
		})
	}
	attach("deal", "схема.png")
	first := newFinder(t, r, nil)
	shows := func(question string, want ...string) {
		t.Helper()
		for range 2 { // the second time nothing has been written since
			p, err := first.Show(t.Context(), question, nil)
			if err != nil {
				t.Fatal(err)
			}
			again, err := newFinder(t, r, nil).Show(t.Context(), question, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, got := range [][]knowledge.Attachment{p.Files, again.Files} {
				if len(got) != len(want) {
					t.Fatalf("%s: the files are %v, want %q", question, got, want)
				}
				for i := range want {
					if got[i].Name != want[i] {
						t.Errorf("%s: the files are %v, want %q", question, got, want)
					}
				}
			}
		}
	}
	shows("deal", "схема.png")
	shows("leave")
	attach("deal", "бланк.png")
	attach("leave", "образец.png")
	shows("deal", "схема.png", "бланк.png")
	shows("leave", "образец.png")
	r.change(func(ctx context.Context, tx knowledge.Tx) error {
		_, err := knowledge.Desk{Tx: tx, WithoutFiles: true}.Revise(ctx, "deal", 0, "Иначе")
		return err
	})
	shows("deal")
	found, err := first.Find(t.Context(), knowledge.Inquiry{Text: "Как оформить отпуск?"})
	if err != nil || found.Page == nil || len(found.Page.Files) != 1 {
		t.Errorf("found %+v, %v", found.Page, err)
	}
}
