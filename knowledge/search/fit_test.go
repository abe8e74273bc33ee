package search_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// drawn are n examples whose labels follow a calibration.
func drawn(c search.Calibration, n int, seed uint64) []search.Example {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]search.Example, n)
	for i := range out {
		f := make([]float64, len(search.FeatureNames()))
		for j := range f {
			f[j] = 3 * r.Float64()
		}
		z := c.Bias
		for j, w := range c.Coefficients() {
			z += w * f[j]
		}
		out[i] = search.Example{Features: f, Right: r.Float64() < 1/(1+math.Exp(-z))}
	}
	return out
}

// shipped is a calibration to begin with, whatever the features are.
func shipped() search.Calibration {
	ones := slices.Repeat([]float64{1}, len(search.FeatureNames()))
	return search.DefaultCalibration(search.EmbedderE5).WithCoefficients(-6, ones)
}

// other is far from it: each coefficient is another one.
func other(bias float64) search.Calibration {
	of := make([]float64, len(search.FeatureNames()))
	for j := range of {
		of[j] = 0.3 + 0.5*float64(j)
	}
	return shipped().WithCoefficients(bias, of)
}

// With many examples the prior has no say: the fit finds what drew the labels.
func TestFitFindsWhatDrewTheLabels(t *testing.T) {
	truth := other(-7)
	got := shipped().Fit(drawn(truth, 40_000, 1))
	for j, want := range truth.Coefficients() {
		if g := got.Coefficients()[j]; math.Abs(g-want) > 0.15 {
			t.Errorf("%s is %.3f, want %.3f", search.FeatureNames()[j], g, want)
		}
	}
	for _, e := range drawn(truth, 200, 2) {
		if g, want := got.Trust(e), truth.Trust(e); math.Abs(g-want) > 0.03 {
			t.Errorf("%v: confidence %.3f, want %.3f", e.Features, g, want)
		}
	}
}

// Few examples move it little, many more.
func TestFitStaysNearTheShippedWithFewExamples(t *testing.T) {
	far := other(-8)
	moved := func(n int) float64 {
		got, sum := shipped().Fit(drawn(far, n, 3)), 0.0
		probes := drawn(far, 300, 4)
		for _, e := range probes {
			sum += math.Abs(got.Trust(e) - shipped().Trust(e))
		}
		return sum / float64(len(probes))
	}
	few, some, many := moved(4), moved(60), moved(4000)
	if few > 0.1 || few >= some || some >= many {
		t.Errorf("moved by %.3f with 4 examples, %.3f with 60, %.3f with 4000", few, some, many)
	}
	if got := shipped().Fit(nil); got != shipped() {
		t.Errorf("no examples give %+v", got)
	}
	if got := shipped().Fit([]search.Example{{Features: []float64{1}, Right: true}}); got != shipped() {
		t.Errorf("examples of other features give %+v", got)
	}
}

func TestFitIsValidAndNeverTrustsABetterMatchLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := len(search.FeatureNames())
		examples := make([]search.Example, rapid.IntRange(1, 40).Draw(t, "examples"))
		for i := range examples {
			examples[i] = search.Example{
				Features: rapid.SliceOfN(rapid.Float64Range(0, 40), n, n).Draw(t, "features"),
				Right:    rapid.Bool().Draw(t, "right"),
			}
		}
		c := shipped().Fit(examples)
		if err := c.Validate(); err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		low := rapid.SliceOfN(rapid.Float64Range(0, 40), n, n).Draw(t, "low")
		high := slices.Clone(low)
		high[rapid.IntRange(0, n-1).Draw(t, "which")] += rapid.Float64Range(0, 10).Draw(t, "more")
		if c.Trust(search.Example{Features: high}) < c.Trust(search.Example{Features: low})-1e-12 {
			t.Fatalf("more is trusted less: %v %v, %v %v", low, c.Trust(search.Example{Features: low}), high, c.Trust(search.Example{Features: high}))
		}
	})
}

// TestTrustIsTheConfidence: what is fitted on features is what decides on rankings.
func TestTrustIsTheConfidence(t *testing.T) {
	c := shipped().WithCoefficients(-35, shipped().Coefficients())
	ranked := []search.Scored{
		{ID: "a", Score: 33, Parts: search.Parts{Vector: 0.9, Passage: 0.85, Chars: 0.4, Coverage: 0.5, Among: 40}},
		{ID: "b", Score: 31.5, Parts: search.Parts{Vector: 0.85, Passage: 0.8}},
	}
	if got, want := c.Trust(search.Example{Features: c.Features(ranked), Among: 40}), c.Confidence(ranked); math.Abs(got-want) > 1e-12 || want == 0 {
		t.Errorf("trust %v, confidence %v", got, want)
	}
	if got := c.Trust(search.Example{Features: []float64{1}}); got != 0 {
		t.Errorf("features of another number: %v", got)
	}
}
