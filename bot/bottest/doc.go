// Package bottest runs scripted conversations: what people write and press, and
// what the bot must say to each of them.
//
// A conversation is a txtar file; docs/conversations.md has its format. It is
// played on the embedded store, with the real search (words only) and the real
// texts. Only the clock, and with it late work, belongs to the script.
package bottest
