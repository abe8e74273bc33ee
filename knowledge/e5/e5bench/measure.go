package main

import (
	"context"
	"slices"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5"
)

// result is what came out for one load: the median times of one call, and the cosine of the two vectors.
type result struct {
	tokens       int
	theirs, ours time.Duration
	cosine       float64
}

// measure lets both engines embed a load in turns.
func measure(ctx context.Context, model *e5.Model, python string, l load, o options) (result, error) {
	c, err := startEngine(ctx, python, l, o.core)
	if err != nil {
		return result{}, err
	}
	defer c.stop()
	vector, _, err := embed(ctx, model, l) // also warms up
	if err != nil {
		return result{}, err
	}
	var theirs, ours []time.Duration
	for range o.rounds {
		times, err := c.time(l.repeat)
		if err != nil {
			return result{}, err
		}
		theirs = append(theirs, times...)
		for range l.repeat {
			_, took, err := embed(ctx, model, l)
			if err != nil {
				return result{}, err
			}
			ours = append(ours, took)
		}
	}
	r := result{tokens: c.tokens, theirs: median(theirs), ours: median(ours)}
	for i, v := range vector {
		r.cosine += float64(v) * c.vector[i]
	}
	return r, nil
}

// embed embeds a load once and returns how long that took.
func embed(ctx context.Context, model *e5.Model, l load) ([]float32, time.Duration, error) {
	call := model.EmbedQueries
	if l.passage {
		call = model.EmbedPassages
	}
	texts := []string{l.text}
	begin := time.Now()
	vectors, err := call(ctx, texts)
	took := time.Since(begin)
	if err != nil {
		return nil, 0, err
	}
	return vectors[0], took, nil
}

// median returns the median of times, which it sorts.
func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
