package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Store is one namespace of one local results file.
type Store struct {
	path, namespace, project string
	flags                    string // flag_file_dir, or ""
	layout                   string // "records", "levels" or "" where not configured
	multi, validate, unsafe  bool
	historyLimit             int64   // PS-HIS-005; below 0 without one
	schema                   *Schema // nil without an output schema
	statuses                 []Status
	mountChecked             bool
}

// openStore reads the settings and looks at the file, if there is one.
func openStore(store, schema, settings any) (*Store, error) {
	place, _ := store.(*Object)
	config, _ := settings.(*Object)
	if config == nil {
		config = NewObject()
	}
	s := &Store{project: "project", historyLimit: -1}
	var err error
	text := func(o *Object, key string, into *string) {
		v := o.Get(key)
		if t, ok := v.(string); ok && t != "" {
			*into = t
		} else if v != nil && err == nil {
			err = fail("config", "%s has to be a non-empty string", key)
		}
	}
	flag := func(key string, into *bool) {
		v := config.Get(key)
		if b, ok := v.(bool); ok {
			*into = b
		} else if v != nil && err == nil {
			err = fail("config", "%s has to be true or false", key)
		}
	}
	text(place, "path", &s.path)
	text(config, "flag_file_dir", &s.flags)
	text(config, "namespace", &s.namespace)
	text(config, "project_name", &s.project)
	text(config, "layout", &s.layout)
	flag("multi_pipelines", &s.multi)
	flag("unsafe_writes", &s.unsafe)
	s.validate = schema != nil // PS-CFG-007
	flag("validate_results", &s.validate)
	if v := config.Get("history_limit"); v != nil && err == nil {
		limit, ok := v.(int64)
		if s.historyLimit = limit; !ok || limit < 0 {
			err = fail("config", "history_limit has to be an integer from 0 on")
		}
	}
	if err != nil {
		return nil, err
	}
	if s.path == "" || s.layout != "" && s.layout != "records" && s.layout != "levels" {
		return nil, fail("config", "store.path is needed, and layout is records or levels")
	}
	if strings.Contains(s.path, "{record_identifier}") || strings.Contains(s.path, "://") {
		return nil, fail("unsupported", "%s: only one local results file is supported", s.path) // PS-CAP-006
	}
	s.statuses = defaultStatuses
	if schema != nil {
		if s.schema, err = loadSchema(schema); err != nil {
			return nil, err
		}
		if s.schema.Statuses != nil {
			s.statuses = s.schema.Statuses
		}
		if v := config.Get("additional_properties"); v != nil {
			for _, level := range s.schema.Levels {
				if err := s.schema.setAdditional(level, v); err != nil {
					return nil, err
				}
			}
			if err := s.schema.compile(); err != nil {
				return nil, err
			}
		}
	}
	if v := config.Get("status_schema"); v != nil {
		if s.statuses, err = loadStatuses(v); err != nil {
			return nil, err
		}
	}
	if s.namespace == "" && s.schema != nil {
		s.namespace = s.schema.Name
	}
	if s.namespace == "" {
		s.namespace = "default_pipeline_name" // PS-CFG-005
	}
	if err := checkIdent("a namespace", s.namespace, "validation"); err != nil {
		return nil, err
	}
	if err := checkIdent("a project name", s.project, "validation"); err != nil {
		return nil, err
	}
	path, err := resolvePath(s.path)
	if err == nil {
		probe := *s
		probe.layout = "" // PS-YAML-005 speaks of reading and writing; operations check it
		_, err = probe.load(path)
	}
	return s, err
}

// tree is the content of the file as one operation sees it.
type tree struct {
	s      *Store
	root   *Object
	spaces *Object // the namespace: records, or levels
	layout string  // "" for a new namespace
	path   string  // resolved
	dirty  bool    // the file has to be written
	seen   map[string][]flag
	after  func() error // changes the flag, once the file is replaced (PS-YAML-040)
}

// load reads the file, which may be missing, without a lock (PS-WRT-006).
func (s *Store) load(path string) (*tree, error) {
	t := &tree{s: s, path: path, seen: map[string][]flag{}}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, fail("store", "%s is no regular file", path)
	}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fail("store", "%v", err)
	}
	if t.root, err = parseYAML(data); err != nil {
		return nil, fail("store", "%s: %v", path, err)
	}
	return t, t.findLayout()
}

