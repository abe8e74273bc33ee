package knowledge

import (
	"context"
	"time"
)

// Tx is the record of truth inside one transaction, as the rules of Desk need
// it. A lookup of what does not exist wraps ErrNotFound. Every question whose
// row, phrasings or answer a transaction changes gets a new version and is
// queued for indexing in that same transaction.
type Tx interface {
	QuestionTx
	QuestionList
	AskTx
	EscalationTx
	WaiterTx
	PersonTx
	IdentityTx
	TopicTx
	InvitationTx
	EmbeddingTx
	ChangeTx
	VerdictTx
	ReviewTx
	HistoryTx
	CalibrationTx
	FileTx
}

// QuestionTx reads and writes single questions.
type QuestionTx interface {
	// Question returns a question with its current answer.
	Question(ctx context.Context, id string) (Question, error)
	// PutQuestion inserts or updates a question, and its canonical text as a
	// phrasing. An empty id is replaced by a new one.
	PutQuestion(ctx context.Context, q *Question) error
	// PutPhrasing adds a wording; false when the question has it already (by FoldText).
	PutPhrasing(ctx context.Context, p Phrasing) (bool, error)
	// DeletePhrasing takes a wording (by FoldText) from a question. The error wraps
	// ErrNotFound when it has none, ErrInvalid when it is the canonical text.
	DeletePhrasing(ctx context.Context, question, wording string) error
	// PutEntries stores many entries at once. They are new and have their ids: the
	// error wraps ErrConflict when one of them is there already.
	PutEntries(ctx context.Context, entries []Entry) error
	// PutAnswer adds a version, fills in its ID and Version, and makes it the
	// question's current answer. One that has an ID is there already: it only
	// becomes the current one again.
	PutAnswer(ctx context.Context, a *Answer) error
}

// QuestionFilter chooses questions for a list. Zero fields do not filter.
type QuestionFilter struct {
	Statuses   []Status
	WithClosed bool     // closed ones too
	Answered   bool     // only those that have an answer to give
	Fold       string   // FoldText of the canonical text
	IDs        []string // only these
	After      string   // continue after this id (page)
	Limit      int      // 0 means all
}

// QuestionList reads several questions.
type QuestionList interface {
	// Questions lists questions with their current answers, oldest first.
	Questions(ctx context.Context, f QuestionFilter) ([]Question, error)
	// Phrasings returns the wordings of the questions, oldest first; nil means of all.
	Phrasings(ctx context.Context, questions []string) ([]Phrasing, error)
	// Answers returns the versions of a question's answer, oldest first.
	Answers(ctx context.Context, question string) ([]Answer, error)
}

// AskTx reads and writes asks.
type AskTx interface {
	// PutAsk inserts or replaces an ask with its candidates.
	PutAsk(ctx context.Context, a Ask) error
	Ask(ctx context.Context, id int64) (Ask, error)
	// Asks lists the asks of a person or on a question (zero: any), newest first.
	Asks(ctx context.Context, person int64, question string, limit int) ([]Ask, error)
	// Askers counts the different people whose words since then led to the question
	// and did not turn out to mean another. Those who only pressed a button with it
	// do not count: a frequent question is offered, and pressed, because it is one.
	Askers(ctx context.Context, question string, since time.Time) (int, error)
	// AskedNext returns the answered questions that people's next asks in the same
	// chat, within an hour, led to, with how often; limit is of the most frequent.
	AskedNext(ctx context.Context, question string, limit int) (map[string]int, error)
}

// EscalationFilter chooses escalations. Zero fields do not filter.
type EscalationFilter struct {
	Question   string
	Senior     int64
	Unassigned bool // only those that no senior has
	State      EscalationState
	Limit      int
}

// EscalationTx reads and writes escalations.
type EscalationTx interface {
	PutEscalation(ctx context.Context, e *Escalation) error
	Escalation(ctx context.Context, id int64) (Escalation, error)
	// Escalations lists them, newest first.
	Escalations(ctx context.Context, f EscalationFilter) ([]Escalation, error)
}

// WaiterTx reads and writes those who wait.
type WaiterTx interface {
	// PutWaiter inserts or replaces the waiter (one for each question and person).
	PutWaiter(ctx context.Context, w Waiter) error
	// Waiters lists all who waited for a question, whatever became of it, first comer first.
	Waiters(ctx context.Context, question string) ([]Waiter, error)
}

// PersonTx reads and writes people.
type PersonTx interface {
	// Person returns somebody by their id, or by one that they had before two turned
	// out to be one person.
	Person(ctx context.Context, id int64) (Person, error)
	// PutPerson inserts a person without an ID, filling it in, or updates the one with
	// it. The error wraps ErrConflict when somebody else has the e-mail.
	PutPerson(ctx context.Context, p *Person) error
	// Identify returns the person behind an identity, made on first sight, with
	// the identity's chat as the one to write to. Who has the e-mail that the platform
	// vouches for is that person: somebody made by sight before is merged into them.
	// An empty chat, team or zone changes nothing; a chat shows that they can be reached.
	Identify(ctx context.Context, i Identity, now time.Time) (Person, error)
	// People lists everybody, or only the seniors who have not left, by id.
	People(ctx context.Context, seniorsOnly bool) ([]Person, error)
}

