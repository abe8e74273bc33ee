package devenv_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
)

// embed asks an embedding server for the vector of a text.
func embed(tb testing.TB, url string) (model string, numbers int, err error) {
	tb.Helper()
	response, err := http.Post(url+"/embeddings", "application/json", strings.NewReader(`{"model":"e5-query","input":["отпуск"]}`))
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	var got struct {
		Model string
		Data  []struct{ Embedding []float64 }
	}
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil || len(got.Data) != 1 {
		tb.Fatalf("%d vectors, %v", len(got.Data), err)
	}
	return got.Model, len(got.Data[0].Embedding), nil
}

func TestEmbeddingServer(t *testing.T) {
	model, numbers, err := embed(t, devenv.EmbeddingServer(t))
	if err != nil || model != devenv.EmbeddingServed || numbers != 384 {
		t.Errorf("%d numbers by %s, %v", numbers, model, err)
	}
}

func TestEmbeddingServerThatIsKilled(t *testing.T) {
	s := devenv.PrivateEmbeddingServer(t, "--variant", "enpt")
	if model, _, err := embed(t, devenv.EmbeddingURL(s)); err != nil || model == devenv.EmbeddingServed {
		t.Errorf("the other model is called %s, %v", model, err)
	}
	s.Kill()
	if _, _, err := embed(t, devenv.EmbeddingURL(s)); err == nil {
		t.Error("it answers though it was killed")
	}
	s.Start()
	if _, _, err := embed(t, devenv.EmbeddingURL(s)); err != nil {
		t.Errorf("started anew: %v", err)
	}
}
