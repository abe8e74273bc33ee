package bot

// Message is what the bot says in a chat, before any platform's rendering.
type Message struct {
	Text     string    `json:"text"` // standard Markdown
	Sections []Section `json:"sections,omitempty"`
	// About is the escalation that a reply to this message answers, else 0.
	About int64 `json:"about,omitempty"`
	// Replaces is the key of an earlier message that this one takes the place
	// of, "" for a new message.
	Replaces string `json:"replaces,omitempty"`
	// Chosen marks a button of the message in Replaces as pressed; the rest of
	// the message stays.
	Chosen string `json:"chosen,omitempty"`
	// Under is the platform's id of the message beneath which this one belongs;
	// Beneath is the key of such a message that the bot has sent. Both may be empty.
	Under   string `json:"under,omitempty"`
	Beneath string `json:"beneath,omitempty"`
	// File is sent instead of a text; nil for none.
	File *SentFile `json:"file,omitempty"`
	// Private says that in a chat that others read it is for its person alone.
	Private bool `json:"private,omitempty"`
}

// SentFile is a file that is sent as a message of its own.
type SentFile struct {
	Key   string `json:"key"` // of its content
	Name  string `json:"name"`
	Media string `json:"media"`
	Size  int64  `json:"size"` // in bytes
}

// Section is a row of buttons under a title.
type Section struct {
	Title   string   `json:"title,omitempty"`
	Buttons []Button `json:"buttons"`
	// Choice says that the buttons exclude each other: after one press the
	// others of the section no longer act.
	Choice bool `json:"choice,omitempty"`
}

// Button is something to press.
type Button struct {
	ID    string `json:"id"` // short, given when the message is stored
	Label string `json:"label"`
	Press Press  `json:"press"`
}

// Verb says what a button does.
type Verb string

// The verbs of an employee's buttons.
const (
	OpenEntry  Verb = "open"       // show a question of the base
	SayHelped  Verb = "helped"     // «Помогло»
	SayNot     Verb = "not_helped" // «Не помогло»
	NotMine    Verb = "none"       // «Нет моего вопроса»
	JoinOpen   Verb = "join"       // «Да, жду ответа»
	SendMine   Verb = "send"       // «Нет, отправить мой»
	AddDetails Verb = "details"    // «Дописать»
	CancelWait Verb = "cancel"     // «Отменить»
	HideName   Verb = "hide"       // «Без моего имени»
	FAQTopic   Verb = "faq"        // a topic of the FAQ
)

// The verbs of a senior's buttons.
const (
	TakeTask     Verb = "take"       // «Ответить»
	ShowTask     Verb = "show_task"  // a question of a digest
	DraftDone    Verb = "done"       // «Готово»
	DraftDrop    Verb = "drop"       // «Не отправлять» what is being written
	HeldDrop     Verb = "drop_held"  // «Не отправлять» what has no purpose yet
	HeldOwn      Verb = "own"        // «Это мой вопрос»
	HeldAppend   Verb = "append"     // «Дополнить ответ»
	HasEntry     Verb = "existing"   // «Это уже есть в базе»
	PickEntry    Verb = "entry"      // this is the entry
	PassOn       Verb = "pass"       // «Передать другому»
	PassTo       Verb = "pass_to"    // to this senior
	Later        Verb = "later"      // «Позже»
	NotOnTopic   Verb = "off_topic"  // «Не по теме»
	EditAnswer   Verb = "edit"       // «Изменить»
	KeepOut      Verb = "keep_out"   // «Не добавлять в базу»
	PutBack      Verb = "put_back"   // «Вернуть в базу»
	MakeFAQ      Verb = "make_faq"   // «Сделать частым вопросом»
	ChooseTopic  Verb = "topic"      // «Выбрать тему»
	PickTopic    Verb = "pick_topic" // this is the topic
	ReplaceEntry Verb = "replace"    // «Заменить» the entry that an answer repeats
	MergeEntries Verb = "merge"      // «Объединить» both
	HeldYes      Verb = "held_yes"   // «Всё равно добавить»
	HeldNo       Verb = "held_no"    // «Не добавлять» what is held back
	FillIn       Verb = "fill_in"    // no button: «Ответить» with the answer, in a form
)

// Press is what a button means. It stays on the server: the platform carries
// only the button's id.
type Press struct {
	Verb Verb `json:"verb"`
	// Ask is what the button settles; Asked is what it leads away from: the ask
	// that goes to a senior when nothing helps.
	Ask        int64  `json:"ask,omitempty"`
	Asked      int64  `json:"asked,omitempty"`
	Question   string `json:"question,omitempty"`
	Escalation int64  `json:"escalation,omitempty"`
	Person     int64  `json:"person,omitempty"`
	Topic      string `json:"topic,omitempty"`
	Text       string `json:"text,omitempty"`
	Entry      string `json:"entry,omitempty"` // another question
	// Reviews are what waits for a decision.
	Reviews []int64 `json:"reviews,omitempty"`
}
