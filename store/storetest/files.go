package storetest

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// FilesUnderTest is a store of files, and the way behind its back.
type FilesUnderTest struct {
	Files knowledge.Files
	// Replace changes the bytes that are stored under a key, without the store.
	Replace func(t *testing.T, key string, with []byte)
	// Count returns how many contents are stored.
	Count func(t *testing.T) int
	// Links says that the store has links of its own.
	Links bool
}

// TestFiles holds a store of files to its contract. Open returns a new, empty
// one, and closes it when the test ends.
func TestFiles(t *testing.T, open func(t *testing.T) FilesUnderTest) {
	t.Helper()
	for _, part := range []struct {
		name string
		test func(*testing.T, FilesUnderTest)
	}{
		{"Contents", testContents},
		{"Refused", testRefusedContents},
		{"Broken", testBrokenUploads},
		{"BehindOurBack", testBehindOurBack},
		{"Together", testFilesTogether},
		{"Links", testLinks},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, open(t)) })
	}
}

const helloKey = "sha256/2c/f24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

func (u FilesUnderTest) put(t *testing.T, text string) knowledge.Content {
	t.Helper()
	return u.putFrom(t, strings.NewReader(text))
}

func (u FilesUnderTest) putFrom(t *testing.T, r io.Reader) knowledge.Content {
	t.Helper()
	c, err := u.Files.Put(t.Context(), r, knowledge.FileLimits{})
	if err != nil {
		t.Fatalf("put: %v", err)
	}
	return c
}

// get reads a content to its end.
func (u FilesUnderTest) get(t *testing.T, key string) (string, error) {
	t.Helper()
	r, size, err := u.Files.Open(t.Context(), key)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	if err == nil && int64(len(b)) != size {
		t.Errorf("%d bytes came, %d were said", len(b), size)
	}
	return string(b), errors.Join(err, r.Close())
}

// want reads a content that must be what was stored.
func (u FilesUnderTest) want(t *testing.T, key, text string) {
	t.Helper()
	if got, err := u.get(t, key); err != nil || got != text {
		t.Errorf("%d bytes came back of %d, %v", len(got), len(text), err)
	}
}

func testContents(t *testing.T, u FilesUnderTest) {
	big := strings.Repeat("длинный текст ", 200_000)
	for _, text := range []string{"hello", big, "hello"} {
		c := u.put(t, text)
		if c.Size != int64(len(text)) || c.Media != "text/plain" || text == "hello" && c.Key != helloKey {
			t.Errorf("stored: %+v", c)
		}
		u.want(t, c.Key, text)
	}
	if n := u.Count(t); n != 2 {
		t.Errorf("%d contents are stored, want 2: equal ones once", n)
	}
	t.Run("a reader that can only be read", func(t *testing.T) {
		u.want(t, u.putFrom(t, iotest.OneByteReader(strings.NewReader("по байту"))).Key, "по байту")
	})
	t.Run("a reader that has been read from goes on where it is", func(t *testing.T) {
		r := strings.NewReader("заголовок: остаток")
		if _, err := r.Seek(int64(len("заголовок: ")), io.SeekStart); err != nil {
			t.Fatal(err)
		}
		u.want(t, u.putFrom(t, r).Key, "остаток")
	})
	t.Run("deleted is not found, and deleting again is no error", func(t *testing.T) {
		for range 2 {
			if err := u.Files.Delete(t.Context(), helloKey); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := u.get(t, helloKey); !errors.Is(err, knowledge.ErrNotFound) {
			t.Errorf("the error is %v", err)
		}
		u.want(t, u.put(t, "hello").Key, "hello")
	})
}

func testRefusedContents(t *testing.T, u FilesUnderTest) {
	for name, c := range map[string]struct {
		text   string
		limits knowledge.FileLimits
	}{
		"empty":     {"", knowledge.FileLimits{}},
		"too large": {strings.Repeat("a", 100_001), knowledge.FileLimits{Size: 100_000}},
		"program":   {"\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 60), knowledge.FileLimits{}},
		"page":      {"<!DOCTYPE html><script>alert(1)</script>", knowledge.FileLimits{}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := u.Files.Put(t.Context(), strings.NewReader(c.text), c.limits); !errors.Is(err, knowledge.ErrInvalid) {
				t.Errorf("the error is %v", err)
			}
		})
	}
	t.Run("what is no key", func(t *testing.T) {
		for _, key := range []string{"", "..", "../../etc/passwd", "/etc/passwd", "sha256/2c/../../../x", helloKey + "/", strings.ToUpper(helloKey), "nastavnik.json"} {
			_, _, err := u.Files.Open(t.Context(), key)
			if !errors.Is(err, knowledge.ErrInvalid) {
				t.Errorf("open %q: %v", key, err)
			}
			if err := u.Files.Delete(t.Context(), key); !errors.Is(err, knowledge.ErrInvalid) {
				t.Errorf("delete %q: %v", key, err)
			}
		}
	})
	if n := u.Count(t); n != 0 {
		t.Errorf("%d contents are stored", n)
	}
}

// testBrokenUploads breaks off in the middle.
func testBrokenUploads(t *testing.T, u FilesUnderTest) {
	cut := errors.New("line is cut")
	r := io.MultiReader(strings.NewReader(strings.Repeat("a", 200_000)), iotest.ErrReader(cut))
	if _, err := u.Files.Put(t.Context(), r, knowledge.FileLimits{}); !errors.Is(err, cut) {
		t.Errorf("the error is %v", err)
	}
	if n := u.Count(t); n != 0 {
		t.Errorf("%d contents are stored", n)
	}
}

func testBehindOurBack(t *testing.T, u FilesUnderTest) {
	text := strings.Repeat("договор ", 20_000)
	for name, with := range map[string]string{
		"one byte": text[:len(text)-1] + "!", "shorter": text[:100], "longer": text + "!", "emptied": "",
	} {
		t.Run(name, func(t *testing.T) {
			c := u.put(t, text)
			u.Replace(t, c.Key, []byte(with))
			got, err := u.get(t, c.Key)
			if !errors.Is(err, knowledge.ErrFileChanged) || got == with && with != "" {
				t.Errorf("%d bytes came, the error is %v", len(got), err)
			}
			u.put(t, text)
			if got, err := u.get(t, c.Key); err != nil || got != text {
				t.Errorf("storing it again does not mend it: %d bytes, %v", len(got), err)
			}
		})
	}
	t.Run("gone", func(t *testing.T) {
		_, _, err := u.Files.Open(t.Context(), helloKey)
		if !errors.Is(err, knowledge.ErrNotFound) || !strings.Contains(err.Error(), "файл") {
			t.Errorf("the error is %v", err)
		}
	})
}

// testFilesTogether stores, reads and deletes at once.
func testFilesTogether(t *testing.T, u FilesUnderTest) {
	texts := []string{strings.Repeat("первый ", 30_000), strings.Repeat("второй ", 30_000)}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			c, err := u.Files.Put(t.Context(), strings.NewReader(texts[i%2]), knowledge.FileLimits{})
			if err != nil {
				t.Errorf("put: %v", err)
				return
			}
			r, _, err := u.Files.Open(t.Context(), c.Key)
			if err != nil {
				t.Errorf("open: %v", err)
				return
			}
			b, err := io.ReadAll(r)
			if err := errors.Join(err, r.Close()); err != nil || string(b) != texts[i%2] {
				t.Errorf("%d bytes came, %v", len(b), err)
			}
		})
	}
	all.Wait()
	if n := u.Count(t); n != 2 {
		t.Errorf("%d contents are stored, want 2", n)
	}
}

