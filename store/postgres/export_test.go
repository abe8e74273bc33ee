package postgres

import "time"

// SetLimits makes a test's store lose patience sooner.
func (s *Store) SetLimits(statement, turn time.Duration) {
	s.limits = limits{statement: statement, turn: turn}
}
