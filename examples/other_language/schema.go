package main

import (
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is the one model that all four forms of an output schema are reduced to (PS-SCH-001).
type Schema struct {
	Name     string
	Levels   map[string]*Level
	Statuses []Status // nil without a status section
	root     *Object  // the self-contained JSON Schema that holds all definitions (PS-SCH-006)
	refs     []reference
}

// reference is one $ref of the document.
type reference struct {
	place  string
	schema *Object
}

// Level holds the definitions of one level.
type Level struct {
	Order  []string
	Defs   map[string]*Definition
	Closed bool        // additionalProperties: false
	Open   bool        // says that it takes undeclared results
	Extra  *Definition // what undeclared results have to fit, or nil
}

// Definition is one declared result.
type Definition struct {
	schema    *Object // shorthands expanded
	validator *jsonschema.Schema
	Types     []string
	only      string // the type, where "type" names exactly one
	Kind      string // "file", "image" or ""
	Highlight bool
}

// Status is one entry of a status schema (PS-STA-001).
type Status struct {
	ID, Description string
	Color           []any
}

var defaultStatuses = []Status{ // PS-STA-002
	{"running", "the pipeline is running", []any{int64(30), int64(144), int64(255)}},
	{"completed", "the pipeline has completed", []any{int64(50), int64(205), int64(50)}},
	{"failed", "the pipeline has failed", []any{int64(220), int64(20), int64(60)}},
	{"waiting", "the pipeline is waiting", []any{int64(240), int64(230), int64(140)}},
	{"partial", "the pipeline stopped before reaching completion", []any{int64(169), int64(169), int64(169)}},
}

// isDefinition is PS-SCH-002's test for a result definition.
func isDefinition(v any) bool {
	o, ok := v.(*Object)
	if !ok {
		return false
	}
	switch o.Get("type").(type) {
	case string, []any:
		return true
	}
	if _, isText := o.Get("$ref").(string); isText {
		return true
	}
	for _, key := range []string{"enum", "anyOf", "oneOf", "allOf"} {
		if _, isList := o.Get(key).([]any); isList {
			return true
		}
	}
	_, isObject := o.Get("const").(*Object)
	return o.Has("const") && !isObject
}

func holdsDefinition(o *Object) bool {
	return slices.ContainsFunc(o.Keys(), func(k string) bool { return isDefinition(o.vals[k]) })
}

// Keys about a document or section, which are no results (PS-SCH-003).
var aboutKeys = []string{"title", "description", "type", "version", "schema_version", "author", "authors",
	"license", "url", "pipeline_name", "required", "definitions", "qc"}

func isAbout(k string, v any) bool {
	named := slices.Contains(aboutKeys, k) || strings.HasPrefix(k, "$") || strings.HasPrefix(k, "x-")
	return k == "additionalProperties" || named && !isDefinition(v)
}

// loadSchema reduces a document to the model.
func loadSchema(v any) (*Schema, error) {
	doc, ok := v.(*Object)
	if !ok {
		return nil, fail("schema", "an output schema has to be a mapping")
	}
	if why := flaw(doc); why != "" {
		return nil, fail("schema", "the output schema holds %s", why)
	}
	s := &Schema{Levels: map[string]*Level{
		"sample":  {Defs: map[string]*Definition{}},
		"project": {Defs: map[string]*Definition{}},
	}}
	s.root = NewObject()
	if doc.Has("$defs") {
		defs, ok := doc.Get("$defs").(*Object)
		if !ok {
			return nil, fail("schema", "$defs: has to be a mapping")
		}
		expanded := NewObject()
		for _, name := range defs.keys {
			schema, err := s.expand(defs.vals[name], "$defs."+name)
			if err != nil {
				return nil, err
			}
			expanded.Set(name, schema)
		}
		s.root.Set("$defs", expanded)
	}
	if err := s.readForm(doc); err != nil {
		return nil, err
	}
	says := false
	for _, level := range s.Levels {
		says = says || len(level.Order) > 0 || level.Open
	}
	if !says {
		return nil, fail("schema", "declares no result, and no additionalProperties that allow any")
	}
	return s, s.compile()
}

// readForm tells the forms apart (PS-SCH-002) and collects definitions and statuses.
func (s *Schema) readForm(doc *Object) error {
	sections, beside := doc.Object("properties"), []*Object{doc}
	name, status := doc.Get("pipeline_name"), doc.Get("status")
	inProperties := sections != nil
	if inProperties { // forms 1 and 2
		if sections.Has("pipeline_name") {
			name = sections.Get("pipeline_name")
		}
		if sections.Has("status") {
			status = sections.Get("status")
		}
		if !sections.Has("samples") && !sections.Has("project") {
			results := NewObject()
			for _, k := range sections.keys {
				if k != "status" && (k != "pipeline_name" || isDefinition(sections.vals[k])) {
					results.Set(k, sections.vals[k])
				}
			}
			if err := s.declare("sample", "properties", results); err != nil {
				return err
			}
			if err := s.additional("sample", doc); err != nil {
				return err
			}
			sections = NewObject()
		}
		beside = append(beside, sections)
	} else {
		sections = doc
		if !s.isSection(doc, "samples") && !s.isSection(doc, "project") {
			return s.readMinimal(doc)
		}
	}
	for _, o := range beside {
		if err := s.lost(o, o == sections); err != nil {
			return err
		}
	}
	if err := s.readName(name); err != nil {
		return err
	}
	for _, section := range []string{"samples", "project"} {
		if err := s.readSection(section, sections.Get(section)); err != nil {
			return err
		}
	}
	return s.readStatuses(status, inProperties)
}

// isSection tells whether a top-level key makes the document one of the flat form.
func (s *Schema) isSection(doc *Object, name string) bool {
	if !doc.Has(name) || !isDefinition(doc.Get(name)) {
		return doc.Has(name)
	}
	o := s.section(doc.Object(name))
	return o.Object("properties") != nil || s.section(o.Object("items")).Object("properties") != nil || s.holdsResults(o)
}

// Annotations, beside the keywords that hold schemas and those about a document.
var otherKeywords = []string{"enum", "const", "default", "examples", "format", "deprecated", "readOnly", "writeOnly",
	"contentEncoding", "contentMediaType", "highlight", "index", "object_type", "dependencies", "dependentRequired",
	"additionalItems", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
	"minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxContains", "minContains", "maxProperties",
	"minProperties"}

func isKeyword(k string) bool {
	return slices.Contains(aboutKeys, k) || strings.HasPrefix(k, "$") || strings.HasPrefix(k, "x-") ||
		slices.Contains(schemaKeys, k) || slices.Contains(schemaListKeys, k) || slices.Contains(schemaMapKeys, k) ||
		slices.Contains(otherKeywords, k)
}

// holdsResults tells whether an object looks like a section (PS-SCH-018).
func (s *Schema) holdsResults(o *Object) bool {
	o = s.section(o)
	for _, holder := range []*Object{o, s.section(o.Object("items"))} {
		if holdsDefinition(holder.Object("properties")) {
			return true
		}
		for _, k := range holder.Keys() {
			v := holder.vals[k]
			if !isDefinition(holder) && isDefinition(v) || isDefinition(holder) && !isKeyword(k) && (v == nil || isDefinition(v)) {
				return true
			}
		}
	}
	return false
}

func isSectionName(k string) bool {
	name := strings.TrimSuffix(strings.ToLower(k), "s")
	return name == "sample" || name == "project"
}

// section follows the references that a section consists of (PS-SCH-017).
func (s *Schema) section(o *Object) *Object {
	for hops := 0; hops < 100 && len(o.Keys()) == 1 && o.Has("$ref"); hops++ {
		if o = s.follow(o); o == nil {
			return nil
		}
	}
	return o
}

// lost refuses what looks like results beside the sections, where nobody would find it (PS-SCH-016).
func (s *Schema) lost(o *Object, hasSections bool) error {
	for _, k := range o.Keys() {
		v := o.vals[k]
		if k == "properties" || k == "additionalProperties" || k == "pipeline_name" || k == "status" || k == "$defs" ||
			hasSections && (k == "samples" || k == "project") {
			continue
		}
		if isDefinition(v) {
			return fail("schema", "%s: stands beside the sections, so this result would get lost; move it into one", k)
		}
		if section, _ := v.(*Object); isSectionName(k) && s.holdsResults(section) {
			return fail("schema", "%s: is no section; call it samples or project, and put it beside the others", k)
		}
	}
	return nil
}

// readSection finds the results of one level (PS-SCH-017).
func (s *Schema) readSection(name string, v any) error {
	if v == nil {
		return nil
	}
	o, ok := v.(*Object)
	if ok {
		o = s.section(o)
	}
	if o == nil {
		return fail("schema", "%s: has to be a mapping of results", name)
	}
	level := strings.TrimSuffix(name, "s")
	items := s.section(o.Object("items"))
	var groups []*Object
	properties := o.Object("properties")
	switch o.Get("type").(type) {
	case string, []any:
		if properties != nil {
			groups = append(groups, properties)
		}
		if inItems := items.Object("properties"); inItems != nil && o.Get("type") == "array" {
			groups = append(groups, inItems)
		}
		empty := o.Get("type") == "object" && !slices.ContainsFunc(o.keys, func(k string) bool { return k != "type" && !isAbout(k, o.vals[k]) })
		if groups == nil && !empty {
			return fail("schema", "%s: has a type, so its results have to stand in its properties, or in items.properties", name)
		}
	default:
		if properties != nil && !isDefinition(properties) {
			groups = append(groups, properties)
			break
		}
		direct := NewObject()
		for _, k := range o.keys {
			if !isAbout(k, o.vals[k]) {
				direct.Set(k, o.vals[k])
			}
		}
		groups = append(groups, direct)
	}
	for _, group := range groups {
		if err := s.declare(level, name, group); err != nil {
			return err
		}
	}
	return s.additional(level, items, o)
}

// readMinimal reads the form whose top-level keys are the results (PS-SCH-003).
func (s *Schema) readMinimal(doc *Object) error {
	results := NewObject()
	for _, k := range doc.keys {
		if !isAbout(k, doc.vals[k]) && k != "status" {
			results.Set(k, doc.vals[k])
		}
	}
	if err := s.readName(doc.Get("pipeline_name")); err != nil {
		return err
	}
	if err := s.declare("sample", "", results); err != nil {
		return err
	}
	if err := s.additional("sample", doc); err != nil {
		return err
	}
	return s.readStatuses(doc.Get("status"), false)
}

func (s *Schema) readName(v any) error {
	if v == nil {
		return nil
	}
	name, ok := v.(string)
	if !ok {
		return fail("schema", "pipeline_name: has to be a string")
	}
	s.Name = name
	return checkIdent("pipeline_name:", name, "schema")
}

func (s *Schema) readStatuses(v any, nested bool) (err error) { // PS-SCH-014
	if v == nil {
		return nil
	}
	o, _ := v.(*Object)
	if properties := o.Object("properties"); nested && properties != nil {
		o = properties
	} else if isDefinition(o) {
		return checkResultIdent("status", "schema")
	}
	if o == nil {
		return fail("schema", "status: has to be a mapping of status identifiers")
	}
	s.Statuses, err = loadStatuses(o)
	return err
}

var reStatus = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// loadStatuses reads a status schema (PS-STA-001, PS-STA-003).
func loadStatuses(v any) ([]Status, error) {
	o, ok := v.(*Object)
	if !ok {
		return nil, fail("schema", "a status schema has to be a mapping")
	}
	statuses := []Status{}
	for _, id := range o.keys {
		if !reStatus.MatchString(id) {
			return nil, fail("schema", "status.%s: an identifier is 1 to 64 of A-Z a-z 0-9 _ . -, the first a letter or digit", id)
		}
		entry := o.Object(id)
		description, ok := entry.Get("description").(string)
		if !ok {
			return nil, fail("schema", "status.%s.description: has to be a string", id)
		}
		color, _ := entry.Get("color").([]any)
		good := len(color) == 3
		for _, c := range color {
			n, isInt := c.(int64)
			good = good && isInt && n >= 0 && n <= 255
		}
		if !good {
			return nil, fail("schema", "status.%s.color: has to be three integers from 0 to 255", id)
		}
		statuses = append(statuses, Status{id, description, color})
	}
	for _, a := range o.keys {
		for _, b := range o.keys {
			if strings.HasSuffix(a, "_"+b) {
				return nil, fail("schema", "status: %s beside %s would make flag names ambiguous; rename one", b, a)
			}
		}
	}
	return statuses, nil
}

// declare adds the definitions of one mapping to a level.
func (s *Schema) declare(levelName, place string, group *Object) error {
	level := s.Levels[levelName]
	for _, id := range group.keys {
		at := strings.TrimPrefix(place+"."+id, ".")
		if err := checkResultIdent(id, "schema"); err != nil {
			return fail("schema", "%s: %v", at, err)
		}
		if isSectionName(id) && s.holdsResults(group.Object(id)) {
			return fail("schema", "%s: holds results as a section does; call it samples or project, and put it beside the others", at)
		}
		if !isDefinition(group.vals[id]) && !group.Object(id).Has("const") {
			return fail("schema", "%s: a result needs a type (or $ref, enum, const, anyOf, oneOf, allOf)", at)
		}
		schema, err := s.expand(group.vals[id], at)
		if err != nil {
			return err
		}
		if old := level.Defs[id]; old != nil {
			if !equal(old.schema, schema) {
				return fail("schema", "%s: is defined twice in different ways", at)
			}
			continue
		}
		d := &Definition{schema: schema.(*Object)}
		d.Highlight = d.schema.Get("highlight") == true
		level.Defs[id] = d
		level.Order = append(level.Order, id)
	}
	return nil
}

// additional applies the first additionalProperties found (PS-SCH-013).
func (s *Schema) additional(levelName string, places ...*Object) error {
	for _, o := range places {
		if o.Has("additionalProperties") {
			return s.setAdditional(s.Levels[levelName], o.Get("additionalProperties"))
		}
	}
	return nil
}

func (s *Schema) setAdditional(l *Level, v any) error {
	l.Closed, l.Open, l.Extra = false, true, nil
	switch v := v.(type) {
	case bool:
		l.Closed, l.Open = !v, v
		return nil
	case *Object:
		if isDefinition(v) || v.Has("const") {
			schema, err := s.expand(v, "additionalProperties")
			if err == nil {
				l.Extra = &Definition{schema: schema.(*Object)}
			}
			return err
		}
	}
	return fail("schema", "additionalProperties: has to be true, false or a definition")
}

// Where a schema may stand inside a schema.
var (
	schemaKeys     = []string{"items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else", "unevaluatedItems", "unevaluatedProperties", "contentSchema"}
	schemaListKeys = []string{"allOf", "anyOf", "oneOf", "prefixItems"}
	schemaMapKeys  = []string{"properties", "patternProperties", "dependentSchemas", "$defs"}
	jsonTypes      = []string{"null", "boolean", "integer", "number", "string", "array", "object"}
)

// expand copies a schema with file and image written out (PS-SCH-008, PS-SCH-009), and checks types
// (PS-SCH-005) and references (PS-SCH-007) on the way.
func (s *Schema) expand(v any, place string) (any, error) {
	in, ok := v.(*Object)
	if !ok {
		if _, isBool := v.(bool); isBool {
			return v, nil
		}
		return nil, fail("schema", "%s: has to be a schema", place)
	}
	out := NewObject()
	for _, k := range in.keys {
		at, value := place+"."+k, in.vals[k]
		var err error
		if m, isObject := value.(*Object); isObject && slices.Contains(schemaMapKeys, k) {
			copied := NewObject()
			for _, name := range m.keys {
				sub, err := s.expand(m.vals[name], at+"."+name)
				if err != nil {
					return nil, err
				}
				copied.Set(name, sub)
			}
			value = copied
		} else if list, isList := value.([]any); isList && slices.Contains(schemaListKeys, k) {
			copied := make([]any, len(list))
			for i, sub := range list {
				if copied[i], err = s.expand(sub, fmt.Sprintf("%s[%d]", at, i)); err != nil {
					return nil, err
				}
			}
			value = copied
		} else if slices.Contains(schemaKeys, k) {
			if value, err = s.expand(value, at); err != nil {
				return nil, err
			}
		} else if k == "$ref" || k == "$dynamicRef" {
			ref, _ := value.(string)
			if !strings.HasPrefix(ref, "#/$defs/") && !(len(ref) > 1 && ref[0] == '#' && ref[1] != '/') {
				return nil, fail("schema", "%s: %q has to lead into the $defs of this document (#/$defs/...)", at, ref)
			}
			if k == "$ref" && ref[1] == '/' {
				s.refs = append(s.refs, reference{at, out})
			}
		}
		out.Set(k, value)
	}
	if err := expandType(out, place); err != nil {
		return nil, err
	}
	if out.Get("object_type") == "image" {
		renameThumbnail(out)
	}
	return out, nil
}

// renameThumbnail lets a property that an image's definition calls thumbnail count as thumbnail_path
// (PS-SCH-010).
func renameThumbnail(o *Object) {
	if properties := o.Object("properties"); properties.Has("thumbnail") {
		renamed := NewObject()
		for _, k := range properties.keys {
			if k == "thumbnail" {
				renamed.Set("thumbnail_path", properties.vals[k])
			} else if k != "thumbnail_path" || !renamed.Has(k) {
				renamed.Set(k, properties.vals[k])
			}
		}
		o.Set("properties", renamed)
	}
	if required, isList := o.Get("required").([]any); isList {
		renamed := []any{}
		for _, name := range required {
			if name == "thumbnail" {
				name = "thumbnail_path"
			}
			if !slices.Contains(renamed, name) {
				renamed = append(renamed, name)
			}
		}
		o.Set("required", renamed)
	}
}

func expandType(o *Object, place string) error {
	names, isList := o.Get("type").([]any)
	if !isList {
		if !o.Has("type") {
			return nil
		}
		names = []any{o.Get("type")}
	}
	var plainTypes, alternatives []any
	for _, t := range names {
		name, _ := t.(string)
		switch {
		case slices.Contains(jsonTypes, name):
			plainTypes = append(plainTypes, name)
		case name == "file" || name == "image":
			if !isList {
				pathSchema(o, name)
				return nil
			}
			alternative := NewObject()
			pathSchema(alternative, name)
			alternatives = append(alternatives, alternative)
		default:
			return fail("schema", "%s.type: %s is no type; use one of %s, file, image", place, encodeJSON(t), strings.Join(jsonTypes, ", "))
		}
	}
	if len(alternatives) == 0 {
		return nil
	}
	if len(plainTypes) > 0 {
		rest := NewObject()
		rest.Set("type", plainTypes)
		alternatives = append([]any{rest}, alternatives...)
	}
	o.Delete("type")
	if o.Has("anyOf") { // keep the author's alternatives beside ours
		own := NewObject()
		own.Set("anyOf", o.Get("anyOf"))
		all, _ := o.Get("allOf").([]any)
		o.Set("allOf", append(slices.Clone(all), own))
	}
	o.Set("anyOf", alternatives)
	return nil
}

// pathSchema writes out the shorthand into o, which may hold keywords of its own.
func pathSchema(o *Object, kind string) {
	o.Set("type", "object")
	o.Set("object_type", kind)
	names := []string{"path", "title"}
	if kind == "image" {
		names = []string{"path", "thumbnail_path", "title"}
	}
	properties := o.Object("properties")
	if properties == nil {
		properties = NewObject()
		o.Set("properties", properties)
	}
	required, _ := o.Get("required").([]any)
	required = slices.Clone(required)
	for _, name := range names {
		own := properties.Object(name)
		if own == nil {
			own = NewObject()
		}
		if !properties.Has(name) || !isDefinition(own) && !own.Has("const") {
			own.Set("type", "string")
			properties.Set(name, own)
		}
		if name != "thumbnail_path" && !slices.Contains(required, any(name)) {
			required = append(required, name)
		}
	}
	o.Set("required", required)
}

// compile builds one JSON Schema out of all definitions and $defs, and the validators from it.
func (s *Schema) compile() error {
	levels := NewObject()
	for name, level := range s.Levels {
		o, properties := NewObject(), NewObject()
		for id, d := range level.Defs {
			properties.Set(id, d.schema)
		}
		o.Set("properties", properties)
		if level.Extra != nil {
			o.Set("additionalProperties", level.Extra.schema)
		}
		levels.Set(name, o)
	}
	s.root.Set("properties", levels)
	for _, ref := range s.refs { // in unused definitions too (PS-SCH-007)
		if s.resolve(ref.schema) == nil {
			return fail("schema", "%s: %s leads nowhere", ref.place, encodeJSON(ref.schema.Get("$ref")))
		}
	}
	for name, level := range s.Levels {
		for id, d := range level.Defs {
			if s.applied(d.schema, map[*Object]int{}) > maxApplied {
				return fail("schema", "%s.%s: more than %d schemas apply to one value", name, id, maxApplied)
			}
		}
	}
	c := jsonschema.NewCompiler()
	c.UseRegexpEngine(compilePattern)
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(noLoader{})
	if err := c.AddResource("mem:///schema", plain(s.root)); err != nil {
		return fail("schema", "%v", err)
	}
	if _, err := c.Compile("mem:///schema"); err != nil {
		return fail("schema", "%s%v", placeOf(err), err)
	}
	for name, level := range s.Levels {
		for id, d := range level.Defs {
			pointer := strings.NewReplacer("~", "~0", "/", "~1").Replace(id)
			if err := d.compile(s, c, "/properties/"+name+"/properties/"+url.PathEscape(pointer)); err != nil {
				return fail("schema", "%s.%s: %v", name, id, err)
			}
		}
		if level.Extra != nil {
			if err := level.Extra.compile(s, c, "/properties/"+name+"/additionalProperties"); err != nil {
				return fail("schema", "%s.additionalProperties: %v", name, err)
			}
		}
	}
	return nil
}

// maxApplied is how many schemas may apply to one value (PS-SCH-021).
const maxApplied = 10_000

// applied counts the schemas that a schema applies to one value, by references and branches.
func (s *Schema) applied(v any, known map[*Object]int) int {
	o, ok := v.(*Object)
	if !ok {
		return 1
	}
	if known[o] > 0 {
		return known[o]
	}
	known[o] = 1 // where it leads back to itself
	n := 1
	for _, k := range []string{"allOf", "anyOf", "oneOf"} {
		branches, _ := o.Get(k).([]any)
		for _, branch := range branches {
			n += s.applied(branch, known)
		}
	}
	for _, k := range []string{"not", "if", "then", "else"} {
		if o.Has(k) {
			n += s.applied(o.Get(k), known)
		}
	}
	for _, k := range o.Object("dependentSchemas").Keys() {
		n += s.applied(o.Object("dependentSchemas").vals[k], known)
	}
	if target := s.follow(o); target != nil {
		n += s.applied(target, known)
	}
	known[o] = min(n, maxApplied+1)
	return known[o]
}

func (d *Definition) compile(s *Schema, c *jsonschema.Compiler, pointer string) (err error) {
	d.Types, d.Kind = s.typesOf(d.schema, 0)
	typed := d.schema
	for hops := 0; typed != nil && !typed.Has("type") && hops < 100; hops++ {
		typed = s.follow(typed)
	}
	if len(d.Types) == 1 && typed.Has("type") {
		d.only = d.Types[0]
	}
	d.validator, err = c.Compile("mem:///schema#" + pointer)
	return err
}

// placeOf names the place in the output schema that a metaschema complains about (PS-SCH-015).
func placeOf(err error) string {
	outer, ok := err.(*jsonschema.SchemaValidationError)
	if !ok {
		return ""
	}
	at, ok := outer.Err.(*jsonschema.ValidationError)
	for ok && len(at.Causes) > 0 {
		at = at.Causes[0]
	}
	if !ok || len(at.InstanceLocation) == 0 {
		return ""
	}
	path := at.InstanceLocation
	if path[0] == "properties" && len(path) > 3 { // properties, level, properties, result
		section := map[string]string{"sample": "samples", "project": "project"}[path[1]]
		path = append([]string{section}, path[3:]...)
	}
	return strings.Join(path, ".") + ": "
}

type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s leads out of the document", url)
}

