package main

import (
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // local times are needed also where the system has no zone data
)

const (
	utcForm   = "2006-01-02T15:04:05.000000Z" // PS-REC-003
	localForm = "2006-01-02 15:04:05"         // PS-YAML-011
)

var (
	reUTC   = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`)
	reLocal = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`)
)

// record is one record of a file: the mapping that holds its results and meta.
type record struct {
	*Object
	levels bool // the layout of its namespace
}

// meta returns the metadata, nil when there is none.
func (r record) meta() *Object { return r.Object.Object("meta") }

// ensureMeta returns the metadata, made where missing and moved to the end of the record.
func (r record) ensureMeta() *Object {
	m := r.meta()
	if m == nil {
		m = NewObject()
	}
	r.Delete("meta")
	r.Set("meta", m)
	return m
}

// names lists the results: neither reserved names nor what the reference leaves there
// (PS-YAML-009, PS-YAML-010, PS-YAML-015).
func (r record) names() []string {
	var names []string
	for _, k := range r.Keys() {
		if !isReserved(k) && !(k == "history" && r.strayHistory() != nil) {
			names = append(names, k)
		}
	}
	return names
}

// strayHistory is the history that the reference leaves beside the results (PS-YAML-015).
func (r record) strayHistory() *Object {
	if r.meta() == nil || !r.looksStray() {
		return nil
	}
	return r.Object.Object("history")
}

// looksStray tells whether the result history has the form that the reference leaves.
func (r record) looksStray() bool {
	h := r.Object.Object("history")
	if !r.levels || len(h.Keys()) == 0 {
		return false
	}
	for _, result := range h.keys {
		times := h.Object(result)
		if len(times.Keys()) == 0 {
			return false
		}
		for _, t := range times.keys {
			if !reLocal.MatchString(t) || times.vals[t] != "" {
				return false
			}
		}
	}
	return true
}

func readTime(form string, pattern *regexp.Regexp, v any, zone *time.Location) (time.Time, bool) {
	text, ok := v.(string)
	if !ok || !pattern.MatchString(text) {
		return time.Time{}, false
	}
	t, err := time.ParseInLocation(form, text, zone)
	return t.UTC(), err == nil
}

func readUTC(v any) (time.Time, bool)   { return readTime(utcForm, reUTC, v, time.UTC) }
func readLocal(v any) (time.Time, bool) { return readTime(localForm, reLocal, v, time.Local) }

// time returns the created or modified time (PS-YAML-013).
func (r record) time(name string) (time.Time, bool) {
	precise, hasPrecise := readUTC(r.meta().Get(name))
	text := r.meta().Get("pipestat_" + name + "_time")
	local, hasLocal := readLocal(text)
	if !hasPrecise || !hasLocal {
		if hasPrecise {
			return precise, true
		}
		return local, hasLocal
	}
	face, _ := readTime(localForm, reLocal, text, time.UTC)
	difference := face.Sub(precise.Truncate(time.Second)).Abs()
	if difference > 14*time.Hour || difference%(15*time.Minute) != 0 {
		return local, true // the reference has written it since
	}
	return precise, true
}

// standing is the status that the record itself has (PS-YAML-042).
func (r record) standing() standing {
	since, _ := readUTC(r.meta().Get("status_time"))
	return standing{textOf(r.meta().Get("status")), since, false}
}

// setStanding stores a status, "" for none.
func (r record) setStanding(status string, since time.Time) {
	m := r.ensureMeta()
	m.Delete("status")
	m.Delete("status_time")
	if status != "" {
		m.Set("status", status)
		m.Set("status_time", since.Truncate(time.Microsecond).Format(utcForm))
	}
}

// setTime writes the created or modified time (PS-YAML-009).
func (r record) setTime(name string, t time.Time) {
	m := r.ensureMeta()
	m.Set(name, t.Format(utcForm))
	if r.levels || reLocal.MatchString(textOf(m.Get("pipestat_"+name+"_time"))) { // PS-YAML-013
		m.Set("pipestat_"+name+"_time", t.Local().Format(localForm))
	}
}

func textOf(v any) string {
	text, _ := v.(string)
	return text
}

// change is one entry of the history.
type change struct {
	time time.Time
	old  any
	key  string // that it stands under
}

