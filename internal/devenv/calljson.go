package devenv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// errPeer is what a peer answers when it is asked for what it cannot do.
var errPeer = errors.New("the peer refuses")

// callJSON sends a peer a request with a JSON body, none for nil, and reads its answer
// into answer unless that is nil. The connection ends with the call: one kept open
// would look like a leak to the tests.
func callJSON(ctx context.Context, method, url string, body, answer any) error {
	var sent io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, url, sent)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", request.URL.Path, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s: %d %s", errPeer, request.URL.Path, response.StatusCode, text)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("read the answer of %s: %w", request.URL.Path, err)
	}
	return nil
}
