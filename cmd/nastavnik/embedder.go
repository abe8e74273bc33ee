package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5"
	"github.com/nastavnik-bot/nastavnik/knowledge/openai"
)

// embedder opens what makes vectors: an endpoint, if one is configured, else the
// built-in model; nil, with a word to the person, when there is none.
func (a *app) embedder(ctx context.Context) (knowledge.Embedder, error) {
	if a.cfg.Model.Off || a.words {
		return nil, nil
	}
	if a.cfg.OpenAI.URL != "" {
		return a.endpoint(ctx)
	}
	m, err := loadModel(a.cfg.Model.Path, a.cfg.Data)
	if errors.Is(err, e5.ErrNoModel) && a.cfg.Model.Path == "" {
		_, _ = fmt.Fprintln(a.std.err, "Модель не найдена: ищу только по словам, ответы будут скромнее. Как получить её: make model")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return embedder{m.Informed()}, nil
}

func (a *app) endpoint(ctx context.Context) (knowledge.Embedder, error) {
	o := a.cfg.OpenAI
	return openai.New(ctx, openai.Options{
		URL: o.URL, Key: o.Key.Reveal(), Query: o.Query, Passage: o.Passage, Served: o.Served,
		QueryPrefix: o.Prefix.Query, PassagePrefix: o.Prefix.Passage, Dim: o.Dim, Log: a.log,
	})
}

// loadModel opens the model that is built in, or else the file that is found.
func loadModel(path, data string) (*e5.Model, error) {
	if path == "" {
		if b := builtInModel(); len(b) > 0 {
			return e5.Parse(b)
		}
	}
	found, err := e5.Find(path, data)
	if err != nil {
		return nil, modelError(path, err)
	}
	m, err := e5.Open(found)
	return m, modelError(found, err)
}

// embedder shows the built-in model as knowledge.Embedder.
type embedder struct{ *e5.Model }

func (e embedder) Embed(ctx context.Context, kind knowledge.EmbedKind, texts []string) ([][]float32, error) {
	if kind == knowledge.PassageText {
		return e.EmbedPassages(ctx, texts)
	}
	return e.EmbedQueries(ctx, texts)
}
