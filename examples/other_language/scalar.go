package main

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// The patterns of PS-YAML-022.
var (
	reNull  = regexp.MustCompile(`^(~|null|Null|NULL|)$`)
	reBool  = regexp.MustCompile(`^(yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)
	reInt   = regexp.MustCompile(`^[-+]?(0b[01_]+|0x[0-9A-Fa-f_]+|0[0-7_]+|0|[1-9][0-9_]*)$`)
	reInt60 = regexp.MustCompile(`^[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+$`)
	reNum   = regexp.MustCompile(`^([-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?)$`)
	reNum60 = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*$`)
	reOdd   = regexp.MustCompile(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
)

// resolve gives a plain scalar its value (PS-YAML-022).
func resolve(text string) any {
	switch {
	case reNull.MatchString(text):
		return nil
	case reBool.MatchString(text):
		switch strings.ToLower(text) {
		case "yes", "true", "on":
			return true
		}
		return false
	case reInt.MatchString(text):
		return resolveInt(text)
	case reInt60.MatchString(text):
		return resolveInt60(text)
	case reNum.MatchString(text):
		f, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
		if err != nil {
			return &bad{text, "a number beyond the doubles"}
		}
		return f
	case reNum60.MatchString(text):
		return resolveNum60(text)
	case reOdd.MatchString(text):
		return &bad{text, "NaN or an infinity"}
	}
	return text
}

// sign splits a number into its sign and its digits, which lose their underscores.
func sign(text string) (negative bool, digits string) {
	digits = strings.ReplaceAll(strings.TrimLeft(text, "+-"), "_", "")
	return text[0] == '-', digits
}

func resolveInt(text string) any {
	negative, digits := sign(text)
	base := 10
	switch {
	case strings.HasPrefix(digits, "0b"):
		base, digits = 2, digits[2:]
	case strings.HasPrefix(digits, "0x"):
		base, digits = 16, digits[2:]
	case len(digits) > 1 && digits[0] == '0':
		base, digits = 8, digits[1:]
	}
	n, ok := new(big.Int).SetString(digits, base)
	return exactInt(text, n, negative, ok)
}

func resolveInt60(text string) any {
	negative, digits := sign(text)
	n, sixty := new(big.Int), big.NewInt(60)
	for part := range strings.SplitSeq(digits, ":") {
		d, _ := new(big.Int).SetString(part, 10)
		n.Add(n.Mul(n, sixty), d)
	}
	return exactInt(text, n, negative, true)
}

func exactInt(text string, n *big.Int, negative, ok bool) any {
	if !ok { // such as "0x_", which has no digits
		return &bad{text, "an integer without digits"}
	}
	if negative {
		n.Neg(n)
	}
	if !n.IsInt64() {
		return &bad{text, "an integer beyond 64 bits"}
	}
	return n.Int64()
}

func resolveNum60(text string) any {
	negative, digits := sign(text)
	sum, base := 0.0, 1.0
	parts := strings.Split(digits, ":")
	for i := len(parts) - 1; i >= 0; i-- {
		d, _ := strconv.ParseFloat(parts[i], 64)
		sum += d * base
		base *= 60
	}
	if math.IsInf(sum, 0) || math.IsNaN(sum) {
		return &bad{text, "a number beyond the doubles"}
	}
	if negative {
		sum = -sum
	}
	return sum
}

var (
	rePlain    = regexp.MustCompile(`^[A-Za-z_/]([A-Za-z0-9_./ -]*[A-Za-z0-9_./-])?$`)
	reWord     = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null|none|nan|inf)$`)
	reExponent = regexp.MustCompile(`^[eE]-?[0-9]+$`)

	reJSONNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
)

// scalarText writes a scalar (spec/writers.md).
func scalarText(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return doubleText(v)
	case string:
		if rePlain.MatchString(v) && !reWord.MatchString(v) && !reExponent.MatchString(v) {
			return v // PS-YAML-017
		}
		return quote(v)
	case *bad:
		return v.text
	}
	panic(fmt.Sprintf("no scalar: %T", v))
}

// doubleText is PS-YAML-019: the shortest digits, a dot with digits around it, a signed exponent.
func doubleText(f float64) string {
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		format = 'e'
	}
	text := strconv.FormatFloat(f, format, -1, 64)
	mantissa, exponent, _ := strings.Cut(text, "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	if exponent != "" {
		mantissa += "e" + exponent
	}
	return mantissa
}

// quote writes a string in double quotes (PS-YAML-018).
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if short := strings.IndexRune("\"\\\b\f\n\r\t", r); short >= 0 {
			b.WriteByte('\\')
			b.WriteByte(`"\bfnrt`[short])
		} else if isControl(r) || r == 0x2028 || r == 0x2029 || r == 0xFEFF || r == 0xFFFE || r == 0xFFFF {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func isControl(r rune) bool { return r < 0x20 || r >= 0x7F && r <= 0x9F }
