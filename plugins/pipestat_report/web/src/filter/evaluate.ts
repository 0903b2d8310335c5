/** The meaning of a filter: two-valued, as `pipestat_spec.domain.filters` has it. */
import { compareText, isNumeric, type Found } from "../model/values.ts";
import type { Filter, Literal, Operator, Path } from "./syntax.ts";

/** Returns what reads a field of a row; a field that is missing is undefined or null. */
export type Reader = (path: Path) => (row: number) => Found;
export type Predicate = (row: number) => boolean;

export function compileFilter(filter: Filter, reader: Reader): Predicate {
  switch (filter.kind) {
    case "and": {
      const every = filter.operands.map((operand) => compileFilter(operand, reader));
      return (row) => every.every((holds) => holds(row));
    }
    case "or": {
      const some = filter.operands.map((operand) => compileFilter(operand, reader));
      return (row) => some.some((holds) => holds(row));
    }
    case "not": {
      const inner = compileFilter(filter.operand, reader);
      return (row) => !inner(row);
    }
    case "null": {
      const read = reader(filter.path);
      return (row) => (read(row) ?? null) === null;
    }
    case "like": {
      const read = reader(filter.path);
      const regex = likeRegex(filter.pattern);
      return (row) => {
        const value = read(row);
        return typeof value === "string" && regex.test(value);
      };
    }
    case "in": {
      const read = reader(filter.path);
      const tests = filter.values.map((value) => compare("=", value));
      return (row) => {
        const value = read(row);
        return tests.some((holds) => holds(value));
      };
    }
    case "compare": {
      const read = reader(filter.path);
      const holds = compare(filter.operator, filter.value);
      return (row) => holds(read(row));
    }
  }
}

/** Returns the test of a value; only numbers and strings have an order. */
function compare(operator: Operator, wanted: Literal): (value: Found) => boolean {
  if (typeof wanted === "boolean") return (value) => operator === "=" && value === wanted;
  if (typeof wanted === "string") {
    if (operator === "=") return (value) => value === wanted;
    const holds = ORDERS[operator];
    return (value) => typeof value === "string" && holds(compareText(value, wanted), 0);
  }
  // Comparisons of number and bigint are exact in JavaScript.
  if (operator === "=") return (value) => isNumeric(value) && value == wanted;
  const holds = ORDERS[operator];
  return (value) => isNumeric(value) && holds(value, wanted);
}

type Order = (left: number | bigint, right: number | bigint) => boolean;
const ORDERS: Record<Exclude<Operator, "=">, Order> = {
  "<": (left, right) => left < right,
  "<=": (left, right) => left <= right,
  ">": (left, right) => left > right,
  ">=": (left, right) => left >= right,
};

/** `%` is any run of code points, `_` one; a backslash makes the next stand for itself. */
function likeRegex(pattern: string): RegExp {
  const runs = [""];
  for (const [token] of pattern.matchAll(/\\.|./gsu)) {
    if (token === "%") runs.push("");
    else if (token === "_") runs[runs.length - 1] += ".";
    else runs[runs.length - 1] += [...token].at(-1)!.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
  }
  const [first, ...others] = runs;
  if (!others.length) return new RegExp(`^${first}$`, "su");
  // The first place where a middle part fits is as good as any other: a lookahead with a
  // reference keeps a pattern with many `%` from trying them all.
  const middle = others.slice(0, -1).map((part, i) => `(?=(.*?${part}))\\${i + 1}`);
  return new RegExp(`^${first}${middle.join("")}(?:.*)${others.at(-1)}$`, "su");
}
