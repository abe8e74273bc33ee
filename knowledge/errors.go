package knowledge

import "errors"

// Errors that callers tell apart. Everything that a store or a rule returns
// wraps one of them, or is an unexpected failure.
var (
	// ErrNotFound says that the thing asked for does not exist.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that somebody else was first: a newer version exists, or
	// the work has been done by another person.
	ErrConflict = errors.New("conflict")
	// ErrInvalid says that what was given cannot be accepted as it is.
	ErrInvalid = errors.New("invalid")
	// ErrAway says that a part the bot works with is out of reach for now: a
	// database, an index, a file store, an embedder. What was asked may be tried
	// again later as it is.
	ErrAway = errors.New("out of reach")
	// ErrTransition says that a status may not follow another; see Status.To.
	ErrTransition = errors.New("forbidden status change")
)
