package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What a set of ECMA-262 is in a class of Go, and what is outside of it.
const (
	space    = `\t-\r\x{20}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}`
	notSpace = `\x{0}-\x{8}\x{E}-\x{1F}\x{21}-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027}` +
		`\x{202A}-\x{202E}\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{FEFE}\x{FF00}-\x{10FFFF}`
	anything = `\x{0}-\x{10FFFF}`
)

var (
	patternSets = map[byte]string{'d': `\d`, 'D': `\D`, 'w': `\w`, 'W': `\W`, 's': space, 'S': notSpace}
	controls    = map[byte]rune{'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}
	quantifier  = regexp.MustCompile(`^(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??`)
	groupName   = regexp.MustCompile(`^\(\?<[A-Za-z_$][A-Za-z0-9_$]*>`)
	hexadecimal = regexp.MustCompile(`^\\(?:x([0-9A-Fa-f]{2})|u\{([0-9A-Fa-f]+)\}|u([0-9A-Fa-f]{4}))`)
)

// compilePattern reads a regular expression of ECMA-262 (PS-SCH-019). Look-around, back-references and
// \p{...} are refused: Go has none of the former two.
func compilePattern(pattern string) (jsonschema.Regexp, error) {
	r := &patternReader{rest: pattern}
	for r.rest != "" && r.err == nil {
		r.term()
	}
	if r.err != nil {
		return nil, fmt.Errorf("pattern %q: %v, %d characters before its end", pattern, r.err, len(r.rest))
	}
	compiled, err := regexp.Compile(r.out.String())
	return compiled, err
}

// patternReader writes a pattern anew in Go's syntax, which tells whether its groups are closed.
type patternReader struct {
	rest string
	out  strings.Builder
	err  error
}

func (r *patternReader) refuse(why string) { r.err = fmt.Errorf("%s", why) }

// term reads one atom or assertion with its quantifier.
func (r *patternReader) term() {
	repeatable := true
	switch c := r.rest[0]; {
	case c == '|':
		r.take(1, "|")
		return
	case c == ')':
		r.take(1, ")")
	case c == '(':
		if name := groupName.FindString(r.rest); name != "" {
			r.take(len(name), "(")
		} else if strings.HasPrefix(r.rest, "(?:") {
			r.take(3, "(?:")
		} else if strings.HasPrefix(r.rest, "(?") {
			r.refuse("no group begins so, or one that Go does not know")
		} else {
			r.take(1, "(")
		}
		return
	case c == '^' || c == '$':
		r.take(1, string(c))
		repeatable = false
	case strings.HasPrefix(r.rest, `\b`) || strings.HasPrefix(r.rest, `\B`):
		r.take(2, r.rest[:2])
		repeatable = false
	case c == '.':
		r.take(1, `[^\n\r\x{2028}\x{2029}]`)
	case c == '[':
		r.class()
	case strings.ContainsRune("*+?{}]", rune(c)):
		r.refuse(fmt.Sprintf("%c stands alone", c))
	default:
		set, character := r.atom()
		if set != "" {
			r.out.WriteString("[" + set + "]")
		} else {
			r.out.WriteString(one(character))
		}
	}
	if q := quantifier.FindString(r.rest); q != "" && r.err == nil {
		if !repeatable {
			r.refuse("a place cannot be repeated")
		}
		r.take(len(q), q)
	}
}

func (r *patternReader) take(n int, written string) {
	r.rest = r.rest[n:]
	r.out.WriteString(written)
}

// class reads [...].
func (r *patternReader) class() {
	opening := "["
	r.rest = r.rest[1:]
	if strings.HasPrefix(r.rest, "^") {
		opening, r.rest = "[^", r.rest[1:]
	}
	var inside strings.Builder
	for r.err == nil && !strings.HasPrefix(r.rest, "]") {
		set, first := r.classAtom()
		if set != "" {
			inside.WriteString(set)
		}
		if r.err != nil || !strings.HasPrefix(r.rest, "-") || strings.HasPrefix(r.rest, "-]") {
			if set == "" {
				inside.WriteString(one(first))
			}
			continue
		}
		r.rest = r.rest[1:]
		other, last := r.classAtom()
		if set != "" || other != "" || last < first {
			r.refuse("a range that is none")
		}
		inside.WriteString(one(first) + "-" + one(last))
	}
	if r.err != nil {
		return
	}
	r.rest = r.rest[1:]
	switch {
	case inside.Len() > 0:
		r.out.WriteString(opening + inside.String() + "]")
	case opening == "[": // [] fits nothing, [^] anything
		r.out.WriteString("[^" + anything + "]")
	default:
		r.out.WriteString("[" + anything + "]")
	}
}

func (r *patternReader) classAtom() (set string, character rune) {
	if strings.HasPrefix(r.rest, `\b`) {
		r.rest = r.rest[2:]
		return "", '\b'
	}
	if r.rest == "" {
		r.refuse("a class is not closed")
		return "", 0
	}
	return r.atom()
}

// atom reads a character or an escape: what it stands for is a set or one character.
func (r *patternReader) atom() (set string, character rune) {
	if r.rest[0] != '\\' {
		for _, character = range r.rest {
			break
		}
		r.rest = r.rest[len(string(character)):]
		return "", character
	}
	if hex := hexadecimal.FindStringSubmatch(r.rest); hex != nil {
		return "", r.hexadecimal(hex)
	}
	if len(r.rest) < 2 {
		r.refuse("a backslash at the end")
		return "", 0
	}
	kind, after := r.rest[1], r.rest[2:]
	control, isControl := controls[kind]
	next := byte(0)
	if after != "" {
		next = after[0]
	}
	switch isLetter := next|0x20 >= 'a' && next|0x20 <= 'z'; {
	case patternSets[kind] != "":
		set = patternSets[kind]
	case isControl:
		character = control
	case kind == '0' && (next < '0' || next > '9'):
		character = 0
	case kind == 'c' && isLetter:
		character, after = rune(next%32), after[1:]
	case kind > ' ' && kind < 0x7f && !(kind >= '0' && kind <= '9') && !(kind|0x20 >= 'a' && kind|0x20 <= 'z'):
		character = rune(kind)
	default:
		r.refuse(fmt.Sprintf(`\%c has no meaning, or one that Go does not know`, kind))
	}
	r.rest = after
	return set, character
}

func (r *patternReader) hexadecimal(hex []string) rune {
	code, err := strconv.ParseUint(hex[1]+hex[2]+hex[3], 16, 32)
	r.rest = r.rest[len(hex[0]):]
	character := rune(code)
	if low := hexadecimal.FindStringSubmatch(r.rest); hex[3] != "" && low != nil && low[3] != "" {
		second, _ := strconv.ParseUint(low[3], 16, 32)
		if pair := utf16.DecodeRune(character, rune(second)); pair != '�' {
			r.rest = r.rest[len(low[0]):]
			return pair
		}
	}
	if err != nil || code > 0x10FFFF || utf16.IsSurrogate(character) {
		r.refuse("there is no such character")
	}
	return character
}

// one writes a character so that nothing else is read in it.
func one(character rune) string { return fmt.Sprintf(`\x{%X}`, character) }
