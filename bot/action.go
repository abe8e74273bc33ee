package bot

import "time"

// Action is something that Decide wants done. Actions are performed in order,
// in the transaction that stores the new state.
type Action interface{ action() }

// Send says something in the chat. Key names the message, so that a later one
// can replace it; empty for most.
type Send struct {
	Key     string
	Message Message
}

// Look puts a query into the chat's inbox.
type Look struct{ Query Query }

// Do changes the knowledge base; the command's result is decided on next,
// within the same transaction.
type Do struct{ Command Command }

// Wake makes an event in this chat at a later time.
type Wake struct {
	At   time.Time
	Body Body
}

// Mark shows the pressed button as chosen, and ends the choice it belongs to.
type Mark struct{ Button string }

func (Send) action() {}
func (Look) action() {}
func (Do) action()   {}
func (Wake) action() {}
func (Mark) action() {}
