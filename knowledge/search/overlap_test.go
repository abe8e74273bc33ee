package search

import "testing"

func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b      string
		low, high float64
	}{
		{"как перенести встречу в календаре", "Перенести встречу в календаре?", 1, 1},
		{"как подключить телефонию к карточке клиента", "подключить телефонию к карточке", 0.8, 0.9},
		{"как вернуть деньги клиенту", "как вернуть деньги поставщику", 0.6, 0.7},
		{"как оформить отпуск", "где мой пропуск", 0, 0},
		{"как и что", "где и когда", 0, 0}, // nothing but function words
		{"", "", 0, 0},
		{"how do i cancel an invoice", "cancelling invoices", 1, 1},
	} {
		got, back := Parse(c.a).Overlap(c.b), Parse(c.b).Overlap(c.a)
		if got != back || got < c.low || got > c.high {
			t.Errorf("%q and %q have %v in common, and %v the other way", c.a, c.b, got, back)
		}
	}
}
