package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// Errors that the person who runs the program can do something about. The errors
// that wrap them say what, in Russian, and name the folder.
var (
	ErrFull       = errors.New("disk is full")
	ErrUnwritable = errors.New("folder of files cannot be written")
)

// explain adds to an error that a person can mend how.
func explain(dir string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("на диске с %s кончилось место: освободите его и повторите: %w: %w", dir, ErrFull, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("папкой файлов %s нельзя пользоваться: проверьте, что это папка и что права на неё есть: %w: %w", dir, ErrUnwritable, err)
	}
	return err
}

// syncless says of an error of Sync that the file system has no sync of folders.
func syncless(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP)
}