// typesOf finds the types and the kind of a definition, references resolved.
func (s *Schema) typesOf(o *Object, hops int) (types []string, kind string) {
	kind, _ = o.Get("object_type").(string)
	if kind != "file" && kind != "image" {
		kind = ""
	}
	switch t := o.Get("type").(type) {
	case string:
		return []string{t}, kind
	case []any:
		for _, name := range t {
			types = append(types, name.(string))
		}
		return types, kind
	}
	if ref := s.follow(o); ref != nil && hops < 100 {
		return s.typesOf(ref, hops+1)
	}
	alternatives, _ := o.Get("anyOf").([]any)
	for _, a := range alternatives {
		if sub, ok := a.(*Object); ok && hops < 100 {
			more, _ := s.typesOf(sub, hops+1)
			for _, t := range more {
				if !slices.Contains(types, t) {
					types = append(types, t)
				}
			}
		}
	}
	return types, kind
}

// follow resolves the $ref of a schema to the definition that it names; nil where there is none.
func (s *Schema) follow(o *Object) *Object {
	found, _ := s.resolve(o).(*Object)
	return found
}

// resolve follows a $ref by JSON pointer or by anchor.
func (s *Schema) resolve(o *Object) any {
	ref, _ := o.Get("$ref").(string)
	fragment, err := url.PathUnescape(strings.TrimPrefix(ref, "#"))
	if ref == "" || err != nil {
		return nil
	}
	if !strings.HasPrefix(fragment, "/") {
		for _, name := range s.root.Object("$defs").Keys() {
			if d := s.root.Object("$defs").Object(name); d.Get("$anchor") == fragment {
				return d
			}
		}
		return nil
	}
	var at any = s.root
	for _, step := range strings.Split(fragment[1:], "/") {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		switch node := at.(type) {
		case *Object:
			at = node.Get(step)
		case []any:
			i := 0
			if _, err := fmt.Sscanf(step, "%d", &i); err != nil || i < 0 || i >= len(node) {
				return nil
			}
			at = node[i]
		default:
			return nil
		}
	}
	return at
}

