package configs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/configs"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExampleShowsEveryDefault(t *testing.T) {
	got, err := configs.Load(write(t, configs.Example), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(configs.Default(), got); diff != "" {
		t.Errorf("example.yaml differs from the defaults (-default +example):\n%s", diff)
	}
	shown, err := got.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := configs.Load(write(t, shown), nil)
	if err != nil {
		t.Fatalf("what config show prints does not load: %v\n%s", err, shown)
	}
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("config show is not the configuration:\n%s", diff)
	}
	for _, key := range []string{"data", "language", "zone", "path", "off", "access", "silence", "later", "hours", "holidays", "workdays", "limit", "remind", "handover", "level", "format", "picks", "helped", "asks", "days", "share"} {
		if !strings.Contains(configs.Example, key+":") {
			t.Errorf("example.yaml does not show %s", key)
		}
	}
}

func TestEnvironmentWinsOverFile(t *testing.T) {
	path := write(t, "senior: {silence: 3m}\nlanguage: en\n")
	got, err := configs.Load(path, []string{"NASTAVNIK_SENIOR_SILENCE=30s", "NASTAVNIK_CONFIG=x", "HOME=/root"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Senior.Silence != 30*time.Second || got.Language != "en" {
		t.Errorf("got silence %s, language %s", got.Senior.Silence, got.Language)
	}
}

// Days may be written as YAML has them, as text, in the environment, and in files.
func TestDays(t *testing.T) {
	got, err := configs.Load(write(t, "senior: {holidays: [2026-01-01, 2026-05-01..2026-05-03, \"01-07\"]}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"2026-01-01", "2026-05-01..2026-05-03", "01-07"}, got.Senior.Holidays); diff != "" {
		t.Errorf("holidays (-want +got):\n%s", diff)
	}
	path := write(t, "# праздники\n2026-06-12\n\n  11-04 # День народного единства\n")
	if got, err = configs.Load("", []string{"NASTAVNIK_SENIOR_HOLIDAYS=01-07," + path}); err != nil {
		t.Fatal(err)
	}
	days, err := configs.Days(got.Senior.Holidays)
	if diff := cmp.Diff([]string{"01-07", "2026-06-12", "11-04"}, days); diff != "" || err != nil {
		t.Errorf("days (-want +got):\n%s%v", diff, err)
	}
	if _, err := configs.Days([]string{"no/such.txt"}); err == nil || !strings.Contains(err.Error(), "no/such.txt") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestBadConfigurationNamesEveryProblem(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		env  []string
		want []string
	}{
		"unknown key":        {text: "senoir: {silence: 2m}\n", want: []string{`"senoir.silence"`, `"senior.silence"`}},
		"two problems":       {text: "language: fr\nlog: {level: loud}\n", want: []string{"language", "log.level"}},
		"not a duration":     {text: "senior: {silence: скоро}\n", want: []string{"silence", "2m"}},
		"out of range":       {text: "senior: {silence: 5h}\n", want: []string{"senior.silence", "1h"}},
		"learning":           {text: "learning: {picks: -1, faq: {days: 0}, stale: {share: 30}}\n", want: []string{"learning.picks", "learning.faq.days", "learning.stale.share"}},
		"seniors":            {text: "senior: {limit: -1, remind: 5s, handover: 1h}\n", want: []string{"senior.limit", "senior.remind"}},
		"handover too early": {text: "senior: {remind: 8h, handover: 4h}\n", want: []string{"senior.handover", "8h"}},
		"access":             {text: "access: everybody\n", want: []string{"access", "invitation"}},
		"not yaml":           {text: "a: [", want: []string{"YAML"}},
		"bad zone":           {text: "zone: Moscow\n", want: []string{"zone", "Europe/Moscow"}},
		"bad in environment": {env: []string{"NASTAVNIK_LANGUAGE=xx"}, want: []string{"language"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := configs.Load(write(t, c.text), c.env)
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not name %q", err, w)
				}
			}
		})
	}
	if _, err := configs.Load("no/such.yaml", nil); err == nil || !strings.Contains(err.Error(), "no/such.yaml") {
		t.Errorf("a missing file: %v", err)
	}
}
