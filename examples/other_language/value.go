package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A value (PS-VAL-001) is one of: nil, bool, int64, float64, string, []any, *Object; and *bad for
// something read that lies outside the data model.

// Object is a string-keyed map that remembers the order of its keys. Order never carries meaning
// (PS-VAL-011); keeping it keeps files readable and gives schemas an order (PS-SCH-011).
type Object struct {
	keys []string
	vals map[string]any
}

// NewObject returns an empty object.
func NewObject() *Object { return &Object{vals: map[string]any{}} }

// Get returns the value of a key, nil when there is none; a nil Object is empty.
func (o *Object) Get(key string) any {
	if o == nil {
		return nil
	}
	return o.vals[key]
}

// Has tells whether the key is there.
func (o *Object) Has(key string) bool {
	if o == nil {
		return false
	}
	_, ok := o.vals[key]
	return ok
}

// Keys returns the keys in order; the slice belongs to the object.
func (o *Object) Keys() []string {
	if o == nil {
		return nil
	}
	return o.keys
}

// Set stores a value; a new key goes last.
func (o *Object) Set(key string, v any) {
	if _, ok := o.vals[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.vals[key] = v
}

// Delete removes a key.
func (o *Object) Delete(key string) {
	if _, ok := o.vals[key]; ok {
		delete(o.vals, key)
		i := slices.Index(o.keys, key)
		o.keys = slices.Delete(o.keys, i, i+1)
	}
}

// Object returns the member of that name if it is an object, else nil.
func (o *Object) Object(key string) *Object {
	m, _ := o.Get(key).(*Object)
	return m
}

// bad stands for input that is no value of spec/core.md. Its text is what an update writes back when
// it came from a file (PS-YAML-025).
type bad struct{ text, why string }

const maxDepth = 100 // PS-VAL-005

// flaw says what keeps v out of the data model (PS-VAL-002 to PS-VAL-006); "" for a good value.
func flaw(v any) string { return flawBelow(v, maxDepth) }

func flawBelow(v any, room int) string {
	switch v := v.(type) {
	case *bad:
		return v.why
	case string:
		return textFlaw(v)
	case []any:
		if room == 0 {
			return "depth of more than 100"
		}
		for _, item := range v {
			if why := flawBelow(item, room-1); why != "" {
				return why
			}
		}
	case *Object:
		if room == 0 {
			return "depth of more than 100"
		}
		for _, k := range v.Keys() {
			if why := textFlaw(k); why != "" {
				return "a key with " + why
			}
			if why := flawBelow(v.vals[k], room-1); why != "" {
				return why
			}
		}
	}
	return ""
}

func textFlaw(s string) string { // PS-VAL-004
	if strings.ContainsRune(s, 0) {
		return "the character U+0000, or a lone surrogate"
	}
	if !utf8.ValidString(s) {
		return "text that is no valid Unicode"
	}
	return ""
}

// equal compares by kind and content (PS-VAL-011).
func equal(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case *Object:
		b, ok := b.(*Object)
		if !ok || len(a.keys) != len(b.keys) {
			return false
		}
		for _, k := range a.keys {
			if !b.Has(k) || !equal(a.vals[k], b.vals[k]) {
				return false
			}
		}
		return true
	case *bad:
		return false
	}
	return a == b
}

// toDouble converts an integer to the double that equals it, if there is one.
func toDouble(i int64) (float64, bool) {
	f := float64(i)
	return f, f < 1<<63 && int64(f) == i
}

// toInteger converts a double without fraction to the integer of the same value, if there is one.
func toInteger(f float64) (int64, bool) {
	return int64(f), f == math.Trunc(f) && f >= -(1<<63) && f < 1<<63
}

// decodeJSON reads JSON text into a value. Numbers keep their kind: a fraction or an exponent makes
// a number, anything else is an integer. It returns an error only for text that is no JSON.
func decodeJSON(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(markSurrogates(text)))
	d.UseNumber()
	v, err := decodeToken(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("text after the JSON value")
	}
	return v, nil
}

func decodeToken(d *json.Decoder) (any, error) {
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := tok.(type) {
	case json.Number:
		return numberFromJSON(t.String()), nil
	case json.Delim:
		if t == '[' {
			items := []any{}
			for d.More() {
				v, err := decodeToken(d)
				if err != nil {
					return nil, err
				}
				items = append(items, v)
			}
			_, err := d.Token()
			return items, err
		}
		o, twice := NewObject(), ""
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := decodeToken(d)
			if err != nil {
				return nil, err
			}
			if o.Has(key.(string)) {
				twice = key.(string)
			}
			o.Set(key.(string), v)
		}
		if _, err := d.Token(); err != nil {
			return nil, err
		}
		if twice != "" {
			return &bad{why: fmt.Sprintf("an object with the key %q twice", twice)}, nil // PS-VAL-006
		}
		return unJSON(o), nil
	}
	return tok, nil // nil, bool, string
}

func numberFromJSON(text string) any {
	if strings.ContainsAny(text, ".eE") {
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
		return &bad{why: "a number beyond the doubles"}
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i
	}
	return &bad{why: "an integer beyond 64 bits"}
}

// unJSON turns the harness's stand-ins for what JSON lacks into what they stand for.
func unJSON(o *Object) any {
	if len(o.keys) == 1 {
		switch o.keys[0] {
		case "$nan":
			return &bad{why: "NaN"}
		case "$inf":
			return &bad{why: "an infinity"}
		case "$surrogate":
			return &bad{why: "a lone surrogate"}
		}
	}
	return o
}

// markSurrogates puts U+0000, which no value may hold either, in the place of each \ud800 and its
// like that has no partner; encoding/json would turn them silently into U+FFFD.
func markSurrogates(text string) string {
	return reEscape.ReplaceAllStringFunc(text, func(escape string) string {
		if len(escape) == 6 && (escape[2] == 'd' || escape[2] == 'D') && escape[3] >= '8' {
			return `\u0000`
		}
		return escape
	})
}

var reEscape = regexp.MustCompile(`\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)`)

// encodeJSON writes a value as JSON on one line. Scalars have the form of PS-YAML-019 and
// PS-YAML-018, which is JSON as well, so 1 and 1.0 stay apart.
func encodeJSON(v any) string {
	var b strings.Builder
	writeJSON(&b, v)
	return b.String()
}

func writeJSON(b *strings.Builder, v any) {
	switch v := v.(type) {
	case string:
		b.WriteString(quote(v))
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, item)
		}
		b.WriteByte(']')
	case *Object:
		b.WriteByte('{')
		for i, k := range v.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quote(k))
			b.WriteByte(':')
			writeJSON(b, v.vals[k])
		}
		b.WriteByte('}')
	default:
		b.WriteString(scalarText(v))
	}
}

// plain turns a value into what the JSON Schema library works on.
func plain(v any) any {
	switch v := v.(type) {
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = plain(item)
		}
		return items
	case *Object:
		m := make(map[string]any, len(v.keys))
		for _, k := range v.Keys() {
			m[k] = plain(v.vals[k])
		}
		return m
	}
	return v
}

// strs makes an array of strings.
func strs(names []string) []any {
	items := make([]any, len(names))
	for i, n := range names {
		items[i] = n
	}
	return items
}
