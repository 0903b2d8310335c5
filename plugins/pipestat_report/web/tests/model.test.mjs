// Values, exports, conditions, bins and the state in the address.
import assert from "node:assert/strict";
import test from "node:test";
import { expectedAt } from "../src/filter/hints.ts";
import { conditionFilter, conditionText, readCondition } from "../src/model/conditions.ts";
import { formatFilter } from "../src/filter/syntax.ts";
import { exportText } from "../src/model/exports.ts";
import { binOf, decimalsFor, edge, formatInteger, niceScale, summarize } from "../src/model/numbers.ts";
import { mergeChange } from "../src/live/merge.ts";
import { Report } from "../src/model/report.ts";
import { apartFrom, matchRows, offers, sortRows } from "../src/model/selection.ts";
import { fragmentOf, initialState, readFragment } from "../src/model/state.ts";
import { compareText, decode, toJSON } from "../src/model/values.ts";

const BIG = { $int: "9007199254740993" };
const data = {
  format: 1,
  pipeline: "p",
  title: "P",
  description: null,
  built: "2026-01-01T00:00:00.000000Z",
  tool: "",
  place: null,
  mode: null,
  statuses: [{ name: "completed", description: "" }],
  project: null,
  notReported: ["z"],
  thumbnails: { embedded: 0, leftOut: 0, unreadable: 0, notFetched: 0, asked: false, budget: 0, library: true },
  samples: {
    fields: [
      { name: "n", kind: "integer" },
      { name: "a,b", kind: "string" },
      { name: "f", kind: "file" },
    ],
    ids: ["r1", "r2", "r3"],
    status: ["completed", null, "completed"],
    since: {},
    messages: {},
    sources: {},
    created: [null, null, null],
    modified: [null, null, null],
    columns: [
      { values: [BIG, 2, null], nulls: [2] },
      { values: ['say "x"', "tab\there", null] },
      { rows: [1], values: [{ path: "x y.txt", title: "t" }] },
    ],
    history: {},
    media: {},
  },
};
const report = new Report(data, "");
const shown = report.columns.filter((column) => !column.key.startsWith("pipestat_"));

test("large integers and dollar keys come back as they were", () => {
  assert.deepEqual(decode({ $$int: "1", a: [BIG] }), { $int: "1", a: [9007199254740993n] });
  assert.deepEqual(decode({ $$x: 1 }), { $x: 1 });
  assert.equal(toJSON({ a: 9007199254740993n, b: [] }), '{"a":9007199254740993,"b":[]}');
});

test("strings are ordered by code point", () => {
  assert.ok(compareText("\u{1f600}", "\uffff") > 0);
  assert.ok("\u{1f600}" < "\uffff");
  assert.ok(compareText("a", "ab") < 0);
});

test("missing and null differ", () => {
  const values = report.samples.byName.get("n").values;
  assert.equal(values[0], 9007199254740993n);
  assert.equal(values[2], null);
  assert.equal(report.samples.byName.get("a,b").values[2], undefined);
});

test("exports are exact", () => {
  assert.equal(
    exportText("csv", shown, [0, 1, 2]),
    'record_identifier,status,n,"a,b",f,status_message\n' +
      'r1,completed,9007199254740993,"say ""x""",,\n' +
      "r2,,2,tab\there,x y.txt,\n" +
      "r3,completed,,,,\n",
  );
  assert.match(exportText("tsv", shown, [1]), /^record_identifier\tstatus.*\nr2\t\t2\ttab here\tx/s);
  const text = exportText("json", shown, [0, 2]);
  assert.match(text, /"n": 9007199254740993,/);
  const [, third] = JSON.parse(text);
  assert.deepEqual(Object.keys(third), ["record_identifier", "status", "n", "status_message"]);
});

