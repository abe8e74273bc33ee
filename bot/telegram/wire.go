package telegram

import (
	"encoding/json"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

// The types below are what is read of an update. The library's are of Bot API 5.5: they
// know no topics, and a field that has changed since would make the whole update
// unreadable. What is not needed is not read.

// update is one thing that happened.
type update struct {
	ID      int64     `json:"update_id"`
	Message *message  `json:"message"`
	Edited  *message  `json:"edited_message"`
	Pressed *callback `json:"callback_query"`
	Member  *struct{} `json:"my_chat_member"`
}

// message is what somebody has sent, or what the bot has.
type message struct {
	ID         int64          `json:"message_id"`
	Thread     int64          `json:"message_thread_id"`
	InTopic    bool           `json:"is_topic_message"`
	From       *tgbotapi.User `json:"from"`
	SenderChat *struct{}      `json:"sender_chat"` // who speaks as a channel or as the group itself
	Date       int64          `json:"date"`        // Unix time; 0 for a message that the bot can no longer read
	EditDate   int64          `json:"edit_date"`
	Chat       chat           `json:"chat"`
	ReplyTo    *message       `json:"reply_to_message"`
	TopicBegun *struct{}      `json:"forum_topic_created"`
	Album      string         `json:"media_group_id"`

	Text            string                   `json:"text"`
	Entities        []tgbotapi.MessageEntity `json:"entities"`
	Caption         string                   `json:"caption"`
	CaptionEntities []tgbotapi.MessageEntity `json:"caption_entities"`

	Photo     []attachment `json:"photo"` // the same picture in several sizes
	Document  *attachment  `json:"document"`
	Animation *attachment  `json:"animation"` // comes with a Document that is the same
	Video     *attachment  `json:"video"`
	VideoNote *attachment  `json:"video_note"`
	Audio     *attachment  `json:"audio"`
	Voice     *attachment  `json:"voice"`

	// What people send that has no words and is no file.
	Sticker  *struct{} `json:"sticker"`
	Location *struct{} `json:"location"` // a venue has one too
	Contact  *struct{} `json:"contact"`
	Poll     *struct{} `json:"poll"`
	Dice     *struct{} `json:"dice"`
	Story    *struct{} `json:"story"`
	Game     *struct{} `json:"game"`
}

// chat is where something was sent.
type chat struct {
	ID   int64  `json:"id"`
	Type string `json:"type"` // private, group, supergroup, channel
}

func (c chat) private() bool { return c.Type == "private" }
func (c chat) group() bool   { return c.Type == "group" || c.Type == "supergroup" }

// attachment is a file of a message.
type attachment struct {
	ID    string `json:"file_id"`
	Name  string `json:"file_name"`
	Media string `json:"mime_type"`
	Size  int64  `json:"file_size"`
	Width int    `json:"width"`
}

// callback is a press of a button.
type callback struct {
	ID      string        `json:"id"`
	From    tgbotapi.User `json:"from"`
	Message *message      `json:"message"` // that has the button; nil where the bot is not in the chat
	Data    string        `json:"data"`
}

// allowed are the kinds of updates that Telegram is asked for.
const allowed = `["message","edited_message","callback_query","my_chat_member"]`

// readUpdate reads an update. Of one that cannot be read it returns the id, if it has
// one, and false.
func readUpdate(raw []byte) (update, bool) {
	var u update
	if json.Unmarshal(raw, &u) == nil {
		return u, true
	}
	var bare struct {
		ID int64 `json:"update_id"`
	}
	if json.Unmarshal(raw, &bare) != nil {
		bare.ID = 0
	}
	return update{ID: bare.ID}, false
}
