package main

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// reserved are the names that no result may have (PS-ID-004).
var reserved = []string{"meta", "record_identifier", "id", "status", "project_name", "pipeline_name",
	"sample_name", "pipestat_created_time", "pipestat_modified_time", "pipestat_extended_data"}

func isReserved(name string) bool { return slices.Contains(reserved, name) }

// checkIdent applies PS-ID-001; what says what the identifier is for.
func checkIdent(what, id, code string) error {
	switch {
	case id == "":
		return fail(code, "%s may not be empty", what)
	case !utf8.ValidString(id):
		return fail(code, "%s %q is no valid Unicode", what, id)
	case utf8.RuneCountInString(id) > 255:
		return fail(code, "%s has more than 255 characters", what)
	case strings.ContainsFunc(id, isControl):
		return fail(code, "%s %q holds a control character", what, id)
	}
	return nil
}

// checkResultIdent applies PS-ID-001 and PS-ID-004.
func checkResultIdent(id, code string) error {
	if isReserved(id) {
		return fail(code, "%q is a reserved name and cannot be a result", id)
	}
	return checkIdent("a result identifier", id, code)
}

// fileName encodes an identifier for use in a file name (PS-ID-005, PS-ID-006).
func fileName(id string) string {
	var b strings.Builder
	for i, r := range id {
		if strings.ContainsRune(`/\%:*?"<>|`, r) || isControl(r) || r == '.' && i == 0 {
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		} else {
			b.WriteRune(r)
		}
	}
	return cut(b.String(), id)
}

// cut shortens an encoded name of more than 200 bytes (PS-ID-006).
func cut(name, hashed string) string {
	if len(name) <= 200 {
		return name
	}
	end := 183
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return fmt.Sprintf("%s~%x", name[:end], sha256.Sum256([]byte(hashed)))[:end+17]
}

// flagName is the name of the flag of one status (PS-YAML-036, PS-ID-008), or "" when the file system
// could not hold it.
func flagName(namespace, record, status string) string {
	prefix := fileName(namespace) + "_" + fileName(record)
	suffix := "_" + status + ".flag"
	if len(prefix)+len(suffix) > 255 {
		prefix = cut(prefix, prefix)
	}
	if len(prefix)+len(suffix) > 255 {
		return ""
	}
	return prefix + suffix
}

// nearest finds the name with the smallest edit distance, for error messages and warnings.
func nearest(name string, names []string) string {
	best, least := "", 1<<30
	for _, candidate := range names {
		if d := distance([]rune(name), []rune(candidate)); d < least {
			best, least = candidate, d
		}
	}
	return best
}

func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, ra := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, rb := range b {
			cost := diagonal
			if ra != rb {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
