package main

import (
	"fmt"

	"github.com/nastavnik-bot/nastavnik/configs"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// routingOf returns how questions are given to seniors, as the domain has it.
func routingOf(c configs.Config) (knowledge.Routing, error) {
	s := knowledge.Schedule{Zone: c.Location()}
	var err error
	if s.Hours, err = knowledge.ParseHours(c.Senior.Hours); err != nil {
		return knowledge.Routing{}, fmt.Errorf("%w: senior.hours: %w", configs.ErrConfig, err)
	}
	if s.Holidays, err = days(c.Senior.Holidays); err != nil {
		return knowledge.Routing{}, fmt.Errorf("%w: senior.holidays: %w", configs.ErrConfig, err)
	}
	if s.Workdays, err = days(c.Senior.Workdays); err != nil {
		return knowledge.Routing{}, fmt.Errorf("%w: senior.workdays: %w", configs.ErrConfig, err)
	}
	return knowledge.Routing{Limit: c.Senior.Limit, Hours: s, Remind: c.Senior.Remind, HandOver: c.Senior.HandOver}, nil
}

// days reads the days of a list, and of the files that it names.
func days(list []string) (map[knowledge.Date]bool, error) {
	texts, err := configs.Days(list)
	if err != nil {
		return nil, err
	}
	out := map[knowledge.Date]bool{}
	for _, text := range texts {
		dates, err := knowledge.ParseDates(text)
		if err != nil {
			return nil, err
		}
		for _, d := range dates {
			out[d] = true
		}
	}
	return out, nil
}

// access is who may use the bot.
func (a *app) access() knowledge.Access { return knowledge.Access(a.cfg.Access) }