// findLayout applies PS-YAML-002, PS-YAML-005 and PS-YAML-008.
func (t *tree) findLayout() error {
	s := t.s
	if !t.root.Has(s.namespace) {
		i := slices.IndexFunc(t.root.keys, func(k string) bool { return !strings.HasPrefix(k, "_") })
		if i >= 0 && !s.multi {
			return fail("layout", "%s holds the namespace %q, not %q; set multi_pipelines to add it", t.path, t.root.keys[i], s.namespace)
		}
		return nil
	}
	v := t.root.Get(s.namespace)
	space, ok := v.(*Object)
	if v == nil || ok && len(space.keys) == 0 {
		return nil
	}
	if !ok {
		return fail("store", "%s: the namespace %q is no mapping", t.path, s.namespace)
	}
	t.spaces, t.layout = space, "levels"
	for _, k := range space.keys {
		level, isObject := space.vals[k].(*Object)
		if k != "sample" && k != "project" || !isObject && space.vals[k] != nil {
			t.layout = "records"
		}
		for _, id := range level.Keys() {
			if level.Object(id) == nil {
				t.layout = "records"
			}
		}
	}
	if s.layout != "" && s.layout != t.layout {
		return fail("layout", "the namespace %q of %s has the layout %s, configured is %s", s.namespace, t.path, t.layout, s.layout)
	}
	for _, level := range []string{"sample", "project"} {
		records := t.records(level)
		for _, id := range records.Keys() {
			if _, isObject := records.vals[id].(*Object); !isObject && records.vals[id] != nil {
				return fail("store", "%s: the record %q is no mapping", t.path, id)
			}
		}
	}
	return nil
}

// records returns the mapping of a level, nil where there is none.
func (t *tree) records(level string) *Object {
	switch {
	case t.layout == "levels":
		return t.spaces.Object(level)
	case t.layout == "records" && level == "sample":
		return t.spaces
	}
	return nil // PS-YAML-006
}

// record finds a record.
func (t *tree) record(level, id string) (record, bool) {
	records := t.records(level)
	if !records.Has(id) {
		return record{}, false
	}
	o := records.Object(id)
	if o == nil {
		o = NewObject() // a null record has no results (PS-YAML-002)
	}
	return record{o, t.layout == "levels"}, true
}

// checkMeta refuses a record whose meta cannot be read (PS-YAML-009).
func (t *tree) checkMeta(level, id string) error {
	if r, ok := t.record(level, id); ok && r.Get("meta") != nil && r.meta() == nil {
		return fail("store", "%s: meta of the record %q is no mapping", t.path, id)
	}
	return nil
}

// touch marks a record as changed and puts it in its place.
func (t *tree) touch(level, id string, r record) {
	r.tidy()
	if r.meta() != nil {
		r.ensureMeta() // meta goes last
	}
	t.prepare(level)
	t.records(level).Set(id, r.Object)
	t.dirty = true
}

// prepare gives a new namespace the layout for a first record of this level (PS-YAML-004).
func (t *tree) prepare(level string) {
	if t.spaces == nil {
		t.spaces = NewObject()
		t.root.Set(t.s.namespace, t.spaces)
		t.layout = t.newLayout(level)
	}
	if t.layout == "levels" {
		for _, level := range []string{"project", "sample"} {
			child(t.spaces, level)
		}
	}
}

func (t *tree) newLayout(level string) string {
	if t.s.layout != "" {
		return t.s.layout
	}
	if level == "project" || t.s.schema != nil && len(t.s.schema.Levels["project"].Order) > 0 {
		return "levels"
	}
	return "records"
}

// checkWrite refuses writes to a level that the layout lacks (PS-YAML-006).
func (t *tree) checkWrite(level string) error {
	layout := t.layout
	if layout == "" {
		layout = t.newLayout(level)
	}
	if layout == "records" && level == "project" {
		return fail("layout", "the layout records of %s holds no project level; convert the file by putting the "+
			"records of %q below a key \"sample\" beside \"project: {}\", or set layout: levels for a new one", t.path, t.s.namespace)
	}
	return nil
}

// create makes a record (PS-YAML-007).
func (t *tree) create(level, id string) (record, error) {
	if err := t.checkWrite(level); err != nil {
		return record{}, err
	}
	if t.layout == "records" || t.layout == "" && t.newLayout(level) == "records" {
		if id == "sample" || id == "project" {
			return record{}, fail("layout", "in the layout records no record may be called %q", id)
		}
	}
	t.prepare(level)
	r := record{NewObject(), t.layout == "levels"}
	now := r.now()
	r.setTime("created", now)
	r.setTime("modified", now)
	return r, nil
}

