// Package bot is the conversation, free of any platform.
//
// An adapter turns what a platform says into an Event and stores it in the
// inbox. The Runner takes the events of a chat one by one: Decider.Decide, a
// pure function, makes of the chat's State and the event a new state and a list
// of Actions; the runner stores state, messages to send, changes of the
// knowledge base and late work in one transaction. Messages then leave through
// the outbox in the order of their chat. What needs the searcher is put into
// the inbox as a Query, answered outside the transaction, and its result
// decided on like any other event, so that a process killed at any point goes
// on where it was.
//
// Chats influence each other only by events: a senior's reply becomes an event
// in the chat of everybody who waits for it.
package bot
