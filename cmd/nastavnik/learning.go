package main

import (
	"context"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// learning returns the settings of learning as the domain has them.
func (a *app) learning() knowledge.Learning {
	const day = 24 * time.Hour
	c := a.cfg.Learning
	return knowledge.Learning{
		Picks: orNever(c.Picks), Helped: orNever(c.Helped),
		FrequentAsks: orNever(c.FAQ.Asks), FrequentWithin: time.Duration(c.FAQ.Days) * day,
		StaleAfter: time.Duration(c.Stale.Days) * day, StaleShare: c.Stale.Share,
	}
}

// orNever gives the configuration's 0 the meaning that it has there: in the
// domain it means the default.
func orNever(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// frequentEvery is how often the frequent questions are looked through. New ones
// are noticed at once, when somebody asks: this is for those that are asked no more.
const frequentEvery = 24 * time.Hour

// keepFrequent looks through the frequent questions now and then every day, until
// ctx ends. Doing it again after a restart changes nothing.
func (a *app) keepFrequent(ctx context.Context) error {
	tick := time.NewTicker(frequentEvery)
	defer tick.Stop()
	for {
		if err := a.frequent(ctx); err != nil && ctx.Err() == nil {
			a.log.ErrorContext(ctx, "looking through the frequent questions failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *app) frequent(ctx context.Context) error {
	var promoted, demoted []knowledge.Question
	err := a.store.Write(ctx, func(tx bot.Tx) (err error) {
		promoted, demoted, err = knowledge.Desk{Tx: tx, Now: time.Now(), Learning: a.learning()}.Frequent(ctx)
		return err
	})
	if err == nil && len(promoted)+len(demoted) > 0 {
		a.log.InfoContext(ctx, "frequent questions", "promoted", len(promoted), "demoted", len(demoted))
	}
	return err
}