func other(level string) string {
	if level == "sample" {
		return "project"
	}
	return "sample"
}

// update makes one change of the file (PS-WRT-009). apply changes the tree in memory.
func (s *Store) update(apply func(*tree) error) error {
	path, err := resolvePath(s.path)
	if err != nil {
		return err
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return fail("store", "%v", err)
	}
	if !s.mountChecked {
		if err := checkMount(folder, s.unsafe); err != nil {
			return err
		}
		s.mountChecked = true
	}
	held, err := lock(path, s.unsafe)
	if err != nil {
		return err
	}
	defer held.Close()
	flags, err := s.flagFolder(path)
	if err != nil {
		return err
	}
	for _, left := range []string{temporary(path), flagTemporary(path, flags)} {
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return fail("store", "%s, left by a dead writer, cannot be removed: %v", left, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail("store", "%v", err)
	}
	t, err := s.load(path)
	if err != nil {
		return err
	}
	if err := apply(t); err != nil {
		return err
	}
	if t.dirty && info != nil { // PS-WRT-012
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return fail("store", "the results file may not be written: %v", err)
		}
		f.Close()
	}
	if t.dirty {
		if err := replace(path, writeYAML(t.root), info); err != nil {
			return err
		}
	}
	if t.after != nil {
		if err := t.after(); err != nil && t.dirty {
			return fail("store", "%v; the results and the status are stored", err) // PS-WRT-016
		} else if err != nil {
			return err
		}
	}
	return nil
}

// read gives an operation the present content of the file (PS-GUA-006), with the flags of a record,
// which are looked at first (PS-YAML-038).
func (s *Store) read(id string) (*tree, error) {
	path, err := resolvePath(s.path)
	if err != nil {
		return nil, err
	}
	before := &tree{s: s, path: path, seen: map[string][]flag{}}
	if _, err := before.flags(id); err != nil {
		return nil, err
	}
	t, err := s.load(path)
	if err == nil {
		t.seen = before.seen
	}
	return t, err
}

// standing is the status of a record.
type standing struct {
	status  string    // "" without one
	since   time.Time // zero where that is not known
	foreign bool      // another program has set it, and no change has stored it yet
}

// statusOf is the status of a record of a level: meta.status, or what another program has set since
// (PS-YAML-038, PS-YAML-039, PS-YAML-042).
func (t *tree) statusOf(level, id string) (standing, error) {
	found, err := t.flags(id)
	if err == nil {
		err = t.checkMeta(level, id)
	}
	if err != nil {
		return standing{}, err
	}
	r, here := t.record(level, id)
	_, there := t.record(other(level), id)
	stored := r.standing()
	var newest flag
	for _, f := range found {
		if f.link == "" && (newest.status == "" || f.at.After(newest.at)) {
			newest = f
		}
	}
	if newest.status == "" || !here && there || newest.status == stored.status {
		return stored, nil
	}
	if stored.since.IsZero() && r.meta().Has("status") ||
		!newest.at.After(stored.since.Add(-10*time.Millisecond)) {
		return stored, nil
	}
	return standing{newest.status, newest.at, true}, nil
}

// takeOver stores in a record what another program has set, and in the one of the other level that
// shares its flag (PS-YAML-040, PS-YAML-041). It comes before the record is put in its place.
func (t *tree) takeOver(level, id string, r record) error {
	for _, one := range []string{level, other(level)} {
		now, err := t.statusOf(one, id)
		if err != nil {
			return err
		}
		if twin, there := t.record(one, id); now.foreign && one != level && there {
			twin.setStanding(now.status, now.since)
			t.touch(one, id, twin)
		} else if now.foreign && one == level {
			r.setStanding(now.status, now.since)
		}
	}
	return nil
}

// show makes the flag that of the status that is stored then, of the record or else of the other
// level's (PS-YAML-041).
func (t *tree) show(level, id string) error {
	r, _ := t.record(level, id)
	status := r.standing().status
	if status == "" {
		r, _ = t.record(other(level), id)
		status = r.standing().status
	}
	found, err := t.flags(id)
	if err != nil {
		return err
	}
	if status != "" && flagName(t.s.namespace, id, status) == "" {
		return fail("store", "the flag name for the status %s of this record is longer than 255 bytes", status)
	}
	t.after = func() error { return t.mirror(id, status, found) }
	return nil
}
