package main

// target is a line of the table.
type target struct {
	what    string
	run     string // the file's name without .json
	part    part
	figure  string
	shareOf string  // a run whose same figure it is a share of; "" for none
	bound   float64 // 0: shown without a target
	atMost  bool    // the bound is an upper one
}

// targets are what the project has set out to reach. The English sets are held
// against a reference that was published for other questions of the same sets.
func targets() []target {
	const main, loo, again = "rutube_ru", "rutube_ru_leave_one_out", "rutube_ru_replay"
	out := []target{
		{what: "rutube: recall@1", run: main, part: ranking, figure: "recall@1", bound: 0.62},
		{what: "rutube: recall@5", run: main, part: ranking, figure: "recall@5", bound: 0.86},
		{what: "rutube: MRR", run: main, part: ranking, figure: "mrr"},
		{what: "rutube, other wordings stored: recall@1", run: loo, part: ranking, figure: "recall@1", bound: 0.74},
		{what: "rutube, other wordings stored: recall@5", run: loo, part: ranking, figure: "recall@5", bound: 0.95},
		{what: "rutube: AUROC against far questions", run: main, part: ranking, figure: "auroc_far", bound: 0.95},
		{what: "rutube: AUROC against near questions", run: main, part: ranking, figure: "auroc_near", bound: 0.80},
		{what: "rutube: precision at the 0.95 setting, folds not seen", run: main, part: unseen, figure: "precision", bound: 0.93},
		{what: "rutube: coverage at it", run: main, part: unseen, figure: "coverage", bound: 0.20},
		{what: "rutube: must-escalate answered at it", run: main, part: unseen, figure: "escaped", bound: 0.03, atMost: true},
		{what: "rutube: precision as shipped", run: main, part: shipped, figure: "precision", bound: 0.93},
		{what: "rutube: coverage as shipped", run: main, part: shipped, figure: "coverage", bound: 0.20},
		{what: "rutube: must-escalate answered as shipped", run: main, part: shipped, figure: "escaped", bound: 0.03, atMost: true},
		{what: "rutube, wrong layout: recall@1 as a share of the clean", run: main + "_layout", part: ranking, figure: "recall@1", shareOf: main, bound: 0.9},
		{what: "rutube, translit: recall@1 as a share of the clean", run: main + "_translit", part: ranking, figure: "recall@1", shareOf: main, bound: 0.9},
		{what: "rutube, typos: recall@1 as a share of the clean", run: main + "_typo", part: ranking, figure: "recall@1", shareOf: main},
	}
	for _, set := range []struct {
		name        string
		first, five float64
	}{{"stackfaq_en", 0.902, 0.987}, {"banking77_en", 0.725, 0.923}, {"clinc150_en", 0.769, 0.964}} {
		out = append(out,
			target{what: set.name + ": recall@1 (target: the reference on its reserve)", run: set.name, part: ranking, figure: "recall@1", bound: set.first},
			target{what: set.name + ": recall@5 (target: the reference on its reserve)", run: set.name, part: ranking, figure: "recall@5", bound: set.five},
			target{what: set.name + ": AUROC against all others", run: set.name, part: ranking, figure: "auroc_all"},
			target{what: set.name + ": precision as shipped", run: set.name, part: shipped, figure: "precision"},
			target{what: set.name + ": coverage as shipped", run: set.name, part: shipped, figure: "coverage"},
			target{what: set.name + ": must-escalate answered as shipped", run: set.name, part: shipped, figure: "escaped", bound: 0.03, atMost: true},
		)
	}
	return append(out,
		target{what: "replay: senior asks for each distinct question", run: again, part: replayed, figure: "senior_asks_per_question", bound: 1.15, atMost: true},
		target{what: "replay: arrivals given a wrong answer directly", run: again, part: replayed, figure: "wrong_answers", bound: 0.02, atMost: true},
		target{what: "replay: second half answered directly", run: again, part: replayed, figure: "direct_second_half", bound: 0.25},
		target{what: "replay: solved without a senior", run: again, part: replayed, figure: "without_senior"},
		target{what: "replay: clicks for each question solved", run: again, part: replayed, figure: "clicks_per_solved"},
	)
}
