package main

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) { // PS-YAML-022
	for text, want := range map[string]any{
		"": nil, "~": nil, "NULL": nil, "nULL": "nULL", "yes": true, "Off": false, "y": "y", "n": "n",
		"0b1_01": int64(5), "-0x1F": int64(-31), "017": int64(15), "08": "08", "0": int64(0), "+1_000": int64(1000),
		"12:30": int64(750), "-1:2:3": int64(-3723), "0:30": "0:30", "12:60": "12:60",
		"1.": 1.0, ".5": 0.5, "-.5": "-.5", "1e3": "1e3", "1.0e3": "1.0e3", "1.0e+3": 1000.0, "08.5": 8.5,
		"12:30.5": 750.5, "0o7": "0o7", "2024-01-01": "2024-01-01", "=": "=",
		"9223372036854775807": int64(math.MaxInt64), "-9223372036854775808": int64(math.MinInt64),
	} {
		if got := resolve(text); got != want {
			t.Errorf("%q: %#v, want %#v", text, got, want)
		}
	}
	if f := resolve("-0.0").(float64); !math.Signbit(f) {
		t.Error("-0.0 lost its sign")
	}
	for _, text := range []string{".nan", "-.INF", "9223372036854775808", "1.0e+999", "9999999999999999999:30"} {
		if b, ok := resolve(text).(*bad); !ok || scalarText(b) != text {
			t.Errorf("%q has to be outside the data model, and kept", text)
		}
	}
}

func TestScalarText(t *testing.T) { // spec/writers.md
	for want, v := range map[string]any{
		"null": nil, "true": true, "-12": int64(-12), "0.25": 0.25, "1.0": 1.0, "-0.0": math.Copysign(0, -1),
		"1.0e+22": 1e22, "5.0e-324": 5e-324, "1.5e-07": 1.5e-7, "patient1": "patient1", "a b/c.d-": "a b/c.d-",
		`"no"`: "no", `"Null"`: "Null", `"E5"`: "E5", `"e-05"`: "e-05", "e-": "e-", `"12:30"`: "12:30", `"a "`: "a ",
		`""`: "", `"é"`: "é", `"-"`: "-", `"\u0000\t\n\"\\"`: "\x00\t\n\"\\", `"\u007f\u0085\u2028\ufeff\uffff"`: "\x7f\u0085\u2028\ufeff\uffff",
	} {
		if got := scalarText(v); got != want {
			t.Errorf("%#v: %s, want %s", v, got, want)
		}
	}
}

func TestFileNames(t *testing.T) { // spec/writers.md
	for id, want := range map[string]string{
		"s1": "s1", "é ü": "é ü", "a.b": "a.b", "a/b": "a%2Fb", "../../evil": "%2E.%2F..%2Fevil", "50%": "50%25",
		"\u0085": "%C2%85", strings.Repeat("a", 255): strings.Repeat("a", 183) + "~b0f3323e7a3cad8a",
		strings.Repeat("a", 200): strings.Repeat("a", 200),
	} {
		if got := fileName(id); got != want {
			t.Errorf("%q: %s, want %s", id, got, want)
		}
	}
	if got := fileName(strings.Repeat("é", 101)); !strings.HasPrefix(got, strings.Repeat("é", 91)+"~") {
		t.Errorf("%s: has to be cut between characters", got)
	}
	long := strings.Repeat("n", 190)
	if got := flagName(long, "r", "running"); got != long+"_r_running.flag" {
		t.Errorf("%s: fits, and must not be cut", got)
	}
	if got := flagName(long, long, "running"); len(got) != 200+len("_running.flag") || got[183] != '~' {
		t.Errorf("%s: has to be cut once more", got)
	}
}

func TestMounts(t *testing.T) { // PS-WRT-007
	table := "/dev/sda / ext4 rw 0 0\nsrv:/x /mnt/my\\040data nfs4 rw,local_lock=flock 0 0\nnone /l lustre rw,flock 0 0\n"
	for folder, want := range map[string]string{"/home": "", "/mnt/my data/a": "/mnt/my data", "/mnt/my data2": "", "/l/x": ""} {
		if point, why := mountFault(table, folder); (why != "") != (want != "") || why != "" && point != want {
			t.Errorf("%s: %s %s", folder, point, why)
		}
	}
}

func TestJSON(t *testing.T) {
	v, err := decodeJSON(`{"i": 1, "f": 1.0, "e": 1e3, "p": "\ud83d\ude00", "b": "\\ud800"}`)
	if err != nil || encodeJSON(v) != `{"i":1,"f":1.0,"e":1000.0,"p":"😀","b":"\\ud800"}` {
		t.Errorf("%v %s", err, encodeJSON(v))
	}
	for _, text := range []string{`[1e999]`, `9223372036854775808`, `{"a":1,"a":2}`, `"\ud800"`, `"\udc00\ud800"`, `{"$nan":true}`, `"\u0000"`} {
		if v, err := decodeJSON(text); err != nil || flaw(v) == "" {
			t.Errorf("%s has to be refused (%v)", text, err)
		}
	}
	if flaw(deep(100)) != "" || flaw(deep(101)) == "" { // PS-VAL-005
		t.Error("the greatest depth is 100")
	}
}

