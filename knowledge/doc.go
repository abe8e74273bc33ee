// Package knowledge is the domain of Nastavnik: what a question, an answer, an
// ask, an escalation and a person are, which status may follow which, and what
// happens to all of them when an employee asks and a senior replies.
//
// It does no I/O of its own. The rules (Desk) work on a Tx, the record of truth
// inside one transaction, which package store provides; searching is described
// by the interfaces Embedder and Index, which its sub-packages and store
// provide. The package imports nothing else of this project.
package knowledge
