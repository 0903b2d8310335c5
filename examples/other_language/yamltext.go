package main

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

const (
	maxYAMLDepth  = 120     // PS-YAML-027
	maxAliasNodes = 100_000 // PS-YAML-027
)

// parseYAML reads one YAML document (spec/yaml.md); its errors have the code store. A file
// without content is an empty mapping.
func parseYAML(data []byte) (*Object, error) {
	if !utf8.Valid(data) {
		line := 1
		for rest := data; ; { // find the line of the first invalid byte (PS-YAML-028)
			r, n := utf8.DecodeRune(rest)
			if r == utf8.RuneError && n <= 1 {
				return nil, fail("store", "line %d: no valid UTF-8", line)
			}
			if r == '\n' {
				line++
			}
			rest = rest[n:]
		}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	data = reVersion.ReplaceAll(data, []byte("${1}%YAML 1.1")) // the library knows no other version
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := d.Decode(&doc); err == io.EOF {
		return NewObject(), nil
	} else if err != nil {
		return nil, fail("store", "no valid YAML: %v", err)
	}
	if err := d.Decode(&second); err == nil {
		return nil, fail("store", "line %d: a second document", second.Line)
	} else if err != io.EOF {
		return nil, fail("store", "no valid YAML: %v", err)
	}
	m := measurer{done: map[*yaml.Node]extent{}, open: map[*yaml.Node]bool{}}
	total, err := m.measure(doc.Content[0])
	if err != nil {
		return nil, err
	}
	if total.depth > maxYAMLDepth {
		return nil, fail("store", "depth of more than %d", maxYAMLDepth)
	}
	if total.nodes-m.written > maxAliasNodes {
		return nil, fail("store", "aliases that add more than %d nodes", maxAliasNodes)
	}
	v, err := build(doc.Content[0])
	if root, ok := v.(*Object); ok || err != nil {
		return root, err
	} else if v == nil {
		return NewObject(), nil
	}
	return nil, fail("store", "line %d: the top has to be a mapping", doc.Content[0].Line)
}

// reVersion finds the version directive of YAML 1.2, with the comments before it.
var reVersion = regexp.MustCompile(`\A((?:#[^\n]*\n|[ \t\r]*\n)*)%YAML[ \t]+1\.[0-9]+`)

// measurer finds the extent of a node with its aliases expanded, before anything is expanded.
type measurer struct {
	written int // nodes in the text
	done    map[*yaml.Node]extent
	open    map[*yaml.Node]bool
}

type extent struct{ nodes, depth int }

func (m *measurer) measure(n *yaml.Node) (extent, error) {
	if n.Kind == yaml.AliasNode {
		if m.open[n.Alias] {
			return extent{}, fail("store", "line %d: the alias *%s stands within the node that it names", n.Line, n.Value)
		}
		m.written++
		return m.done[n.Alias], nil
	}
	m.written++
	if n.Anchor != "" {
		m.open[n] = true
		defer delete(m.open, n)
	}
	e := extent{nodes: 1}
	for _, child := range n.Content {
		c, err := m.measure(child)
		if err != nil {
			return e, err
		}
		e.nodes = min(e.nodes+c.nodes, 1<<40) // sums of sums grow exponentially
		e.depth = max(e.depth, c.depth)
	}
	if n.Kind != yaml.ScalarNode {
		e.depth++
	}
	if n.Anchor != "" {
		m.done[n] = e
	}
	return e, nil
}

func build(n *yaml.Node) (any, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	tag := ""
	if n.Style&yaml.TaggedStyle != 0 || n.Tag == "!" {
		tag = n.Tag
	}
	switch {
	case n.Kind == yaml.ScalarNode:
		return buildScalar(n, tag)
	case n.Kind == yaml.SequenceNode && (tag == "" || tag == "!" || tag == "!!seq"):
		items := make([]any, 0, len(n.Content))
		for _, child := range n.Content {
			v, err := build(child)
			if err != nil {
				return nil, err
			}
			items = append(items, v)
		}
		return items, nil
	case n.Kind == yaml.MappingNode && (tag == "" || tag == "!" || tag == "!!map"):
		return buildMapping(n)
	}
	return nil, fail("store", "line %d: the tag %s is not supported here", n.Line, tag) // PS-YAML-024
}

func buildScalar(n *yaml.Node, tag string) (any, error) {
	if tag == "" {
		if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			return n.Value, nil
		}
		return resolve(n.Value), nil
	}
	v, fits := resolve(n.Value), false // PS-YAML-024
	switch tag {
	case "!!str", "!!timestamp", "!!value", "!":
		return n.Value, nil
	case "!!null":
		fits = v == nil
	case "!!bool":
		_, fits = v.(bool)
	case "!!int":
		_, isBad := v.(*bad)
		_, isInt := v.(int64)
		fits = isInt || isBad && !reNum.MatchString(n.Value) && !reOdd.MatchString(n.Value)
	case "!!float":
		switch t := v.(type) {
		case float64, *bad:
			fits = true
		case int64:
			v, fits = float64(t), true
		case string: // such as 1e3, a number in YAML 1.2
			if reJSONNumber.MatchString(t) {
				var f float64
				f, fits = numberFromJSON(t).(float64)
				v = f
			}
		}
	default:
		return nil, fail("store", "line %d: the tag %s is not supported", n.Line, tag)
	}
	if !fits {
		return nil, fail("store", "line %d: %q does not fit the tag %s", n.Line, n.Value, tag)
	}
	return v, nil
}