func deep(depth int) any {
	v := []any{}
	for range depth - 1 {
		v = []any{v}
	}
	return v
}

// open makes a store in a new folder; settings and schema are JSON.
func open(t *testing.T, path, schema, settings string) *Store {
	t.Helper()
	doc, _ := decodeJSON(schema)
	config, _ := decodeJSON(settings)
	s, err := openStore(object("path", path), doc, config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// do runs an operation as the harness would, and checks the code of its error.
func do(t *testing.T, s *Store, op, args, code string) any {
	t.Helper()
	a, err := decodeJSON(args)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.operate(op, &arguments{Object: a.(*Object)})
	var e *Error
	if errors.As(err, &e); (err == nil) != (code == "") || e != nil && e.Code != code {
		t.Fatalf("%s %s: %v, want %q", op, args, err, code)
	}
	return answer
}

func flagsIn(t *testing.T, folder string) string {
	t.Helper()
	found, err := filepath.Glob(folder + "/*.flag")
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	slices.Sort(found)
	return strings.Join(found, " ")
}

func TestFlags(t *testing.T) { // spec/core.md and writers.md
	folder := t.TempDir()
	s := open(t, folder+"/r.yaml", "null", `{"namespace": "ns"}`)
	do(t, s, "set_status", `{"record": "a", "status": "running", "message": "go"}`, "")
	do(t, s, "set_status", `{"record": "a_x", "status": "failed"}`, "")
	if got := flagsIn(t, folder); got != "ns_a_running.flag ns_a_x_failed.flag" {
		t.Error(got)
	}
	do(t, s, "set_status", `{"record": "a", "status": "running"}`, "") // no change: the message stays
	if got := encodeJSON(do(t, s, "describe", `{"record": "a"}`, "").(*Object).Get("status_message")); got != `"go"` {
		t.Error(got)
	}
	if got, _ := os.Readlink(folder + "/ns_a_running.flag"); got != ".r.yaml.status/running" {
		t.Error(got)
	}
	os.Remove(folder + "/ns_a_running.flag") // a flag that is lost is no status that is gone
	if got := do(t, s, "get_status", `{"record": "a"}`, ""); got != "running" {
		t.Error(got)
	}
	os.WriteFile(folder+"/ns_a_failed.flag", nil, 0o666) // a foreign program's
	if got := do(t, s, "get_status", `{"record": "a"}`, ""); got != "failed" {
		t.Error(got)
	}
	do(t, s, "set_status", `{"record": "a", "status": "completed"}`, "") // leaves one
	if got := flagsIn(t, folder); got != "ns_a_completed.flag ns_a_x_failed.flag" {
		t.Error(got)
	}
	if got := do(t, s, "describe", `{"record": "a"}`, "").(*Object).Get("status_message"); got != nil {
		t.Error(got)
	}
	do(t, s, "set_status", `{"record": "a", "status": "done"}`, "status")
	if got := do(t, s, "clear_status", `{"record": "a"}`, ""); got != "completed" {
		t.Error(got)
	}
	do(t, s, "remove", `{"record": "a_x"}`, "")
	if got := flagsIn(t, folder) + encodeJSON(do(t, s, "records", `{}`, "")); got != `["a"]` {
		t.Error(got)
	}
}

func TestFileText(t *testing.T) { // spec/yaml.md and writers.md
	folder := t.TempDir()
	target := folder + "/data/r.yaml"
	if err := os.Symlink("data/r.yaml", folder+"/link.yaml"); err != nil {
		t.Fatal(err)
	}
	schema := `{"pipeline_name": "rnaseq", "samples": {"rate": {"type": "number"}, "n": {"type": "integer"}}}`
	s := open(t, folder+"/link.yaml", schema, "{}")
	do(t, s, "report", `{"record": "no", "values": {"rate": 1, "n": 2.0, "x": [[], {"k": "12:30"}, [1]]}}`, "")
	text, err := os.ReadFile(target)
	if err != nil {
		t.Fatal("the link was replaced", err)
	}
	head, meta, _ := strings.Cut(string(text), "    meta:\n")
	want := "rnaseq:\n  \"no\":\n    rate: 1.0\n    \"n\": 2\n    x:\n      - []\n      - k: \"12:30\"\n      - - 1\n"
	if head != want || strings.Count(meta, "\n") != 2 {
		t.Errorf("%s", text)
	}
	os.Chmod(target, 0o640)
	do(t, s, "report", `{"record": "no", "values": {"rate": 1.0}}`, "") // no change
	do(t, s, "report", `{"record": "no", "values": {"rate": 2, "new": 1}}`, "conflict")
	if again, _ := os.ReadFile(target); string(again) != string(text) {
		t.Errorf("%s", again)
	}
	do(t, s, "report", `{"record": "no", "values": {"rate": 2}, "overwrite": true}`, "")
	if info, _ := os.Stat(target); info.Mode().Perm() != 0o640 {
		t.Error(info.Mode())
	}
	history := do(t, s, "history", `{"record": "no"}`, "").(*Object)
	if entries := history.Object("rate"); len(entries.Keys()) != 1 || entries.Get(entries.keys[0]) != 1.0 {
		t.Error(encodeJSON(history))
	}
	do(t, s, "report", `{"level": "project", "values": {"a": 1}}`, "layout")
	do(t, s, "report", `{"record": "sample", "values": {"a": 1}}`, "layout")
}

func TestReferenceFile(t *testing.T) { // PS-YAML-013, PS-YAML-015
	path := t.TempDir() + "/r.yaml"
	os.WriteFile(path, []byte(`ns:
  project: {}
  sample:
    s1:
      v: 1
      history: {v: {'2026-01-31 10:00:00': ''}}
      meta:
        created: "2026-01-31T12:00:00.000001Z"
        modified: "2026-01-31T12:00:00.000001Z"
        pipestat_modified_time: '2026-01-31 12:07:00'
        tool: {x: .nan}
`), 0o666)
	s := open(t, path, "null", `{"namespace": "ns"}`)
	modified := do(t, s, "describe", `{"record": "s1"}`, "").(*Object).Get("modified")
	local, _ := readLocal("2026-01-31 12:07:00")
	if modified != local.Format(utcForm) {
		t.Error(modified)
	}
	do(t, s, "report", `{"record": "s1", "values": {"v": 2}, "overwrite": true}`, "")
	if got := encodeJSON(do(t, s, "retrieve", `{"record": "s1"}`, "")); got != `{"v":2}` {
		t.Error(got)
	}
	if h := do(t, s, "history", `{"record": "s1"}`, "").(*Object).Object("v"); len(h.Keys()) != 2 || h.Get(h.keys[0]) != "" {
		t.Error(encodeJSON(h))
	}
	if text, _ := os.ReadFile(path); !strings.Contains(string(text), "x: .nan") {
		t.Errorf("lost a foreign value: %s", text)
	}
}

func TestWriters(t *testing.T) { // spec/writers.md; flock excludes open descriptions, so goroutines do
	path := t.TempDir() + "/r.yaml"
	done := make(chan error)
	for w := range 4 {
		s := open(t, path, "null", `{"namespace": "ns"}`)
		go func() {
			var err error
			for i := range 10 {
				values := object("v", []any{int64(w), int64(i)})
				err = errors.Join(err, s.report(&report{level: "sample", record: "one", values: values, overwrite: true, history: true}))
			}
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	s := open(t, path, "null", `{"namespace": "ns"}`)
	if h := do(t, s, "history", `{"record": "one"}`, "").(*Object).Object("v"); len(h.Keys()) != 39 {
		t.Errorf("%d entries, want 39", len(h.Keys()))
	}
}

func TestStatusesOfBothLevels(t *testing.T) { // PS-YAML-041
	folder := t.TempDir()
	s := open(t, folder+"/r.yaml", "null", `{"namespace": "ns", "layout": "levels"}`)
	both := func(sample, project any) {
		t.Helper()
		for level, want := range map[string]any{"sample": sample, "project": project} {
			if got := do(t, s, "get_status", `{"record": "a", "level": "`+level+`"}`, ""); got != want {
				t.Errorf("%s: %v, want %v", level, got, want)
			}
		}
	}
	do(t, s, "set_status", `{"record": "a", "status": "running"}`, "")
	both("running", nil)
	do(t, s, "report", `{"record": "a", "level": "project", "values": {"n": 1}}`, "")
	both("running", nil)
	do(t, s, "set_status", `{"record": "a", "level": "project", "status": "failed"}`, "")
	both("running", "failed")
	do(t, s, "clear_status", `{"record": "a"}`, "")
	both(nil, "failed")
	do(t, s, "remove", `{"record": "a"}`, "")
	both(nil, "failed")
	if got := flagsIn(t, folder); got != "ns_a_failed.flag" {
		t.Error(got)
	}
}

func TestWrongMeta(t *testing.T) { // PS-YAML-009, PS-YAML-015
	folder := t.TempDir()
	text := "ns:\n  sample:\n    a:\n      n: 1\n      meta: text\n    b:\n      n: 2\n      meta: null\n  project: {}\n"
	os.WriteFile(folder+"/r.yaml", []byte(text), 0o666)
	s := open(t, folder+"/r.yaml", "null", `{"namespace": "ns"}`)
	do(t, s, "retrieve", `{"record": "a"}`, "store")
	do(t, s, "report", `{"record": "a", "values": {"x": 1}}`, "store")
	do(t, s, "retrieve", `{"record": "b"}`, "")
	do(t, s, "report", `{"record": "b", "values": {"history": {"n": {"2026-01-31 12:00:00": ""}}}}`, "layout")
	do(t, s, "report", `{"record": "b", "values": {"history": {"n": {"2026-01-31 12:00:00": "x"}}}}`, "")
}
