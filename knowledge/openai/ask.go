package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"regexp"
	"strings"

	client "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// What a response may have: the vectors of a text are 8,192 numbers of 32 characters
// at most, and there is something around them.
const (
	bytesPerText  = 256 << 10
	bytesBesides  = 64 << 10
	bytesOfRefuse = 64 << 10 // of an error's body
)

// ask sends one request. An error is a *failure, that of ctx, or the client library's
// about a response that it could not read.
func (e *Embedder) ask(ctx context.Context, kind knowledge.EmbedKind, texts []string) ([][]float32, error) {
	input := make([]string, len(texts))
	for i, text := range texts {
		input[i] = e.o.input(kind, text)
	}
	model := e.o.model(kind)
	response, err := e.service.New(ctx, client.EmbeddingNewParams{
		Input:          client.EmbeddingNewParamsInputUnion{OfArrayOfStrings: input},
		Model:          model,
		EncodingFormat: client.EmbeddingNewParamsEncodingFormatFloat, // many compatible servers have no base64
	}, option.WithMiddleware(receive(model, bytesBesides+bytesPerText*int64(len(texts)))))
	if err != nil {
		return nil, err
	}
	if response == nil { // the response was null
		return nil, strange()
	}
	if f := e.checkModel(model, response.Model); f != nil {
		return nil, f
	}
	vectors, f := unpack(response.Data, len(texts), e.o.Dim)
	if f != nil {
		return nil, f
	}
	if response.Model != "" {
		e.served.Store(&response.Model)
	}
	return vectors, nil
}

// receive reads a response whole, up to a limit, before the client library sees it:
// so a connection that breaks in the middle is told from a response that is wrong,
// and the library, whose errors quote responses, only gets good ones.
func receive(model string, limit int64) option.Middleware {
	return func(request *http.Request, next option.MiddlewareNext) (*http.Response, error) {
		response, err := next(request)
		if err != nil {
			return nil, unreached(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return nil, refused(response, model)
		}
		body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
		switch {
		case err != nil:
			return nil, unreached(err)
		case int64(len(body)) > limit, !json.Valid(body):
			return nil, strange()
		}
		response.Body = io.NopCloser(bytes.NewReader(body))
		response.Header.Set("Content-Type", "application/json") // some servers say text/plain
		return response, nil
	}
}

// refused makes a failure of a response that is no success.
func refused(response *http.Response, model string) *failure {
	var body struct {
		Error struct {
			Code any    `json:"code"`
			Type string `json:"type"`
		} `json:"error"`
	}
	// A body that is no JSON tells nothing, and neither does half of one.
	_ = json.NewDecoder(io.LimitReader(response.Body, bytesOfRefuse)).Decode(&body)
	code, _ := body.Error.Code.(string)
	if code == "" {
		code = body.Error.Type
	}
	f := answered(response.StatusCode, code, model)
	f.wait = retryAfter(response.Header)
	return f
}

// versions are what a server may add to the name of the model that was asked for, as
// in text-embedding-ada-002-v2 and nomic-embed-text:latest.
var versions = regexp.MustCompile(`^(:latest|[-@]v?[0-9][0-9.-]*)$`)

// names are what is told of a model's name in a response. Anything else may be
// people's words.
var names = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,99}$`)

// checkModel compares the model that answered with the one that should have. A
// response that names none is accepted, unless a name was promised.
func (e *Embedder) checkModel(asked, served string) *failure {
	expected := asked
	if e.o.Served != "" {
		expected = e.o.Served
	} else if rest, ok := cutPrefixFold(served, asked); served == "" || ok && versions.MatchString(rest) {
		return nil
	}
	if strings.EqualFold(served, expected) {
		return nil
	}
	if !names.MatchString(served) {
		served = "имени не разобрать"
	}
	return &failure{
		kind: ErrModel, detail: "в ответе: " + served,
		say: fmt.Sprintf("отвечает не той моделью, что ожидалась (%q): исправьте имя модели; если это она и есть, укажите имя из ответа как ожидаемое", expected),
	}
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// unpack takes the vectors of n texts from a response, in the order of the texts, and
// brings them to length 1. Dim 0 accepts any length.
func unpack(data []client.Embedding, n, dim int) ([][]float32, *failure) {
	if len(data) != n {
		return nil, unusable("прислал векторов: %d, а текстов было %d: он несовместим с OpenAI", len(data), n)
	}
	out := make([][]float32, n)
	for i, d := range data {
		at := int64(i) // some servers number nothing, and keep the order
		if d.JSON.Index.Valid() {
			at = d.Index
		}
		if at < 0 || at >= int64(n) || out[at] != nil {
			return nil, unusable("пронумеровал векторы неверно: он несовместим с OpenAI")
		}
		if dim == 0 {
			dim = len(d.Embedding)
		}
		if len(d.Embedding) != dim || dim == 0 {
			return nil, &failure{kind: ErrDimension, say: fmt.Sprintf(
				"прислал векторы из %d чисел вместо %d: верните прежнюю модель или перестройте индекс под новую", len(d.Embedding), dim)}
		}
		v, ok := unit(d.Embedding)
		if !ok {
			return nil, unusable("прислал вектор, у которого нет направления (нули или не числа): проверьте модель")
		}
		out[at] = v
	}
	return out, nil
}

// unit scales a vector to length 1, which it cannot if that is 0 or no number.
func unit(values []float64) ([]float32, bool) {
	var largest float64
	for _, x := range values {
		largest = math.Max(largest, math.Abs(x)) // NaN if one is
	}
	if largest == 0 || math.IsNaN(largest) || math.IsInf(largest, 0) {
		return nil, false
	}
	var square float64 // of what is at most 1, so that it neither overflows nor vanishes
	for _, x := range values {
		square += x / largest * (x / largest)
	}
	length := math.Sqrt(square)
	out := make([]float32, len(values))
	for i, x := range values {
		out[i] = float32(x / largest / length)
	}
	return out, true
}
