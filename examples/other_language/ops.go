package main

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// report is what one call brings for one record (spec/core.md).
type report struct {
	level, record      string
	values             *Object
	overwrite, history bool
	status, message    any // string or nil
	source             *Object
}

// prepare checks and adapts a report before anything is locked or stored (PS-RES-002).
func (s *Store) prepare(r *report, convert bool) error {
	if err := checkIdent("a record identifier", r.record, "validation"); err != nil {
		return err
	}
	if err := checkSource(r.source); err != nil {
		return err
	}
	if r.status != nil {
		if err := s.checkStatus(r.status); err != nil {
			return err
		}
	}
	if err := checkMessage(r.status, r.message); err != nil {
		return err
	}
	for _, name := range r.values.Keys() {
		if err := checkResultIdent(name, "validation"); err != nil {
			return err
		}
		v, err := s.prepareValue(r, name, r.values.vals[name], convert)
		if err != nil {
			return err
		}
		r.values.vals[name] = v
	}
	return nil
}

func (s *Store) prepareValue(r *report, name string, v any, convert bool) (any, error) {
	if why := flaw(v); why != "" {
		return nil, fail("validation", "%s: %s cannot be stored", name, why)
	}
	if s.schema == nil {
		return v, nil
	}
	level := s.schema.Levels[r.level]
	if level.Defs[name] == nil {
		if s.validate && level.Closed {
			return nil, fail("validation", "%s: the schema does not declare it (nearest: %s) and allows no others", name, nearest(name, level.Order))
		}
		warn("%s is not declared by the schema; the nearest declared result is %q", name, nearest(name, level.Order))
	}
	d := s.schema.definition(r.level, name)
	if d == nil || !s.validate { // then any value is accepted as it is (PS-RES-005, PS-VAL-010)
		return v, nil
	}
	if text, isText := v.(string); isText && convert && len(d.Types) > 0 {
		converted, ok := fromText(d, name, text)
		if !ok {
			return nil, fail("validation", "%s: the text %q is no %s", name, text, d.describe())
		}
		v = converted
	}
	v, err := s.schema.adapt(d, v)
	if err != nil {
		return nil, fail("validation", "%s: %v", name, err)
	}
	if err := d.validator.Validate(plain(v)); err != nil {
		return nil, fail("validation", "%s: %s is no valid %s: %v", name, encodeJSON(v), d.describe(), err)
	}
	return v, nil
}

var reInteger = regexp.MustCompile(`^-?[0-9]+$`)

// fromText converts text to the first of the declared types that it fits (PS-RES-009).
func fromText(d *Definition, result, text string) (any, bool) {
	types := d.Types
	for _, name := range []string{"null", "boolean", "integer", "number", "array", "object", "string"} {
		if !slices.Contains(types, name) {
			continue
		}
		switch name {
		case "null":
			if text == "null" {
				return nil, true
			}
		case "boolean":
			if lower := strings.ToLower(text); lower == "true" || lower == "false" {
				return lower == "true", true
			}
		case "integer":
			if i, err := strconv.ParseInt(text, 10, 64); err == nil && reInteger.MatchString(text) {
				return i, true
			}
		case "number":
			if f, err := strconv.ParseFloat(text, 64); err == nil && reJSONNumber.MatchString(text) {
				return f, true
			}
		case "string":
			return text, true
		default:
			if name == "object" && d.Kind != "" && !strings.HasPrefix(text, "{") {
				return object("path", text, "title", d.title(result)), true
			}
			v, err := decodeJSON(text)
			_, isArray := v.([]any)
			_, isObject := v.(*Object)
			if err == nil && flaw(v) == "" && (name == "array" && isArray || name == "object" && isObject) {
				return v, true
			}
		}
	}
	return nil, false
}

// title returns what a file or image is called that is given by its path.
func (d *Definition) title(result string) string {
	for _, key := range []string{"title", "description"} {
		if text, ok := d.schema.Get(key).(string); ok {
			return text
		}
	}
	return result
}

func (s *Store) checkStatus(status any) error {
	known := make([]string, len(s.statuses))
	for i, k := range s.statuses {
		known[i] = k.ID
	}
	if name, ok := status.(string); !ok || !slices.Contains(known, name) {
		return fail("status", "%s is no status; use one of %s", encodeAny(status), strings.Join(known, ", ")) // PS-STA-004
	}
	return nil
}

func checkMessage(status, message any) error { // PS-STA-006
	if message == nil {
		return nil
	}
	text, ok := message.(string)
	if !ok || textFlaw(text) != "" {
		return fail("validation", "a status message has to be text")
	}
	if status == nil {
		return fail("validation", "a status message needs a status")
	}
	return nil
}