test("a spreadsheet runs nothing of an export, and numbers stay numbers", () => {
  const values = ["=1+1", "+x", "-x", "@x", "\tx", "-1.5", "+2e3", "a=b", -3];
  const columns = [{ key: "v", title: "v", read: (row) => values[row] }];
  const rows = values.map((_, row) => row);
  assert.equal(
    exportText("csv", columns, rows),
    "v\n'=1+1\n'+x\n'-x\n'@x\n'\tx\n-1.5\n+2e3\na=b\n-3\n",
  );
  assert.match(exportText("tsv", columns, rows), /^v\n'=1\+1\n/);
  assert.equal(JSON.parse(exportText("json", columns, rows))[0].v, "=1+1");
});

test("conditions survive the address", () => {
  for (const condition of [
    { kind: "range", from: 0.5, to: null },
    { kind: "range", from: 9007199254740993n, to: 9223372036854775807n },
    { kind: "choice", values: ["it's, a", true, null, ""], unreported: true },
  ]) {
    assert.deepEqual({ unreported: undefined, ...readCondition(conditionText(condition)) }, {
      unreported: undefined,
      ...condition,
    });
  }
  assert.equal(readCondition("what"), null);
  const filter = conditionFilter("a,b", { kind: "choice", values: ["x", null] });
  assert.equal(formatFilter(filter), `"a,b" = 'x' or "a,b" is null`);
});

test("records that reported nothing match no filter", () => {
  const { samples } = report;
  const all = matchRows(samples, null, new Map());
  assert.deepEqual(all.rows, [0, 1, 2, 3]);
  const isNull = { kind: "null", path: ["status"] };
  assert.deepEqual(matchRows(samples, isNull, new Map()).rows, [1]);
  const unreported = { kind: "choice", values: [], unreported: true };
  assert.deepEqual(matchRows(samples, null, new Map([["status", unreported]])).rows, [3]);
});

test("a facet counts what all but its own condition let through", () => {
  const conditions = new Map([["status", { kind: "choice", values: ["completed"] }]]);
  const matches = matchRows(report.samples, null, conditions);
  const found = offers(
    report.samples.reader(["status"]),
    report.samples.reported,
    apartFrom(matches, "status"),
    ["completed"],
  );
  assert.deepEqual(found, [
    { value: "completed", count: 2 },
    { value: null, count: 1 },
  ]);
});

test("missing values come last either way", () => {
  const by = (descending) => sortRows(report, [0, 1, 2, 3], [{ key: "n", descending }]);
  assert.deepEqual(by(false), [1, 0, 2, 3]);
  assert.deepEqual(by(true), [0, 1, 2, 3]);
});

test("the state survives the address", () => {
  const initial = initialState(report, false);
  const state = {
    ...initial,
    view: "compare",
    where: "n > 1 and \"a,b\" = 'x'",
    conditions: new Map([["a,b", { kind: "choice", values: ["x"], unreported: false }]]),
    sort: [{ key: "a,b", descending: true }],
    hidden: new Set(["n"]),
    order: ["record_identifier", "f", ...initial.order.filter((k) => k !== "f").slice(1)],
    record: "r2",
    selected: ["r1", "r3"],
    compact: true,
    facets: false,
  };
  const read = readFragment(fragmentOf(state, initial), initial, report);
  assert.deepEqual(read, { state, unknown: [] });
  const other = readFragment("#records?rec=gone&sort=-no&x=none&f.nope=1..2", initial, report);
  assert.deepEqual(other.unknown, ["nope", "no", "gone", "none"]);
});

test("every value lies in the bin whose edges surround it", () => {
  for (const [low, high] of [[0, 1], [0.1, 0.7], [-3, 12], [5, 5], [1e-9, 2e-9], [1e12, 1e12 + 7]]) {
    const scale = niceScale(low, high, 28);
    for (let i = 0; i <= 100; i++) {
      const value = low + ((high - low) * i) / 100;
      const bin = binOf(scale, value);
      assert.ok(edge(scale, bin) <= value, `${value} in ${bin}`);
      assert.ok(value < edge(scale, bin + 1), `${value} in ${bin}`);
    }
  }
});

test("numbers are written with the precision of their column", () => {
  const numbers = [0.123456, 0.5, 0.91];
  assert.equal(decimalsFor(numbers, summarize(numbers)), 3);
  assert.equal(decimalsFor([1, 2.5], summarize([1, 2.5])), 1);
  assert.equal(formatInteger(1234567), "1\u202f234\u202f567");
  assert.equal(formatInteger(-9007199254740993n), "-9\u202f007\u202f199\u202f254\u202f740\u202f993");
});

test("the filter box knows what may come next", () => {
  const kinds = (text) => expectedAt(text, text.length)?.kind ?? null;
  assert.equal(kinds(""), "field");
  assert.equal(kinds("rea"), "field");
  assert.equal(kinds("reads "), "operator");
  assert.equal(kinds("reads > "), "value");
  assert.equal(kinds("genome in ('a', "), "value");
  assert.equal(kinds("genome in ('a') "), "joint");
  assert.equal(kinds("genome is not null "), "joint");
  assert.equal(kinds("a = 1 and "), "field");
  assert.deepEqual(expectedAt("genome = 'hg", 12), {
    kind: "value",
    path: ["genome"],
    prefix: "'hg",
    from: 9,
  });
});

test("a change is merged row by row", () => {
  const report = new Report(data, "");
  const before = { ...data, built: "2026-01-01T00:00:00.000000Z" };
  const change = {
    time: "2026-01-02T00:00:00.000000Z",
    removed: { sample: ["r3"], project: [] },
    project: null,
    sample: {
      fields: [
        { name: "n", kind: "number" },
        { name: "new", kind: "string" },
      ],
      ids: ["r2", "a", "\u{1F600}", "\uFFFD"],
      status: ["failed", null, null, null],
      verdicts: null,
      since: { 0: "2026-01-02T00:00:00.000000Z" },
      messages: { 0: "why" },
      sources: {},
      created: [null, null, null, null],
      modified: [null, null, null, null],
      columns: [
        { values: [null, 0.5, null, null], nulls: [0] },
        { rows: [1], values: ["x"] },
      ],
      history: { 0: { n: [["2026-01-02T00:00:00.000000Z", 1]] } },
      media: {},
    },
  };
  const merged = mergeChange(before, change);
  const table = new Report(merged, "").samples;
  assert.equal(merged.built, change.time);
  // By code point: U+FFFD comes before U+1F600, whose UTF-16 units do not.
  assert.deepEqual(table.ids.slice(0, -1), ["a", "r1", "r2", "\uFFFD", "\u{1F600}"]);
  const of = (name, id) => table.byName.get(name).values[table.rowOf.get(id)];
  assert.equal(of("n", "a"), 0.5);
  assert.equal(of("n", "r2"), null);
  assert.equal(of("n", "\uFFFD"), undefined);
  assert.equal(of("n", "r1"), report.samples.byName.get("n").values[0]);
  assert.equal(of("new", "a"), "x");
  assert.equal(of("new", "r1"), undefined);
  assert.equal(table.byName.get("n").data.kind, "number");
  const row = table.rowOf.get("r2");
  assert.deepEqual([table.status(row), table.message(row)], ["failed", "why"]);
  assert.equal(table.history(row, "n").length, 1);
  // The old document is as it was.
  assert.deepEqual(before.samples.ids, ["r1", "r2", "r3"]);
});
