package telegram

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/telegram/html"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Limits of files, in bytes, https://core.telegram.org/bots/api#sending-files and
// #getfile.
const (
	maxPicture  = 10 << 20
	maxUpload   = 50 << 20
	maxDownload = 20 << 20
)

// sendFile sends a file: as a picture what Telegram shows as one, else as a document.
func (b *Bot) sendFile(ctx context.Context, d bot.Dispatch, to place, caption html.Part) (string, error) {
	f := d.Message.File
	switch {
	case b.o.Files == nil:
		return "", fmt.Errorf("send file %s: no files are kept here: %w", f.Key, bot.ErrUndeliverable)
	case f.Size > maxUpload:
		return "", fmt.Errorf("send file %s: larger than the %d bytes that Telegram takes: %w", f.Key, maxUpload, bot.ErrUndeliverable)
	}
	o := to.message("sendDocument", html.Part{})
	o.field, o.fileField = "caption", "document"
	if f.Size <= maxPicture && slices.Contains([]string{"image/jpeg", "image/png", "image/webp"}, f.Media) {
		o.method, o.fileField = "sendPhoto", "photo"
	}
	o.say(caption).params.AddNonEmpty("reply_parameters", beneath(d))
	o.file = func() (*content, error) { return b.open(ctx, f) }
	return b.post(ctx, o)
}

// open opens the content of a file that is to be sent.
func (b *Bot) open(ctx context.Context, f *bot.SentFile) (*content, error) {
	r, size, err := b.o.Files.Open(ctx, f.Key)
	if err != nil {
		return nil, unreadableFile(err)
	}
	if size <= 0 || size > maxUpload {
		_ = r.Close()
		return nil, fmt.Errorf("send file %s: %d bytes, Telegram takes 1 to %d: %w", f.Key, size, maxUpload, bot.ErrUndeliverable)
	}
	return &content{r: r, name: plainName(f.Name)}, nil
}

// unreadableFile makes an error of reading a file one of sending: what is gone or was
// changed will not come back by trying.
func unreadableFile(err error) error {
	err = fmt.Errorf("read a file to send: %w", err)
	for _, lasting := range []error{knowledge.ErrNotFound, knowledge.ErrInvalid, knowledge.ErrFileChanged} {
		if errors.Is(err, lasting) {
			return fmt.Errorf("%w: %w", err, bot.ErrUndeliverable)
		}
	}
	return err
}

// content is a file on its way. The library reads it in a goroutine that may outlive
// the call.
type content struct {
	name string

	mu  sync.Mutex // guards what follows
	r   io.ReadCloser
	err error // of reading
}

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.r == nil {
		return 0, fs.ErrClosed
	}
	n, err := c.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// failed returns why the file could not be read, nil when that was not the trouble.
func (c *content) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return nil
	}
	return unreadableFile(c.err)
}

func (c *content) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.r.Close() // it was only read
	c.r = nil
}

// Fetch implements bot.Fetcher.
func (b *Bot) Fetch(ctx context.Context, f bot.File) (io.ReadCloser, error) {
	if f.Size > maxDownload {
		return nil, fmt.Errorf("fetch a file: larger than the %d bytes that Telegram gives: %w", maxDownload, knowledge.ErrInvalid)
	}
	var found struct {
		Path string `json:"file_path"`
	}
	err := b.client.ask(ctx, "getFile", tgbotapi.Params{"file_id": f.Ref}, &found)
	switch {
	case errors.Is(err, errFileTooBig):
		return nil, fmt.Errorf("fetch a file: %w: %w", err, knowledge.ErrInvalid)
	case errors.Is(err, bot.ErrUndeliverable):
		return nil, fmt.Errorf("fetch a file: %w: %w", err, knowledge.ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("fetch a file: %w", err)
	case found.Path == "":
		return nil, fmt.Errorf("fetch a file: Telegram has no path for it: %w", knowledge.ErrNotFound)
	}
	return b.client.download(ctx, found.Path)
}

// download returns a file by its path; it is to be closed. The library would take it
// from the public host, whatever the endpoint. Its address has the token in it.
func (c *client) download(ctx context.Context, path string) (io.ReadCloser, error) {
	ctx, cancel := context.WithTimeout(ctx, fileTimes*c.within)
	away := func(what string) error {
		cancel()
		return fmt.Errorf("download a file from Telegram: %s: %w", c.redact(what), knowledge.ErrAway)
	}
	address := c.endpoint + "/file/bot" + c.token + "/" + escaped(path)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, away(innermost(err))
	}
	response, err := c.http.Do(r) //nolint:bodyclose // the caller closes it
	if err != nil {
		return nil, away(innermost(err))
	}
	body := &download{ReadCloser: response.Body, cancel: cancel, redact: c.redact}
	if response.StatusCode == http.StatusOK {
		return body, nil
	}
	_ = body.Close()
	if response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusGone {
		return nil, fmt.Errorf("download a file from Telegram: status %d: %w", response.StatusCode, knowledge.ErrNotFound)
	}
	return nil, away(response.Status)
}

// escaped is a path as an address has it.
func escaped(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// download is the body of a file. That it breaks off is nobody's fault but the
// network's.
type download struct {
	io.ReadCloser
	cancel context.CancelFunc
	redact func(string) string
}

// Read implements io.Reader.
func (d *download) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("download a file from Telegram: %s: %w", d.redact(innermost(err)), knowledge.ErrAway)
	}
	return n, err
}

// Close implements io.Closer.
func (d *download) Close() error {
	defer d.cancel()
	return d.ReadCloser.Close()
}
