// Command pipestat-go keeps pipestat results files (spec/ at the top of this repository) and speaks
// the protocol of the conformance tests: JSON Lines on stdin and stdout, one process per connection.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
)

// Error is an error with a code of PS-CAP-003.
type Error struct{ Code, Message string }

func (e *Error) Error() string { return e.Message }

func fail(code, format string, args ...any) error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

func warn(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "pipestat-go: warning: "+format+"\n", args...)
}

// encodeAny is encodeJSON for messages: what is outside the data model is named.
func encodeAny(v any) string {
	if why := flaw(v); why != "" {
		return "(" + why + ")"
	}
	return encodeJSON(v)
}

var (
	errUnsupported = errors.New("unsupported operation")
	capabilities   = []string{"concurrent-writers", "durable", "history", "status", "status-times", "times", "source",
		"project-level", "multi-namespace", "atomic-batch", "exact-integers"}
	profiles = []string{"core", "schema", "yaml-layout", "history", "concurrent-writers", "durable", "exact-integers"}
)

// object builds an Object from alternating keys and values.
func object(members ...any) *Object {
	o := NewObject()
	for i := 0; i < len(members); i += 2 {
		o.Set(members[i].(string), members[i+1])
	}
	return o
}

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pipestat-go:", err)
		os.Exit(1)
	}
}

