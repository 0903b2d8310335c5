/** Which rows are shown, in which order, and what each facet counts. */
import { compileFilter, type Predicate } from "../filter/evaluate.ts";
import type { Filter } from "../filter/syntax.ts";
import { conditionFilter, type Condition } from "./conditions.ts";
import { STATUS, VERDICTS, type Report } from "./report.ts";
import type { Sorting } from "./state.ts";
import type { Table } from "./table.ts";
import { isNumeric, toJSON, type Found } from "./values.ts";

/**
 * The outcome of filter and conditions. `fails` says of each row what it fails: 0 nothing,
 * i + 1 only condition i, -1 the filter or several.
 */
export interface Matches {
  rows: readonly number[];
  fails: Int16Array;
  /** The names of the conditions, in the order of `fails`. */
  names: readonly string[];
}

export function matchRows(
  table: Table,
  where: Filter | null,
  conditions: ReadonlyMap<string, Condition>,
): Matches {
  const stored = (filter: Filter | null): Predicate => {
    const holds = filter ? compileFilter(filter, table.reader) : () => false;
    // A record that reported nothing is not in the store: no filter can find it.
    return (row) => row < table.reported && holds(row);
  };
  const holds = where ? stored(where) : () => true;
  const names = [...conditions.keys()];
  const tests = names.map((name): Predicate => {
    const condition = conditions.get(name)!;
    const test = stored(conditionFilter(name, condition));
    if (condition.kind === "range" || !condition.unreported) return test;
    return (row) => row >= table.reported || test(row);
  });
  const fails = new Int16Array(table.ids.length);
  const rows: number[] = [];
  for (let row = 0; row < fails.length; row++) {
    let failed = holds(row) ? 0 : -1;
    for (let i = 0; i < tests.length && failed >= 0; i++) {
      if (!tests[i]!(row)) failed = failed ? -1 : i + 1;
    }
    fails[row] = failed;
    if (!failed) rows.push(row);
  }
  return { rows, fails, names };
}

/** Returns the test of rows that all conditions but that of `name` let through. */
export function apartFrom(matches: Matches, name: string): Predicate {
  const own = matches.names.indexOf(name) + 1;
  return (row) => {
    const failed = matches.fails[row]!;
    return failed === 0 || (own > 0 && failed === own);
  };
}

const COLLATOR = new Intl.Collator("en", { numeric: true });

/** Returns the rows in order; missing values come last either way. */
export function sortRows(
  report: Report,
  rows: readonly number[],
  sort: readonly Sorting[],
): readonly number[] {
  if (!sort.length) return rows;
  const keys = sort.map(({ key, descending }) => {
    const column = report.columnOf.get(key)!;
    const read =
      key === STATUS
        ? (row: number) => {
            const status = report.samples.status(row);
            return status === null ? null : report.statusNames.indexOf(status);
          }
        : key === report.samples.verdictField
          ? (row: number) => {
              const verdict = report.samples.verdict(row);
              return verdict === null ? null : VERDICTS.indexOf(verdict);
            }
          : column.read;
    return { read, sign: descending ? -1 : 1 };
  });
  return [...rows].sort((left, right) => {
    for (const { read, sign } of keys) {
      const a = read(left) ?? null;
      const b = read(right) ?? null;
      if (a === null || b === null) {
        if (a === b) continue;
        return a === null ? 1 : -1;
      }
      const order = compareValues(a, b);
      if (order) return order * sign;
    }
    return left - right;
  });
}

const rank = (value: Found): number =>
  typeof value === "boolean" ? 0 : isNumeric(value) ? 1 : typeof value === "string" ? 2 : 3;

function compareValues(left: Found, right: Found): number {
  const ranks = rank(left) - rank(right);
  if (ranks) return ranks;
  if (isNumeric(left) && isNumeric(right)) return left < right ? -1 : left > right ? 1 : 0;
  if (typeof left === "boolean") return Number(left) - Number(right);
  if (typeof left === "string") return COLLATOR.compare(left, right as string);
  return COLLATOR.compare(toJSON(left), toJSON(right));
}

/** What a facet of choices offers: each value with its count, the most frequent first. */
export interface Offer {
  value: string | boolean | null;
  count: number;
}

export function offers(
  read: (row: number) => Found,
  reported: number,
  passes: Predicate,
  first: readonly string[] = [],
): Offer[] {
  const counts = new Map<string | boolean | null, number>(first.map((value) => [value, 0]));
  const totals = new Map(counts);
  for (let row = 0; row < reported; row++) {
    const value = read(row) ?? null;
    if (value !== null && typeof value !== "string" && typeof value !== "boolean") continue;
    totals.set(value, (totals.get(value) ?? 0) + 1);
    counts.set(value, (counts.get(value) ?? 0) + (passes(row) ? 1 : 0));
  }
  const fixed = new Set<string | boolean | null>(first);
  const found = [...counts].map(([value, count]) => ({ value, count }));
  const rest = found.filter((offer) => !fixed.has(offer.value));
  const last = (offer: Offer) => (offer.value === null ? 1 : 0);
  rest.sort(
    (a, b) => last(a) - last(b) || (totals.get(b.value) ?? 0) - (totals.get(a.value) ?? 0),
  );
  return [...found.filter((offer) => fixed.has(offer.value)), ...rest];
}