// IdentityTx keeps by what platforms know people.
type IdentityTx interface {
	// Known returns the person behind an identity; the error wraps ErrNotFound before
	// it is seen or linked.
	Known(ctx context.Context, i Identity) (Person, error)
	// Identities lists a person's identities, by platform and id.
	Identities(ctx context.Context, person int64) ([]Identity, error)
	// Link stores an identity as a person's, whosever it was.
	Link(ctx context.Context, i Identity, person int64) error
	// Merge makes one person of two: everything of from becomes that of into, and from
	// is another id of into.
	Merge(ctx context.Context, from, into int64) error
}

// TopicTx keeps who answers for what.
type TopicTx interface {
	// TopicSeniors returns the ids of the seniors who answer for a topic and have not
	// left.
	TopicSeniors(ctx context.Context, topic string) ([]int64, error)
	// Topics lists all topics, those that only questions have too, by name, with
	// everybody who was put down for them.
	Topics(ctx context.Context) ([]Topic, error)
	// PutTopic stores a topic with its seniors, in place of those it had.
	PutTopic(ctx context.Context, topic Topic) error
	// DeleteTopic removes a topic and who answers for it; questions keep its name.
	DeleteTopic(ctx context.Context, name string) error
}

// InvitationTx keeps invitations by the hashes of their codes.
type InvitationTx interface {
	// PutInvitation inserts or replaces one, by its Hash; its Code is not stored.
	PutInvitation(ctx context.Context, i Invitation) error
	Invitation(ctx context.Context, hash string) (Invitation, error)
	// RevokeInvitations removes those of a person that nobody has accepted.
	RevokeInvitations(ctx context.Context, person int64) error
}

// EmbeddingTx keeps computed vectors by the model's name and TextHash, so that
// no text is embedded twice.
type EmbeddingTx interface {
	// Embeddings returns the vectors that are there, by hash.
	Embeddings(ctx context.Context, model string, hashes []string) (map[string][]float32, error)
	PutEmbeddings(ctx context.Context, model string, vectors map[string][]float32) error
}

// Change says that a question, its phrasings, its answer or their vectors have changed.
type Change struct {
	Seq      int64 // grows; gaps are possible
	Question string
}

// ChangeTx is the sequence that indexes in memory follow, in every process.
type ChangeTx interface {
	// Changes lists changes after a sequence number, oldest first.
	Changes(ctx context.Context, after int64, limit int) ([]Change, error)
	// LastChange returns the newest sequence number, 0 for none.
	LastChange(ctx context.Context) (int64, error)
	// Touch adds changes of questions whose rows stay as they are: their vectors
	// have been computed.
	Touch(ctx context.Context, questions []string) error
}

// VerdictTx keeps what people have said about wordings.
type VerdictTx interface {
	// PutVerdict inserts or replaces a person's verdict on a wording (by FoldText)
	// and a question, fills in its ID, and adds a change of the question.
	PutVerdict(ctx context.Context, v *Verdict) error
	// Verdicts lists those on the questions (nil: on all), void ones too, oldest first.
	Verdicts(ctx context.Context, questions []string) ([]Verdict, error)
}

// ReviewTx keeps what is held back for a decision.
type ReviewTx interface {
	// PutReview inserts (and fills in the ID), or updates the conflicts and the
	// decision.
	PutReview(ctx context.Context, r *Review) error
	Review(ctx context.Context, id int64) (Review, error)
	// Reviews lists those of a question ("": of all), oldest first; open only leaves
	// out what has been decided.
	Reviews(ctx context.Context, question string, open bool) ([]Review, error)
}

// HistoryTx keeps the histories of questions.
type HistoryTx interface {
	// PutStep inserts (and fills in the ID), or updates whether it is undone.
	PutStep(ctx context.Context, s *Step) error
	Step(ctx context.Context, id int64) (Step, error)
	// Steps lists those of a question after the step with that id, oldest first;
	// limit 0 means all.
	Steps(ctx context.Context, question string, after int64, limit int) ([]Step, error)
}

// CalibrationTx keeps fitted calibrations.
type CalibrationTx interface {
	// Calibration wraps ErrNotFound where none has been fitted for the embedder.
	Calibration(ctx context.Context, embedder string) (StoredCalibration, error)
	// PutCalibration stores one, or removes it when it has no Data. Either adds a
	// change of the question "": searchers read it anew.
	PutCalibration(ctx context.Context, c StoredCalibration) error
}

// AttachmentFilter chooses attachments: those of any of the answers and asks.
type AttachmentFilter struct {
	Answers []int64 // ids of versions of answers
	Asks    []int64
	Current bool // those of every question's current answer
}

// FileTx keeps the attachments of answers and asks; the contents are in Files.
type FileTx interface {
	// PutAttachment inserts one and fills in its ID and Question. It belongs to an
	// answer or to an ask, never to both: anything else wraps ErrInvalid. One of an
	// answer adds a change of the question.
	PutAttachment(ctx context.Context, a *Attachment) error
	Attachment(ctx context.Context, id int64) (Attachment, error)
	// Attachments lists them, oldest first; an empty filter chooses none.
	Attachments(ctx context.Context, f AttachmentFilter) ([]Attachment, error)
	// KeysInUse returns which of the contents' keys some attachment has: the
	// others may be deleted.
	KeysInUse(ctx context.Context, keys []string) (map[string]bool, error)
}