// stored returns a result as a reader gets it: a declared number as a double (PS-VAL-008).
func (s *Store) stored(level, name string, v any) any {
	if n, ok := v.(int64); ok && s.validate && s.schema.definition(level, name).sole("number") {
		if f, exact := toDouble(n); exact {
			return f
		}
	}
	return v
}

// report stores all reports in one change of the file: all or none (PS-RES-001, PS-RES-010).
func (s *Store) report(reports ...*report) error {
	return s.update(func(t *tree) error {
		for _, r := range reports {
			if err := t.report(r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tree) report(rep *report) error {
	if err := t.checkMeta(rep.level, rep.record); err != nil {
		return err
	}
	r, exists := t.record(rep.level, rep.record)
	var changed []string
	for _, name := range rep.values.Keys() {
		old, has := r.Get(name), exists && slices.Contains(r.names(), name)
		old = t.s.stored(rep.level, name, old)
		switch {
		case has && equal(old, rep.values.vals[name]): // no change (PS-RES-006)
		case has && !rep.overwrite:
			return fail("conflict", "%s of %q is %s already and would become %s; overwriting is off",
				name, rep.record, encodeAny(old), encodeJSON(rep.values.vals[name]))
		default:
			changed = append(changed, name)
		}
	}
	now, err := t.statusOf(rep.level, rep.record)
	if err != nil {
		return err
	}
	restate := rep.status != nil &&
		(now.status != rep.status || rep.message != nil && rep.message != r.meta().Get("status_message"))
	if len(changed) == 0 && !restate && (exists || rep.status == nil) {
		if now.foreign {
			return nil // nothing is stored, so its flag goes on to tell it
		}
		return t.show(rep.level, rep.record)
	}
	if !exists {
		if r, err = t.create(rep.level, rep.record); err != nil {
			return err
		}
	} else if len(changed) > 0 {
		if err := t.checkWrite(rep.level); err != nil {
			return err
		}
		now := r.now()
		for _, name := range changed {
			if rep.history && r.Has(name) {
				r.remember(name, t.s.stored(rep.level, name, r.Get(name)), now, t.s.historyLimit)
			}
		}
		r.setTime("modified", now)
	}
	for _, name := range changed {
		r.Set(name, rep.values.vals[name])
	}
	if slices.Contains(changed, "history") && r.looksStray() {
		return fail("layout", "history: in the layout levels this would be taken for what another program leaves there; give the result another name")
	}
	if err := t.takeOver(rep.level, rep.record, r); err != nil {
		return err
	}
	if restate {
		r.ensureMeta().Set("status_message", rep.message)
		if rep.message == nil {
			r.meta().Delete("status_message")
		}
		if status := rep.status.(string); status != now.status {
			since := r.now()
			if !since.After(now.since) {
				since = now.since.Add(time.Microsecond)
			}
			r.setStanding(status, since)
		}
	}
	if rep.source != nil {
		r.ensureMeta().Set("source", rep.source)
	}
	t.touch(rep.level, rep.record, r)
	return t.show(rep.level, rep.record)
}

// find reads one record and makes sure that it is within the data model (PS-YAML-025).
func (s *Store) find(level, id string) (*tree, record, error) {
	t, err := s.read(id)
	if err != nil {
		return nil, record{}, err
	}
	r, err := t.find(level, id)
	return t, r, err
}

func (t *tree) find(level, id string) (record, error) {
	r, ok := t.record(level, id)
	if !ok {
		return r, fail("not-found", "there is no record %q on level %s", id, level)
	}
	return r, t.checkMeta(level, id)
}

// retrieve returns results of a record, all of them when names is nil (PS-RES-011, PS-RES-012).
func (s *Store) retrieve(level, id string, names []string) (*Object, error) {
	t, r, err := s.find(level, id)
	if err != nil && t != nil && names == nil { // another program's flag is all there is (PS-YAML-039)
		if now, ferr := t.statusOf(level, id); ferr != nil || now.status != "" {
			return NewObject(), ferr
		}
	}
	if err != nil {
		return nil, err
	}
	results := NewObject()
	for _, name := range r.names() {
		v := r.Get(name)
		if why := flaw(v); why != "" {
			return nil, fail("store", "the result %q of %q cannot be read: %s", name, id, why)
		}
		if names == nil || slices.Contains(names, name) {
			results.Set(name, s.stored(level, name, v))
		}
	}
	if names != nil && len(results.keys) == 0 {
		return nil, fail("not-found", "the record %q has no result %s", id, strings.Join(names, ", "))
	}
	return results, nil
}

// describe returns the metadata of a record.
func (s *Store) describe(level, id string) (*Object, error) {
	t, r, err := s.find(level, id)
	if err != nil {
		return nil, err
	}
	now, err := t.statusOf(level, id)
	if err != nil {
		return nil, err
	}
	answer := NewObject()
	for _, name := range []string{"status", "status_message", "status_time"} {
		answer.Set(name, nil)
	}
	if now.status != "" {
		answer.Set("status", now.status)
		if !now.since.IsZero() {
			answer.Set("status_time", now.since.Format(utcForm))
		}
		if text, ok := r.meta().Get("status_message").(string); ok {
			answer.Set("status_message", text)
		}
	}
	answer.Set("source", nil)
	if source := r.meta().Object("source"); source != nil {
		if why := flaw(source); why != "" {
			return nil, fail("store", "the source of %q cannot be read: %s", id, why)
		}
		answer.Set("source", source)
	}
	for _, name := range []string{"created", "modified"} {
		answer.Set(name, nil)
		if at, ok := r.time(name); ok {
			answer.Set(name, at.Format(utcForm))
		}
	}
	return answer, nil
}

// list returns the identifiers of a level in code-point order (PS-ID-003).
func (s *Store) list(level string) ([]string, error) {
	path, err := resolvePath(s.path)
	if err != nil {
		return nil, err
	}
	t, err := s.load(path)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(slices.Values(t.records(level).Keys())), nil
}

// history returns the former values of one result or of all that have any (PS-HIS-004).
func (s *Store) history(level, id string, only any) (*Object, error) {
	_, r, err := s.find(level, id)
	if err != nil {
		return nil, err
	}
	all := r.history()
	results := slices.Sorted(maps.Keys(all))
	if only != nil {
		results = []string{only.(string)}
	}
	answer := NewObject()
	for _, result := range results {
		entries := NewObject()
		for _, c := range all[result] {
			if why := flaw(c.old); why != "" {
				return nil, fail("store", "the history of %q of %q cannot be read: %s", result, id, why)
			}
			entries.Set(c.time.Format(utcForm), s.stored(level, result, c.old))
		}
		answer.Set(result, entries)
	}
	return answer, nil
}

// remove removes one result, or the whole record when result is nil (PS-RES-014, PS-RES-015).
func (s *Store) remove(level, id string, result any) error {
	return s.update(func(t *tree) error {
		r, err := t.find(level, id)
		if err != nil {
			return err
		}
		if result != nil {
			name := result.(string)
			if !slices.Contains(r.names(), name) {
				return fail("not-found", "the record %q has no result %q", id, name)
			}
			now := r.now()
			r.remember(name, s.stored(level, name, r.Get(name)), now, s.historyLimit)
			r.Delete(name)
			r.setTime("modified", now)
			t.touch(level, id, r)
			return nil
		}
		if err := t.takeOver(level, id, r); err != nil {
			return err
		}
		t.records(level).Delete(id)
		t.prepare(level)
		t.dirty = true
		return t.show(level, id)
	})
}

// setStatus is a report of a status without results (PS-STA-005).
func (s *Store) setStatus(level, id string, status, message any, source *Object) error {
	if status == nil {
		return fail("status", "a status is needed")
	}
	r := &report{level: level, record: id, status: status, message: message, source: source}
	if err := s.prepare(r, false); err != nil {
		return err
	}
	return s.report(r)
}

// getStatus returns the status, nil where there is none (PS-STA-007).
func (s *Store) getStatus(level, id string) (any, error) {
	t, err := s.read(id)
	if err != nil {
		return nil, err
	}
	now, err := t.statusOf(level, id)
	if err != nil || now.status == "" {
		return nil, err
	}
	return now.status, nil
}

// clearStatus removes status and message and tells which status it was; when names are given, only
// a status among them (PS-STA-008).
func (s *Store) clearStatus(level, id string, names []string) (removed any, err error) {
	for _, name := range names {
		if err := s.checkStatus(name); err != nil {
			return nil, err
		}
	}
	err = s.update(func(t *tree) error {
		now, err := t.statusOf(level, id)
		if err != nil {
			return err
		}
		if names != nil && !slices.Contains(names, now.status) {
			return nil
		}
		if now.status != "" {
			removed = now.status
		}
		r, ok := t.record(level, id)
		if ok && (now.status != "" || r.meta().Has("status_message")) {
			if err := t.takeOver(level, id, r); err != nil {
				return err
			}
			stored := r.standing().status != ""
			r.setStanding("", time.Time{})
			if r.meta().Has("status_message") || stored {
				r.meta().Delete("status_message")
				t.touch(level, id, r)
			}
		}
		return t.show(level, id)
	})
	if err != nil {
		removed = nil
	}
	return removed, err
}
