package search

import (
	"math"
)

// Example is a labelled ranking to fit a calibration on.
type Example struct {
	Features []float64 // as [Calibration.Features] returns them
	Among    int       // Parts.Among of the first
	Right    bool      // the first of the ranking is the question that was meant
}

// The prior of a fit, in log odds for one standard deviation of a feature in the
// examples: so much the coefficients may differ from the shipped ones before the
// examples have to insist. Its weight is that of some thirty examples.
const (
	priorSlope = 0.5
	priorBias  = 1.0
	// steady is the deviation of a feature, as a share of its mean (or of 1), below
	// which it has not differed enough to learn from.
	steady = 1e-3
)

// Trust returns the confidence in the first of an example's ranking, which has not
// the very words, as [Calibration.Confidence] would; 0 if it has another number of
// features.
func (c Calibration) Trust(e Example) float64 {
	coefficients := c.Coefficients()
	if len(e.Features) != len(coefficients) {
		return 0
	}
	z := c.Bias - c.youth(e.Among)
	for i, f := range e.Features {
		z += coefficients[i] * f
	}
	return certain * logistic(z)
}

func logistic(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// Fit returns c with the bias and the coefficients that the examples make most
// probable, given that those of c were probable before (maximum a posteriori with a
// Gaussian prior; a logistic regression where the examples are many). No coefficient
// becomes negative: a better match is never trusted less. The thresholds stay: they
// are chosen on examples that a fit has not seen. Examples with another number of
// features are left out; without any, c is returned.
func (c Calibration) Fit(examples []Example) Calibration {
	r := newRegression(c, examples)
	if len(r.right) == 0 {
		return c
	}
	const rounds = 200 // a hundred times what convergence takes
	for range rounds {
		if r.round() < 1e-9 {
			break
		}
	}
	return r.calibration(c)
}

// regression is a logistic regression over standardised features: column 0 is the
// bias.
type regression struct {
	columns  [][]float64 // by coefficient, then by example
	right    []float64   // 1 or 0
	z        []float64   // log odds of each example under beta
	beta     []float64
	prior    []float64 // the mean of each coefficient's prior
	weight   []float64 // 1/variance of it
	mean, sd []float64 // by feature
}

func newRegression(c Calibration, examples []Example) *regression {
	coefficients := c.Coefficients()
	d := len(coefficients)
	var usable []Example
	for _, e := range examples {
		if len(e.Features) == d {
			usable = append(usable, e)
		}
	}
	r := &regression{
		columns: make([][]float64, d+1), right: make([]float64, len(usable)), z: make([]float64, len(usable)),
		beta: make([]float64, d+1), prior: make([]float64, d+1), weight: make([]float64, d+1),
		mean: make([]float64, d), sd: make([]float64, d),
	}
	for i, e := range usable {
		if e.Right {
			r.right[i] = 1
		}
	}
	bias := c.Bias
	for j, coefficient := range coefficients {
		r.standardise(j, usable)
		bias += coefficient * r.mean[j]
		r.prior[j+1], r.weight[j+1] = coefficient*r.sd[j], 1/(priorSlope*priorSlope)
	}
	r.columns[0] = make([]float64, len(usable))
	for i := range r.columns[0] {
		r.columns[0][i] = 1
	}
	r.prior[0], r.weight[0] = bias, 1/(priorBias*priorBias)
	copy(r.beta, r.prior)
	for i, e := range usable {
		r.z[i] = -c.youth(e.Among) // which no coefficient has a say in
		for j, column := range r.columns {
			r.z[i] += r.beta[j] * column[i]
		}
	}
	return r
}

// standardise brings a feature to mean 0 and deviation 1 over the examples. One
// that never differs stays out: its coefficient keeps its prior.
func (r *regression) standardise(j int, examples []Example) {
	n := float64(len(examples))
	for _, e := range examples {
		r.mean[j] += e.Features[j] / n
	}
	for _, e := range examples {
		r.sd[j] += (e.Features[j] - r.mean[j]) * (e.Features[j] - r.mean[j]) / n
	}
	r.sd[j] = math.Sqrt(r.sd[j])
	if r.sd[j] < steady*max(1, r.mean[j]) {
		r.sd[j] = 0
	}
	column := make([]float64, len(examples))
	if r.sd[j] > 0 {
		for i, e := range examples {
			column[i] = (e.Features[j] - r.mean[j]) / r.sd[j]
		}
	}
	r.columns[j+1] = column
}

// round moves each coefficient in turn by a Newton step, which for a convex sum of
// so few goes straight to the minimum, and returns the largest move.
func (r *regression) round() float64 {
	largest := 0.0
	for j, column := range r.columns {
		gradient := r.weight[j] * (r.beta[j] - r.prior[j])
		curvature := r.weight[j]
		for i, x := range column {
			p := logistic(r.z[i])
			gradient += (p - r.right[i]) * x
			curvature += p * (1 - p) * x * x
		}
		// Half a unit at most: far from the minimum the curvature is misleading.
		to := r.beta[j] - max(-0.5, min(0.5, gradient/curvature))
		if j > 0 {
			to = max(0, to)
		}
		move := to - r.beta[j]
		r.beta[j] = to
		for i, x := range column {
			r.z[i] += move * x
		}
		largest = max(largest, math.Abs(move))
	}
	return largest
}

// calibration turns the coefficients back to the features as they are.
func (r *regression) calibration(c Calibration) Calibration {
	bias := r.beta[0]
	out := c.Coefficients()
	for j := range out {
		if r.sd[j] > 0 {
			out[j] = r.beta[j+1] / r.sd[j]
		}
		bias -= out[j] * r.mean[j]
	}
	return c.WithCoefficients(bias, out)
}
