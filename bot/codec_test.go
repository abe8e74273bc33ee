package bot

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// bodies returns a zero value of every type that may happen in a chat.
func bodies() []Body {
	return []Body{
		Said{}, Pressed{}, Ended{}, Filled{}, Edited{}, Deleted{}, Opened{}, Undelivered{},
		Search{}, Show{}, FindOpen{}, Prove{}, Guard{},
		Found{}, Shown{}, OpenFound{}, Proved{}, Guarded{},
		Silence{}, Due{}, Morning{}, Overdue{},
		Assigned{}, TaskChanged{}, TaskGone{}, Detail{}, AnswerCame{}, HandedOn{}, Dismissed{},
		AskRead{}, Taught{}, Sent{}, AnsweredMeanwhile{}, WaitEnded{}, NameHidden{}, DetailSent{}, AskChanged{}, Accepted{}, Mine{}, FAQ{},
		ReplyDone{}, HeldDecided{}, EntryGone{}, TooLate{}, TaskEnded{}, TaskPostponed{}, TaskRead{}, Seniors{}, EntrySet{}, AnswerRead{}, Reminded{}, TaskStays{}, TasksRead{}, Topics{}, TopicSet{}, TooLong{},
	}
}

// results are never stored: they are decided on at once.
func results() []Body {
	return []Body{
		Found{}, Shown{}, OpenFound{}, Proved{}, Guarded{},
		AskRead{}, Taught{}, Sent{}, AnsweredMeanwhile{}, WaitEnded{}, NameHidden{}, DetailSent{}, AskChanged{}, Accepted{}, Mine{}, FAQ{},
		ReplyDone{}, HeldDecided{}, EntryGone{}, TooLate{}, TaskEnded{}, TaskPostponed{}, TaskRead{}, Seniors{}, EntrySet{}, AnswerRead{}, Reminded{}, TaskStays{}, TasksRead{}, Topics{}, TopicSet{}, TooLong{},
	}
}

func names(bodies []Body) []string {
	var out []string
	for _, b := range bodies {
		out = append(out, reflect.TypeOf(b).Name())
	}
	slices.Sort(out)
	return out
}

// The list above is that of the source: a new type cannot be forgotten.
func TestBodiesAreListed(t *testing.T) {
	var declared []string
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if m, ok := d.(*ast.FuncDecl); ok && m.Recv != nil && m.Name.Name == "body" {
				declared = append(declared, m.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	slices.Sort(declared)
	if diff := cmp.Diff(declared, names(bodies())); diff != "" {
		t.Errorf("bodies of the source and of this test (-source +test):\n%s", diff)
	}
}

// What the inbox may hold and what not is decided for every type.
func TestWhatTheInboxHolds(t *testing.T) {
	never := names(results())
	var kinds []string
	for _, b := range bodies() {
		kind, payload, err := Encode(b)
		if slices.Contains(never, reflect.TypeOf(b).Name()) {
			if err == nil {
				t.Errorf("%T can be stored, and is a result of something else", b)
			}
			continue
		}
		if err != nil {
			t.Errorf("%T cannot be stored: %v", b, err)
			continue
		}
		kinds = append(kinds, kind)
		back, err := Decode(kind, payload)
		if err != nil || reflect.TypeOf(back) != reflect.TypeOf(b) {
			t.Errorf("%T comes back from %q as %T, %v", b, kind, back, err)
		}
	}
	slices.Sort(kinds)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(decoders)), kinds); diff != "" {
		t.Errorf("kinds that are decoded and kinds that are encoded (-decoded +encoded):\n%s", diff)
	}
}

// fill puts drawn values into everything of v that is stored.
func fill(t *rapid.T, v reflect.Value, depth int) { fillFields(t, v, depth, false) }

// fillAll does so with what is not stored, too.
func fillAll(t *rapid.T, v reflect.Value, depth int) { fillFields(t, v, depth, true) }

func fillFields(t *rapid.T, v reflect.Value, depth int, all bool) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.String().Draw(t, "string"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int"))
	case reflect.Float64:
		v.SetFloat(rapid.Float64Range(0, 1).Draw(t, "float"))
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, "len")
		if n == 0 || depth == 0 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fillFields(t, v.Index(i), depth-1, all)
		}
	case reflect.Pointer:
		if depth > 0 && rapid.Bool().Draw(t, "set") {
			v.Set(reflect.New(v.Type().Elem()))
			fillFields(t, v.Elem(), depth-1, all)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if all || v.Type().Field(i).Tag.Get("json") != "-" {
				fillFields(t, v.Field(i), depth, all)
			}
		}
	default:
		t.Fatalf("fill: a %s is new here", v.Kind())
	}
}

// Whatever is stored comes back as it was.
func TestCodecRoundTrip(t *testing.T) {
	never := names(results())
	for _, b := range bodies() {
		name := reflect.TypeOf(b).Name()
		if slices.Contains(never, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				v := reflect.New(reflect.TypeOf(b)).Elem()
				fill(t, v, 3)
				want := v.Interface().(Body)
				kind, payload, err := Encode(want)
				if err != nil {
					t.Fatal(err)
				}
				got, err := Decode(kind, payload)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("-stored +read:\n%s", diff)
				}
			})
		})
	}
}

// A row that this program does not know is an error that says what may be wrong.
func TestDecodeUnknown(t *testing.T) {
	if _, err := Decode("telepathy", []byte("{}")); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Error(err)
	}
	if _, err := Decode("said", []byte("{")); err == nil || !strings.Contains(err.Error(), "said") {
		t.Error(err)
	}
}

func TestButtonID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		delivery := rapid.Int64Range(1, 1<<62).Draw(t, "delivery")
		section, button := rapid.IntRange(0, 99).Draw(t, "section"), rapid.IntRange(0, 99).Draw(t, "button")
		id := ButtonID(delivery, section, button)
		if len(id) > 64 {
			t.Fatalf("%q is %d bytes long: Telegram takes 64", id, len(id))
		}
		d, s, b, ok := parseButtonID(id)
		if !ok || d != delivery || s != section || b != button {
			t.Fatalf("%q means %d.%d.%d, %v", id, d, s, b, ok)
		}
	})
	for _, id := range []string{"", "1", "1.2", "1.2.3.4", "ы.1.1", "1.a.1", "1.1.", "99999999999999999999.1.1"} {
		if _, _, _, ok := parseButtonID(id); ok {
			t.Errorf("%q is a button", id)
		}
	}
}

// The state of a chat comes back as it was, and one of an older or newer
// program does no harm.
func TestStateRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want State
		fill(t, reflect.ValueOf(&want).Elem(), 3)
		if got := stored(t, want); !cmp.Equal(want, got, cmpopts.EquateEmpty()) {
			t.Fatalf("-before +after:\n%s", cmp.Diff(want, got))
		}
	})
	s, err := readState(Conversation{State: []byte(`{"greeted":true,"mood":"sunny"}`)})
	if err != nil || !s.Greeted {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := readState(Conversation{Chat: "console:иван", State: []byte(`[]`)}); err == nil || !strings.Contains(err.Error(), "console:иван") {
		t.Errorf("no error that names the chat: %v", err)
	}
}