func buildMapping(n *yaml.Node) (any, error) {
	o := NewObject()
	lines := map[string]int{}
	merge := (*yaml.Node)(nil)
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return nil, fail("store", "line %d: a key that is no scalar", key.Line) // PS-YAML-023
		}
		id := key.Value
		isMerge := key.Tag == "!!merge"
		if isMerge {
			id = "\x00merge" // a quoted "<<" beside it is another key
		}
		if line, twice := lines[id]; twice {
			return nil, fail("store", "the key %q stands in line %d and in line %d", key.Value, line, n.Content[i].Line)
		}
		lines[id] = n.Content[i].Line
		if isMerge {
			merge = value
			continue
		}
		if key.Style&yaml.TaggedStyle != 0 {
			if _, err := buildScalar(key, key.Tag); err != nil {
				return nil, err
			}
		}
		v, err := build(value)
		if err != nil {
			return nil, err
		}
		o.Set(key.Value, v) // the text, never resolved (PS-YAML-023)
	}
	if merge == nil {
		return o, nil
	}
	v, err := build(merge)
	if err != nil {
		return nil, err
	}
	sources, isList := v.([]any)
	if !isList {
		sources = []any{v}
	}
	for _, source := range sources { // the written key wins, then the first source (PS-YAML-026)
		from, ok := source.(*Object)
		if !ok {
			return nil, fail("store", "line %d: only mappings can be merged", merge.Line)
		}
		for _, k := range from.keys {
			if !o.Has(k) {
				o.Set(k, from.vals[k])
			}
		}
	}
	return o, nil
}

// writeYAML writes a file's mapping in block style (spec/writers.md). It writes no trailer, which
// spec/trailer.md leaves open.
func writeYAML(root *Object) []byte {
	w := &yamlWriter{}
	w.object(root, 0, false)
	return []byte(w.String())
}

type yamlWriter struct{ strings.Builder }

func (w *yamlWriter) pad(indent int) {
	for range indent {
		w.WriteByte(' ')
	}
}

// object writes the members of a mapping, the first without its indentation when it follows "- ".
func (w *yamlWriter) object(o *Object, indent int, inline bool) {
	for i, k := range o.keys {
		if i > 0 || !inline {
			w.pad(indent)
		}
		text := scalarText(k)
		if len(text) > 1000 && len(utf16.Encode([]rune(text))) > 1000 { // PS-YAML-020
			w.WriteString("? " + text + "\n")
			w.pad(indent)
			text = ""
		}
		w.WriteString(text + ":")
		w.value(o.vals[k], indent)
	}
}

// value writes what follows the colon of a key, or the dash of an item.
func (w *yamlWriter) value(v any, indent int) {
	switch v := v.(type) {
	case *Object:
		if len(v.keys) == 0 {
			w.WriteString(" {}\n")
			return
		}
		w.WriteByte('\n')
		w.object(v, indent+2, false)
	case []any:
		if len(v) == 0 {
			w.WriteString(" []\n")
			return
		}
		w.WriteByte('\n')
		w.array(v, indent+2, false)
	default:
		w.WriteString(" " + scalarText(v) + "\n")
	}
}

func (w *yamlWriter) array(items []any, indent int, inline bool) {
	for i, item := range items {
		if i > 0 || !inline {
			w.pad(indent)
		}
		w.WriteByte('-')
		if o, ok := item.(*Object); ok && len(o.keys) > 0 {
			w.WriteByte(' ')
			w.object(o, indent+2, true)
		} else if a, ok := item.([]any); ok && len(a) > 0 {
			w.WriteByte(' ')
			w.array(a, indent+2, true)
		} else {
			w.value(item, indent)
		}
	}
}