// serve answers requests until "bye" or the end of the input.
func serve(input io.Reader, output io.Writer) error {
	in, out := bufio.NewReaderSize(input, 1<<16), bufio.NewWriter(output)
	var store *Store
	for {
		line, err := in.ReadString('\n')
		if strings.TrimSpace(line) == "" {
			if err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			continue
		}
		v, err := decodeJSON(line)
		request, _ := v.(*Object)
		if err != nil || request == nil {
			err = fail("document", "a request has to be one JSON object")
		}
		answer := object("seq", request.Get("seq"))
		var result any
		if err == nil {
			switch request.Get("cmd") {
			case "hello":
				answer.Set("impl", object("name", "pipestat-go", "version", "0.1", "language", "Go"))
				answer.Set("protocol", int64(1))
				answer.Set("spec", "1.0") // PS-CAP-007
				answer.Set("capabilities", strs(capabilities))
				answer.Set("profiles", strs(profiles))
			case "open":
				store, err = openStore(request.Get("store"), request.Get("schema"), request.Get("settings"))
				if err != nil {
					store = nil
				}
			case "op":
				if store == nil {
					err = fail("config", "no store is open")
				} else {
					args := &arguments{Object: request.Object("args")}
					result, err = store.operate(request.Get("op"), args)
				}
			case "bye": // has no answer
				return nil
			default:
				err = errUnsupported
			}
		}
		var e *Error
		switch {
		case err == errUnsupported:
			answer.Set("unsupported", true)
		case errors.As(err, &e):
			answer.Set("error", object("code", e.Code, "message", strings.ToValidUTF8(e.Message, "\ufffd")))
		case err != nil:
			answer.Set("error", object("code", "store", "message", err.Error()))
		case !answer.Has("impl"):
			answer.Set("ok", true)
			answer.Set("result", result)
		}
		if _, err := out.WriteString(encodeJSON(answer) + "\n"); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

// arguments reads the arguments of an operation; the first mistake is kept in err.
type arguments struct {
	*Object
	err error
}

func (a *arguments) wrong(key, want string) {
	if a.err == nil {
		a.err = fail("validation", "%s has to be %s, not %s", key, want, encodeAny(a.Get(key)))
	}
}

func (a *arguments) flag(key string, otherwise bool) bool {
	b, ok := a.Get(key).(bool)
	if !ok && a.Get(key) != nil {
		a.wrong(key, "true or false")
	}
	return ok && b || !ok && otherwise
}

// text returns a string or nil.
func (a *arguments) text(key string) any {
	if s, ok := a.Get(key).(string); ok {
		return s
	}
	if a.Get(key) != nil {
		a.wrong(key, "a string")
	}
	return nil
}

// names returns an array of strings, nil where there is none.
func (a *arguments) names(key string) []string {
	list, ok := a.Get(key).([]any)
	if !ok {
		if a.Get(key) != nil {
			a.wrong(key, "an array of names")
		}
		return nil
	}
	names := []string{}
	for _, n := range list {
		text, _ := n.(string)
		names = append(names, text)
	}
	return names
}

func (a *arguments) members(key string) *Object {
	o := a.Object.Object(key)
	if o == nil && a.Get(key) != nil {
		a.wrong(key, "an object")
	}
	return o
}

// record returns level and record identifier; on level project the default is the project's name
// (PS-ID-010).
func (a *arguments) record(s *Store, needed bool) (level, id string) {
	name, _ := a.text("level").(string)
	level, err := levelOf(name)
	if err != nil && a.err == nil {
		a.err = err
	}
	if !needed || a.err != nil {
		return level, ""
	}
	id, ok := a.text("record").(string)
	if !ok && level == "project" {
		id = s.project
	}
	if a.err == nil {
		a.err = checkIdent("a record identifier", id, "validation")
	}
	return level, id
}

// operate does one operation of the protocol.
func (s *Store) operate(name any, a *arguments) (any, error) {
	switch name {
	case "report", "retrieve", "value", "describe", "remove", "set_status", "get_status", "clear_status", "history":
		level, id := a.record(s, true)
		return s.operateRecord(name, a, level, id)
	case "report_many":
		level, _ := a.record(s, false)
		records := a.members("records")
		overwrite, history := a.flag("overwrite", false), a.flag("history", true)
		var reports []*report
		for _, id := range records.Keys() {
			values := records.Object(id)
			if values == nil {
				return nil, fail("validation", "%s: has to be an object of results", id)
			}
			r := &report{level: level, record: id, values: values, overwrite: overwrite, history: history}
			if err := s.prepare(r, a.flag("convert", false)); err != nil {
				return nil, err
			}
			reports = append(reports, r)
		}
		if a.err != nil {
			return nil, a.err
		}
		return nil, s.report(reports...)
	case "records", "count":
		level, _ := a.record(s, false)
		if a.err != nil {
			return nil, a.err
		}
		ids, err := s.list(level)
		if name == "count" {
			return int64(len(ids)), err
		}
		if after, ok := a.Get("after").(string); ok {
			ids = ids[sort.Search(len(ids), func(i int) bool { return ids[i] > after }):]
		}
		if limit, ok := a.Get("limit").(int64); ok && limit < int64(len(ids)) {
			ids = ids[:limit]
		}
		return strs(ids), err
	case "statuses":
		all := NewObject()
		for _, st := range s.statuses {
			all.Set(st.ID, object("description", st.Description, "color", st.Color))
		}
		return all, nil
	case "schema":
		return s.describeSchema(), nil
	case "highlighted":
		level, _ := a.record(s, false)
		if a.err != nil {
			return nil, a.err
		}
		return strs(s.highlighted(level)), nil
	}
	return nil, errUnsupported
}

// highlighted returns the highlighted results of a level in the order of the schema (PS-SCH-011).
func (s *Store) highlighted(level string) []string {
	names := []string{}
	if s.schema != nil {
		for _, id := range s.schema.Levels[level].Order {
			if s.schema.Levels[level].Defs[id].Highlight {
				names = append(names, id)
			}
		}
	}
	return names
}

func (s *Store) operateRecord(name any, a *arguments, level, id string) (any, error) {
	switch name {
	case "report":
		r := &report{level: level, record: id, values: a.members("values"), overwrite: a.flag("overwrite", false),
			history: a.flag("history", true), status: a.Get("status"), message: a.Get("status_message"), source: a.members("source")}
		convert := a.flag("convert", false)
		if a.err != nil {
			return nil, a.err
		}
		if err := s.prepare(r, convert); err != nil {
			return nil, err
		}
		return nil, s.report(r)
	case "retrieve":
		names := a.names("results")
		if a.err != nil {
			return nil, a.err
		}
		return orNil(s.retrieve(level, id, names))
	case "value":
		result, _ := a.text("result").(string)
		if a.err != nil {
			return nil, a.err
		}
		results, err := s.retrieve(level, id, []string{result})
		return results.Get(result), err
	case "remove", "history":
		result := a.text("result")
		if a.err != nil {
			return nil, a.err
		}
		if name == "remove" {
			return nil, s.remove(level, id, result)
		}
		return orNil(s.history(level, id, result))
	}
	if a.err != nil {
		return nil, a.err
	}
	switch name {
	case "describe":
		return orNil(s.describe(level, id))
	case "set_status":
		source := a.members("source")
		if a.err != nil {
			return nil, a.err
		}
		return nil, s.setStatus(level, id, a.Get("status"), a.Get("message"), source)
	case "get_status":
		return s.getStatus(level, id)
	}
	names := a.names("names")
	if a.err != nil {
		return nil, a.err
	}
	return s.clearStatus(level, id, names)
}

// orNil keeps a nil *Object from becoming a non-nil value.
func orNil(o *Object, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return o, nil
}

// describeSchema answers with the model that the output schema was reduced to.
func (s *Store) describeSchema() *Object {
	levels := NewObject()
	for _, level := range []string{"sample", "project"} {
		results := NewObject()
		if s.schema != nil {
			for _, id := range s.schema.Levels[level].Order {
				d := s.schema.Levels[level].Defs[id]
				kind := any(nil)
				if d.Kind != "" {
					kind = d.Kind
				}
				var types any
				if len(d.Types) > 0 {
					types = strs(d.Types)
				}
				results.Set(id, object("type", types, "object_type", kind, "highlight", d.Highlight))
			}
		}
		levels.Set(level, results)
	}
	ids := []any{}
	for _, st := range s.statuses {
		ids = append(ids, st.ID)
	}
	return object("pipeline_name", s.namespace, "levels", levels, "statuses", ids)
}
