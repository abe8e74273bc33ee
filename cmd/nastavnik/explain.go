package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/nastavnik-bot/nastavnik/configs"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5"
	"github.com/nastavnik-bot/nastavnik/knowledge/openai"
	"github.com/nastavnik-bot/nastavnik/migrations"
	"github.com/nastavnik-bot/nastavnik/store/disk"
	"github.com/nastavnik-bot/nastavnik/store/milvus"
	"github.com/nastavnik-bot/nastavnik/store/postgres"
	"github.com/nastavnik-bot/nastavnik/store/s3"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/transfer"
)

// sentinels tell errors apart inside the program; people have the words around them.
func sentinels() []error {
	return []error{
		knowledge.ErrInvalid, knowledge.ErrAway, knowledge.ErrConflict, knowledge.ErrFileChanged,
		migrations.ErrNewer, sqlite.ErrDamaged, sqlite.ErrUnwritable,
		transfer.ErrNotEmpty, transfer.ErrOtherSource, transfer.ErrSchemas, transfer.ErrDiffers,
		postgres.ErrDSN, postgres.ErrOlder, postgres.ErrRefused, postgres.ErrNoDatabase, postgres.ErrEncoding, postgres.ErrFull,
		openai.ErrRefused, openai.ErrModel, openai.ErrDimension, openai.ErrRejected, openai.ErrUnusable,
		s3.ErrDenied, s3.ErrNoBucket, s3.ErrForeignBucket, disk.ErrFull, disk.ErrUnwritable,
		milvus.ErrDenied, milvus.ErrMissing, milvus.ErrForeign, milvus.ErrOtherEmbedder,
	}
}

// explain says to people what is wrong, with the remedy where one is known.
func explain(err error) string {
	text := err.Error()
	for _, sentinel := range sentinels() {
		text = strings.ReplaceAll(text, ": "+sentinel.Error()+": ", ": ")
		text = strings.ReplaceAll(text, ": "+sentinel.Error()+"\n", "\n")
		text = strings.TrimSuffix(text, ": "+sentinel.Error())
	}
	if rest, ok := strings.CutPrefix(text, "question "); ok {
		text = "вопрос " + rest
	}
	switch {
	case errors.Is(err, knowledge.ErrNotFound):
		text += "\nПодсказка: список вопросов с номерами — nastavnik question list"
	case errors.Is(err, configs.ErrConfig):
		text += "\nПодсказка: все ключи с пояснениями — configs/example.yaml; проверить — nastavnik config check"
	}
	return text
}

// noQuestion names the question that a command could not find.
func noQuestion(id string, err error) error {
	if errors.Is(err, knowledge.ErrNotFound) {
		return missingError{id}
	}
	return err
}

// missingError says that there is no question with the id.
type missingError struct{ id string }

func (e missingError) Error() string { return fmt.Sprintf("вопроса %q нет", e.id) }
func (e missingError) Unwrap() error { return knowledge.ErrNotFound }

// modelError explains why the model file cannot be used.
func modelError(path string, err error) error {
	switch {
	case err == nil || errors.Is(err, e5.ErrNoModel):
		return err
	case errors.Is(err, e5.ErrModelFile):
		return fmt.Errorf("файл модели %s повреждён или скачан не целиком: %w\nПодсказка: получить его заново — make model; искать только по словам — --words-only", path, err)
	}
	return fmt.Errorf("файл модели %s не открывается: %s\nПодсказка: получить его — make model; искать только по словам — --words-only", path, reason(err))
}

// reason says in Russian why a file cannot be used, as far as that is known.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "такого файла нет"
	case errors.Is(err, fs.ErrPermission):
		return "нет прав"
	case errors.Is(err, syscall.EISDIR):
		return "это папка"
	}
	return err.Error()
}