// history reads the entries of every result, ordered by time (PS-YAML-012).
func (r record) history() map[string][]change {
	found := map[string][]change{}
	precise := r.meta().Object("history_times")
	for _, source := range []*Object{r.meta().Object("history"), r.strayHistory()} {
		for _, result := range source.Keys() {
			entries := source.Object(result)
			for _, key := range entries.Keys() {
				t, ok := readUTC(precise.Object(result).Get(key))
				if !ok {
					t, ok = readUTC(key)
				}
				if !ok {
					t, ok = readLocal(key)
				}
				if ok {
					found[result] = append(found[result], change{t, entries.vals[key], key})
				}
			}
		}
	}
	for _, changes := range found {
		slices.SortStableFunc(changes, func(a, b change) int { return a.time.Compare(b.time) })
		for i := 1; i < len(changes); i++ { // two keys may mean one time, for instance where clocks go back
			if !changes[i].time.After(changes[i-1].time) {
				changes[i].time = changes[i-1].time.Add(time.Microsecond)
			}
		}
	}
	return found
}

// remember adds an entry to the history (PS-HIS-001, PS-YAML-011), and removes the oldest of this
// result where there are more than limit then (PS-HIS-005); below 0 there is no limit.
func (r record) remember(result string, old any, t time.Time, limit int64) {
	if r.levels {
		key := r.rememberLocally(result, old, t)
		child(child(r.ensureMeta(), "history_times"), result).Set(key, t.Format(utcForm))
	} else {
		child(child(r.ensureMeta(), "history"), result).Set(t.Format(utcForm), old)
	}
	if limit < 0 {
		return
	}
	changes := r.history()[result]
	for _, gone := range changes[:max(0, int64(len(changes))-limit)] {
		r.forget("history", result, gone.key)
		r.forget("history_times", result, gone.key)
	}
}

// forget removes an entry of history or history_times, and what holds nothing then.
func (r record) forget(name, result, key string) {
	all := r.meta().Object(name)
	entries := all.Object(result)
	if entries == nil {
		return
	}
	if entries.Delete(key); len(entries.keys) == 0 {
		all.Delete(result)
	}
	if len(all.keys) == 0 {
		r.meta().Delete(name)
	}
}

// rememberLocally stores an entry under the first local second that is free.
func (r record) rememberLocally(result string, old any, t time.Time) string {
	entries := child(child(r.ensureMeta(), "history"), result)
	for second := t.Local(); ; second = second.Add(time.Second) {
		if key := second.Format(localForm); !entries.Has(key) {
			entries.Set(key, old)
			return key
		}
	}
}

// tidy moves the reference's history into meta, to be done with any update (PS-YAML-015).
func (r record) tidy() {
	stray := r.strayHistory()
	for _, result := range stray.Keys() {
		times := stray.Object(result)
		for _, key := range times.keys {
			if t, ok := readLocal(key); ok {
				r.rememberLocally(result, times.vals[key], t)
			}
		}
	}
	if stray != nil {
		r.Delete("history")
	}
}

// now is the time of a change: later than all that the record holds (PS-REC-003).
func (r record) now() time.Time {
	t := time.Now().UTC().Truncate(time.Microsecond)
	later := func(held time.Time) {
		if !t.After(held) {
			t = held.Add(time.Microsecond)
		}
	}
	for _, name := range []string{"created", "modified"} {
		if held, ok := r.time(name); ok {
			later(held)
		}
	}
	for _, changes := range r.history() {
		later(changes[len(changes)-1].time)
	}
	return t.Truncate(time.Microsecond)
}

// child returns the member of that name, made where it is no object.
func child(o *Object, key string) *Object {
	c := o.Object(key)
	if c == nil {
		c = NewObject()
		o.Set(key, c)
	}
	return c
}

// checkSource applies PS-REC-002.
func checkSource(source *Object) error {
	if why := flaw(source); why != "" {
		return fail("validation", "the source holds %s", why)
	}
	return nil
}

// levelOf checks the name of a level.
func levelOf(name string) (string, error) {
	switch strings.ToLower(name) {
	case "", "sample":
		return "sample", nil
	case "project":
		return "project", nil
	}
	return "", fail("validation", "%q is no level; use sample or project", name)
}
