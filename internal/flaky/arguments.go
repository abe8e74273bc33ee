package flaky

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
)

// Arguments are what a request asks with, whichever way they were sent: in the query, a
// form or JSON, whose values that are no strings stand here as JSON text.
type Arguments struct {
	Values map[string]string
	Files  map[string]File // of a multipart form, by field
}

// A File is one that was sent in a form.
type File struct {
	Name    string
	Type    string // its MIME type, as the sender has it
	Content []byte
}

// Arguments reads the arguments. A body that is of none of the kinds gives only those of
// the query.
func (r Request) Arguments() (Arguments, error) {
	a := Arguments{Values: map[string]string{}, Files: map[string]File{}}
	if err := a.addForm(r.Query); err != nil {
		return a, err
	}
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return a, nil //nolint:nilerr // no kind, no arguments
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		err = a.addForm(string(r.Body))
	case "application/json":
		err = a.addJSON(r.Body)
	case "multipart/form-data":
		err = a.addParts(multipart.NewReader(bytes.NewReader(r.Body), parameters["boundary"]))
	}
	if err != nil {
		return a, fmt.Errorf("read the arguments of %s: %w", r.Path, err)
	}
	return a, nil
}

func (a Arguments) addForm(text string) error {
	form, err := url.ParseQuery(text)
	for name := range form {
		a.Values[name] = form.Get(name)
	}
	return err
}

func (a Arguments) addJSON(text []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	for name, field := range fields {
		var s string
		if json.Unmarshal(field, &s) != nil {
			s = string(field)
		}
		a.Values[name] = s
	}
	return nil
}

func (a Arguments) addParts(form *multipart.Reader) error {
	for {
		part, err := form.NextPart()
		if err == io.EOF { //nolint:errorlint // NextPart says so itself, unwrapped
			return nil
		}
		if err != nil {
			return err
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		if part.FileName() == "" {
			a.Values[part.FormName()] = string(content)
		} else {
			a.Files[part.FormName()] = File{part.FileName(), part.Header.Get("Content-Type"), content}
		}
	}
}