func testLinks(t *testing.T, u FilesUnderTest) {
	c := u.put(t, "содержимое по ссылке")
	link := knowledge.FileLink{Name: `Отчёт "март" 2026.txt`, Media: c.Media, TTL: time.Minute}
	url, err := u.Files.Link(t.Context(), c.Key, link)
	if !u.Links && errors.Is(err, knowledge.ErrNoLinks) {
		return
	}
	if err != nil {
		t.Fatalf("link %q, %v", url, err)
	}
	t.Run("gives the file to be saved under its name", func(t *testing.T) {
		status, header, text := visit(t, url)
		if status != http.StatusOK || text != "содержимое по ссылке" {
			t.Errorf("%d: %q", status, text)
		}
		disposition := header.Get("Content-Disposition")
		if !strings.HasPrefix(disposition, "attachment;") || !strings.Contains(disposition, "filename*=UTF-8''%D0%9E") || header.Get("Content-Type") != "text/plain" {
			t.Errorf("headers: %q, %q", disposition, header.Get("Content-Type"))
		}
	})
	t.Run("gives nothing else", func(t *testing.T) {
		other := u.put(t, "чужое содержимое")
		for _, forged := range []string{strings.ReplaceAll(url, c.Key, other.Key), strings.Split(url, "?")[0], strings.Replace(url, "X-Amz-Expires=60", "X-Amz-Expires=600", 1)} {
			if status, _, _ := visit(t, forged); forged == url || status != http.StatusForbidden {
				t.Errorf("%s: %d", forged, status)
			}
		}
	})
	t.Run("for longer than allowed is refused", func(t *testing.T) { testLongLinks(t, u, c.Key, link) })
}

func testLongLinks(t *testing.T, u FilesUnderTest, key string, link knowledge.FileLink) {
	for _, ttl := range []time.Duration{knowledge.MaxLinkTTL + time.Second, 0, -time.Minute} {
		link.TTL = ttl
		if _, err := u.Files.Link(t.Context(), key, link); !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("%v: %v", ttl, err)
		}
	}
}

// visit opens an address as a browser does.
func visit(t *testing.T, url string) (status int, header http.Header, text string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Header, string(b)
}
