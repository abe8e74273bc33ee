package content_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/content"
)

// zipped is an archive with files of those names, in that order.
func zipped(t *testing.T, names ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "mimetype" {
			t.Fatal("use odt")
		}
		if _, err := io.WriteString(w, `<?xml version="1.0"?><Types/>`); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// odt is an OpenDocument text: its kind stands first, not compressed.
func odt(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "mimetype", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, "application/vnd.oasis.opendocument.text")
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	// zip.Writer puts the size after the data; office suites put it before.
	return "PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x27\x00\x00\x00\x27\x00\x00\x00\x08\x00\x00\x00mimetype" + b.String()[38:]
}

func TestKinds(t *testing.T) {
	cp1251, err := charmap.Windows1251.NewEncoder().String("Отчёт за март;сумма\nИтого;12\n")
	if err != nil {
		t.Fatal(err)
	}
	ole := "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 1016)
	for name, c := range map[string]struct{ head, want string }{
		"picture":          {"\x89PNG\r\n\x1a\n" + strings.Repeat("\x00", 20), "image/png"},
		"photograph":       {"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "image/jpeg"},
		"pdf":              {"%PDF-1.7\n", "application/pdf"},
		"text":             {"Заявление пишется от руки.", "text/plain"},
		"text of Windows":  {cp1251, "text/plain"},
		"Word":             {zipped(t, "[Content_Types].xml", "_rels/.rels", "word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		"Excel":            {zipped(t, "[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		"OpenDocument":     {odt(t), "application/vnd.oasis.opendocument.text"},
		"sound":            {"ID3\x04\x00\x00\x00\x00\x00\x23", "audio/mpeg"},
		"Windows program":  {"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff" + strings.Repeat("\x00", 100), ""},
		"Linux program":    {"\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 60), ""},
		"script":           {"#!/bin/sh\nrm -rf /\n", ""},
		"page":             {"<!DOCTYPE html><script>alert(1)</script>", ""},
		"page after space": {"\n\n   <html><body onload=alert(1)>", ""},
		"drawing":          {`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, ""},
		"archive":          {zipped(t, "virus.exe"), ""},
		"java":             {zipped(t, "META-INF/MANIFEST.MF", "A.class"), ""},
		"unknown OLE":      {ole, ""},
		"noise":            {"\x00\x01\x02\x03\x80\x99", ""},
		"empty":            {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			got, err := content.Receive(t.Context(), &b, strings.NewReader(c.head), knowledge.FileLimits{})
			if c.want == "" {
				if !errors.Is(err, knowledge.ErrInvalid) || b.Len() > 0 {
					t.Errorf("%s was taken for %q (%v), and %d bytes of it were written", name, got.Media, err, b.Len())
				}
				return
			}
			if err != nil || got.Media != c.want || got.Size != int64(len(c.head)) || b.String() != c.head {
				t.Errorf("got %+v, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestKeyIsTheHash(t *testing.T) {
	got, err := content.Receive(t.Context(), io.Discard, strings.NewReader("hello"), knowledge.FileLimits{})
	if want := "sha256/2c/f24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"; err != nil || got.Key != want {
		t.Errorf("key %s, %v; want %s", got.Key, err, want)
	}
	for _, bad := range []string{"", "sha256/", "sha256/2c/../../../../etc/passwd", strings.ToUpper(got.Key), got.Key + "0", "/" + got.Key, got.Key[:9] + "/" + got.Key[9:], "md5/" + got.Key[7:], got.Key[:len(got.Key)-1] + "\n"} {
		if err := content.CheckKey(bad); !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("CheckKey(%q) = %v", bad, err)
		}
	}
	if err := content.CheckKey(got.Key); err != nil {
		t.Error(err)
	}
}

func TestLimit(t *testing.T) {
	for size, ok := range map[int]bool{9_999: true, 10_000: true, 10_001: false} {
		r := strings.NewReader(strings.Repeat("a", size))
		_, err := content.Receive(t.Context(), io.Discard, r, knowledge.FileLimits{Size: 10_000})
		if (err == nil) != ok || err != nil && !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("%d bytes of 10000: %v", size, err)
		}
	}
	endless := &counting{}
	if _, err := content.Receive(t.Context(), io.Discard, endless, knowledge.FileLimits{Size: 10_000}); !errors.Is(err, knowledge.ErrInvalid) {
		t.Errorf("an endless file: %v", err)
	}
	if endless.n > 10_000+64<<10 {
		t.Errorf("of an endless file %d bytes were read", endless.n)
	}
}

// counting gives the letter a for ever.
type counting struct{ n int }

func (c *counting) Read(p []byte) (int, error) {
	c.n += len(p)
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestReceiveStops(t *testing.T) {
	broken := errors.New("line is cut")
	r := io.MultiReader(strings.NewReader(strings.Repeat("a", 5_000)), iotest.ErrReader(broken))
	if _, err := content.Receive(t.Context(), io.Discard, r, knowledge.FileLimits{}); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := content.Receive(ctx, io.Discard, &counting{}, knowledge.FileLimits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
}

// What was changed is never taken for the whole, however it is read.
func TestVerified(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{1, 100, 32<<10 - 1, 32 << 10, 32<<10 + 1, 64 << 10, 100_000}).Draw(t, "size")
		data := bytes.Repeat([]byte("текст "), size/11+1)[:size]
		if rapid.Bool().Draw(t, "cut a letter") {
			data = append([]byte("x"), data...)
		}
		c, err := content.Receive(t.Context(), io.Discard, bytes.NewReader(data), knowledge.FileLimits{})
		if err != nil {
			t.Skip("not a text any more")
		}
		there := bytes.Clone(data)
		change := rapid.SampledFrom([]string{"no", "byte", "shorter", "longer", "gone"}).Draw(t, "change")
		switch change {
		case "byte":
			there[rapid.IntRange(0, len(there)-1).Draw(t, "where")] ^= 1
		case "shorter":
			there = there[:rapid.IntRange(0, len(there)-1).Draw(t, "to")]
		case "longer":
			there = append(there, 'x')
		case "gone":
			there = nil
		}
		var r io.Reader = bytes.NewReader(there)
		if rapid.Bool().Draw(t, "bit by bit") {
			r = iotest.HalfReader(r)
		}
		got, err := io.ReadAll(content.Verified(io.NopCloser(r), c.Key))
		if change == "no" {
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("%d bytes came, %v", len(got), err)
			}
			return
		}
		if !errors.Is(err, knowledge.ErrFileChanged) || len(got) >= len(there) && len(there) > 0 {
			t.Fatalf("%s: of %d bytes %d came, %v", change, len(there), len(got), err)
		}
	})
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte("текст"))
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := content.Receive(t.Context(), io.Discard, bytes.NewReader(data), knowledge.FileLimits{Size: 1 << 20})
		if err == nil && (content.CheckKey(c.Key) != nil || c.Size != int64(len(data)) || c.Media == "") {
			t.Errorf("received %+v", c)
		}
	})
}
