package content

import (
	"fmt"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// headBytes is how much of a file tells its kind: mimetype looks at no more.
const headBytes = 3072

// kind returns the media type of a file by its first bytes, whatever its name
// says. What a browser or a computer would run, and what hides other files, is
// refused; so is whatever is not known.
func kind(head []byte) (string, error) {
	m := mimetype.Detect(head)
	media, _, _ := strings.Cut(m.String(), ";")
	if accepted(media) {
		return media, nil
	}
	return "", fmt.Errorf("файлы такого вида (%s) не принимаются: можно картинки, PDF, тексты, документы Office и OpenDocument, звук и видео: %w", media, knowledge.ErrInvalid)
}

func accepted(media string) bool {
	switch media {
	case "application/pdf", "text/plain", "text/csv", "text/tab-separated-values", "text/rtf", "text/calendar", "text/vcard", "application/json",
		// Office and OpenDocument
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"application/vnd.openxmlformats-officedocument.presentationml.presentation",
		"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
		"application/vnd.oasis.opendocument.presentation", "application/vnd.oasis.opendocument.graphics",
		"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/vnd.ms-outlook",
		// Pictures: no SVG, which is a program too
		"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff", "image/heic", "image/heif", "image/avif":
		return true
	}
	sound := strings.HasPrefix(media, "audio/") || strings.HasPrefix(media, "video/")
	return sound && !strings.Contains(media, "mpegurl") // a list of addresses is no sound
}