// definition returns what judges a result of a level: its own definition, else that of
// additionalProperties; nil where there is none.
func (s *Schema) definition(level, name string) *Definition {
	if s == nil {
		return nil
	}
	if d := s.Levels[level].Defs[name]; d != nil {
		return d
	}
	return s.Levels[level].Extra
}

// sole tells whether the definition has exactly this type (PS-VAL-010).
func (d *Definition) sole(name string) bool { return d != nil && d.only == name }

// adapt applies PS-VAL-008, PS-VAL-009 and PS-SCH-010 to a reported value.
func (s *Schema) adapt(d *Definition, v any) (any, error) {
	switch n := v.(type) {
	case int64:
		if d.sole("number") {
			f, exact := toDouble(n)
			if !exact {
				return nil, fmt.Errorf("no double equals %d exactly", n)
			}
			return f, nil
		}
	case float64:
		if d.sole("integer") && n == math.Trunc(n) {
			i, fits := toInteger(n)
			if !fits {
				return nil, fmt.Errorf("%s is beyond 64 bits", doubleText(n))
			}
			return i, nil
		}
	}
	return v, s.thumbnails(d.schema, v, map[*Object]bool{})
}

// thumbnails renames thumbnail where the schema says image. The set holds the schemas that were
// already applied to this very value, since references may be recursive.
func (s *Schema) thumbnails(schema any, v any, seen map[*Object]bool) error {
	o, ok := schema.(*Object)
	if !ok || seen[o] {
		return nil
	}
	seen[o] = true
	same := []any{o.Get("then"), o.Get("else")}
	if ref := s.follow(o); ref != nil {
		same = append(same, ref)
	}
	for _, k := range []string{"anyOf", "allOf", "oneOf"} {
		list, _ := o.Get(k).([]any)
		same = append(same, list...)
	}
	for _, sub := range same {
		if err := s.thumbnails(sub, v, seen); err != nil {
			return err
		}
	}
	switch v := v.(type) {
	case []any:
		prefix, _ := o.Get("prefixItems").([]any)
		for i, item := range v {
			sub := o.Get("items")
			if i < len(prefix) {
				sub = prefix[i]
			}
			if err := s.thumbnails(sub, item, map[*Object]bool{}); err != nil {
				return err
			}
		}
	case *Object:
		if o.Get("object_type") == "image" && v.Has("thumbnail") {
			if v.Has("thumbnail_path") && !equal(v.Get("thumbnail"), v.Get("thumbnail_path")) {
				return fmt.Errorf("thumbnail and thumbnail_path differ; give thumbnail_path only")
			}
			v.Set("thumbnail_path", v.Get("thumbnail"))
			v.Delete("thumbnail")
		}
		for _, k := range v.keys {
			seen, known := map[*Object]bool{}, o.Object("properties").Has(k)
			subs := []any{o.Object("properties").Get(k)}
			for _, pattern := range o.Object("patternProperties").Keys() {
				if re, err := regexp.Compile(pattern); err == nil && re.MatchString(k) {
					subs, known = append(subs, o.Object("patternProperties").Get(pattern)), true
				}
			}
			if !known {
				subs = []any{o.Get("additionalProperties")}
			}
			for _, sub := range subs {
				if err := s.thumbnails(sub, v.vals[k], seen); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// describe renders the definition for error messages.
func (d *Definition) describe() string {
	if d.Kind != "" {
		return d.Kind
	}
	if len(d.Types) > 0 {
		return strings.Join(d.Types, " or ")
	}
	return encodeJSON(d.schema)
}
