package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// uploadTimeout bounds the sending of a file: 20 MB over a slow line.
const uploadTimeout = 5 * time.Minute

// sendFile sends a file as a message of its own. slack-go's own upload is not used:
// it wants the token to go with the content, and reads a file twice.
func (a *App) sendFile(ctx context.Context, p place, d bot.Dispatch) (string, error) {
	f := d.Message.File
	if a.o.Files == nil {
		return "", fmt.Errorf("slack: no files are kept: %w", bot.ErrUndeliverable)
	}
	ctx, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	content, size, err := a.o.Files.Open(ctx, f.Key)
	if errors.Is(err, knowledge.ErrNotFound) || errors.Is(err, knowledge.ErrInvalid) || err == nil && size == 0 {
		if err == nil {
			_ = content.Close()
		}
		return "", fmt.Errorf("slack: file %s of %d bytes: %w", f.Key, size, errors.Join(err, bot.ErrUndeliverable))
	}
	if err != nil {
		return "", fmt.Errorf("slack: open file %s: %w", f.Key, err)
	}
	defer func() { _ = content.Close() }()
	to, err := a.api.GetUploadURLExternalContext(ctx, api.GetUploadURLExternalParameters{FileName: fileName(f.Name), FileSize: int(size)})
	if err = a.judge("files.getUploadURLExternal", err, repeatable); err != nil {
		return "", err
	}
	if err := a.client.upload(ctx, to.UploadURL, content, size); err != nil {
		return "", a.judge("uploading a file", err, repeatable)
	}
	return to.FileID, a.completeUpload(ctx, p, api.FileSummary{ID: to.FileID, Title: f.Name})
}

// completeUpload makes a file that has been uploaded a message.
func (a *App) completeUpload(ctx context.Context, p place, f api.FileSummary) error {
	complete := func(thread string) error {
		ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
		defer cancel()
		_, err := a.api.CompleteUploadExternalContext(ctx, api.CompleteUploadExternalParameters{
			Files: []api.FileSummary{f}, Channel: p.channel, ThreadTimestamp: thread,
		})
		return err
	}
	err := complete(p.thread)
	if p.thread != "" && classify(err) == threadless {
		err = complete("")
	}
	return a.judge("files.completeUploadExternal", err, creates)
}

// fileName is a name that Slack takes: never empty, nor a path.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, name)
	if strings.Trim(name, ". ") == "" {
		return "file"
	}
	return name
}

// errNoAccess says that Slack shows its sign-in page instead of a file.
var errNoAccess = errors.New("файл Slack боту не отдаёт: приложению нужно право files:read (configs/slack-manifest.yaml), а боту — доступ к чату с файлом")

// Fetch implements bot.Fetcher. The token goes to Slack's files and to nobody else,
// whatever address an event names.
func (a *App) Fetch(ctx context.Context, f bot.File) (io.ReadCloser, error) {
	address := f.Ref
	if !strings.Contains(address, "://") {
		var err error
		if address, err = a.lookUpFile(ctx, f.Ref); err != nil {
			return nil, err
		}
	}
	response, err := a.download(ctx, address)
	if err != nil {
		return nil, err
	}
	if err := a.downloaded(response, f); err != nil {
		_ = response.Body.Close()
		return nil, err
	}
	return response.Body, nil
}

// lookUpFile returns the address of a file of which an event says only the id, as of
// those from another workspace.
func (a *App) lookUpFile(ctx context.Context, id string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	f, _, _, err := a.api.GetFileInfoContext(ctx, id, 0, 0)
	if r, ok := slackError(err); ok && (r.Err == "file_not_found" || r.Err == "file_deleted") {
		return "", fmt.Errorf("slack: file %s: %w", id, knowledge.ErrNotFound)
	}
	if err = a.judge("files.info", err, repeatable); err != nil {
		return "", err
	}
	return f.URLPrivate, nil
}

// download asks for a file, going on to other addresses only where files are kept.
func (a *App) download(ctx context.Context, address string) (*http.Response, error) {
	for range 5 {
		if !a.keepsFiles(address) {
			return nil, fmt.Errorf("slack: a file that is not kept by Slack: %w", knowledge.ErrNotFound)
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, fmt.Errorf("slack: address of a file: %w", knowledge.ErrNotFound)
		}
		r.Header.Set("Authorization", "Bearer "+a.o.Token)
		response, err := a.client.do(r)
		if err = a.judge("downloading a file", err, repeatable); err != nil {
			return nil, err
		}
		next := elsewhere(response)
		if next == nil {
			return response, nil
		}
		_ = response.Body.Close()
		if next.Query().Has("redir") { // the sign-in page
			return nil, errNoAccess
		}
		address = next.String()
	}
	return nil, fmt.Errorf("slack: a file that leads elsewhere without end: %w", knowledge.ErrNotFound)
}

// elsewhere returns where an answer leads, nil when it is one by itself.
func elsewhere(r *http.Response) *url.URL {
	if r.StatusCode < http.StatusMultipleChoices || r.StatusCode >= http.StatusBadRequest {
		return nil
	}
	next, err := r.Location()
	if err != nil {
		return nil
	}
	return next
}

// keepsFiles reports whether an address is one that gets the token: that of the API,
// or of the files that belong to it.
func (a *App) keepsFiles(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	base, err := url.Parse(a.o.API)
	if err != nil {
		return false
	}
	return u.Scheme == base.Scheme && (strings.EqualFold(u.Host, base.Host) || strings.EqualFold(u.Host, "files."+base.Host))
}

// downloaded says what is wrong with an answer.
func (a *App) downloaded(r *http.Response, f bot.File) error {
	switch {
	case r.StatusCode == http.StatusNotFound || r.StatusCode == http.StatusGone:
		return fmt.Errorf("slack: file: HTTP %d: %w", r.StatusCode, knowledge.ErrNotFound)
	case r.StatusCode == http.StatusUnauthorized || r.StatusCode == http.StatusForbidden:
		return errNoAccess
	case r.StatusCode == http.StatusNoContent: // an empty one
		return nil
	case r.StatusCode != http.StatusOK:
		return a.notDownloaded(r.StatusCode)
	case a.o.MaxFile > 0 && r.ContentLength > a.o.MaxFile:
		return fmt.Errorf("slack: a file of %d bytes: %w", r.ContentLength, knowledge.ErrInvalid)
	case isPage(r) && f.Media != "text/html":
		return errNoAccess
	}
	return nil
}

// notDownloaded is the error of an answer that has no file.
func (a *App) notDownloaded(code int) error {
	err := &statusError{code: code}
	if code < http.StatusInternalServerError && code != http.StatusTooManyRequests {
		// Of this file, and no reason to wait for Slack: it is tried a few times.
		return fmt.Errorf("slack: downloading a file: %w", err)
	}
	return a.judge("downloading a file", err, repeatable)
}

func isPage(r *http.Response) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "text/html"
}
