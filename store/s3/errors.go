package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/minio/minio-go/v7"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Errors that the person who runs the program can do something about. The errors
// that wrap them say what, in Russian, and name the server and the bucket, never a
// key.
var (
	ErrDenied        = errors.New("s3 denied access")
	ErrNoBucket      = errors.New("no such bucket")
	ErrForeignBucket = errors.New("a bucket of somebody else")

	errSilent = errors.New("the server has been silent")
)

// denied says of an answer that the keys are wrong, or may too little.
func denied(e minio.ErrorResponse) bool {
	if e.Code == "XAdminUserNotFound" { // versitygw's word for an unknown key, with 404
		return true
	}
	return e.StatusCode == http.StatusForbidden || e.StatusCode == http.StatusUnauthorized || e.Code == minio.AccessDenied
}

// explain adds what was being done, and what an administrator can do about it.
func (s *Store) explain(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil { // the caller's own, not that of the watch
		return fmt.Errorf("s3: %s: %w", doing, ctx.Err())
	}
	where := fmt.Sprintf("бакет %s на %s", s.o.Bucket, s.o.Endpoint)
	var e minio.ErrorResponse
	if errors.As(err, &e) {
		if refused := refusal(e, where, doing); refused != nil {
			return refused
		}
	}
	switch {
	case errors.Is(err, ErrForeignBucket):
		return fmt.Errorf("%s занят не Наставником: в нём есть чужие файлы и нет %s%s; назовите пустой бакет или свой s3.prefix: %w", where, s.o.Prefix, mark, ErrForeignBucket)
	case away(err, e):
		return fmt.Errorf("%s не отвечает: проверьте, что сервер запущен и доступен с этой машины: %w (%s)", where, knowledge.ErrAway, cause(err))
	}
	// The library's errors say nothing to callers, and may repeat addresses.
	return fmt.Errorf("s3: %s: %s: %s", doing, where, cause(err))
}

// refusal says what an answer of the server means; nil when it is none of those
// that somebody can mend.
func refusal(e minio.ErrorResponse, where, doing string) error {
	switch {
	case e.Code == "RequestTimeTooSkewed":
		return fmt.Errorf("%s: часы этой машины расходятся с часами сервера; настройте синхронизацию времени: %w", where, ErrDenied)
	case denied(e):
		return fmt.Errorf("%s: ключи доступа не подходят или им не хватает прав (чтение, запись, удаление, список); проверьте s3.key и s3.secret: %w (%s)", where, ErrDenied, e.Code)
	case e.Code == minio.NoSuchBucket:
		return fmt.Errorf("%s: такого бакета нет; создайте его или поправьте s3.bucket: %w", where, ErrNoBucket)
	case e.Code == minio.NoSuchKey:
		return fmt.Errorf("файла нет (%s), %s: его удалил не бот; верните его из резервной копии или приложите заново: %w", doing, where, knowledge.ErrNotFound)
	}
	return nil
}

// away says of an error that trying again later may mend it.
func away(err error, e minio.ErrorResponse) bool {
	var network net.Error
	switch {
	case e.StatusCode >= http.StatusInternalServerError, e.StatusCode == http.StatusTooManyRequests, e.Code == "SlowDown":
		return true
	case errors.As(err, &network), errors.Is(err, errSilent), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return true
	}
	return false
}

// cause is the innermost part of an error: what is around it repeats addresses
// with their signatures.
func cause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.Canceled) {
		err = errSilent
	}
	return err.Error()
}
