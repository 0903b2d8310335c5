/** A filter as a tree, its error, and its text (spec/queries.md). */
import type { Numeric } from "../model/values.ts";

export type Path = readonly string[];
export type Literal = Numeric | string | boolean;
export type Operator = "=" | "<" | "<=" | ">" | ">=";

export type Filter =
  | { kind: "compare"; path: Path; operator: Operator; value: Literal }
  | { kind: "in"; path: Path; values: readonly Literal[] }
  | { kind: "like"; path: Path; pattern: string }
  | { kind: "null"; path: Path }
  | { kind: "not"; operand: Filter }
  | { kind: "and" | "or"; operands: readonly Filter[] };

/** A text is no filter; `column` counts code points from 1. */
export class FilterError extends Error {
  constructor(
    readonly column: number,
    message: string,
    readonly hint: string | null,
    /** The text ends, or a quote is open: the filter may still become one. */
    readonly unfinished: boolean,
  ) {
    super(message);
  }
}

export const KEYWORDS: ReadonlySet<string> = new Set(
  "and or not in like is null true false".split(" "),
);

const BARE = /^[A-Za-z_][A-Za-z0-9_-]*$/;

export const formatSegment = (segment: string): string =>
  BARE.test(segment) && !KEYWORDS.has(segment.toLowerCase())
    ? segment
    : `"${segment.replaceAll('"', '""')}"`;

export const formatPath = (path: Path): string => path.map(formatSegment).join(".");

export function formatLiteral(value: Literal): string {
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  // A double without point or exponent would be read as an integer, exactly or not at all.
  if (typeof value === "number" && Math.abs(value) > 2 ** 53) return value.toExponential();
  return String(value);
}

/** Returns the text of a filter; `binding` is what surrounds it: 0 nothing, 1 or, 2 and, not. */
export function formatFilter(filter: Filter, binding = 0): string {
  switch (filter.kind) {
    case "and":
    case "or": {
      const inner = filter.kind === "or" ? 1 : 2;
      if (filter.operands.length === 1) return formatFilter(filter.operands[0]!, binding);
      const text = filter.operands.map((o) => formatFilter(o, inner)).join(` ${filter.kind} `);
      return inner > binding ? text : `(${text})`;
    }
    case "not":
      return filter.operand.kind === "null"
        ? `${formatPath(filter.operand.path)} is not null`
        : `not ${formatFilter(filter.operand, 2)}`;
    case "compare":
      return `${formatPath(filter.path)} ${filter.operator} ${formatLiteral(filter.value)}`;
    case "in":
      return `${formatPath(filter.path)} in (${filter.values.map(formatLiteral).join(", ")})`;
    case "like":
      return `${formatPath(filter.path)} like ${formatLiteral(filter.pattern)}`;
    case "null":
      return `${formatPath(filter.path)} is null`;
  }
}

/** Yields the first segment of every field that a filter speaks of. */
export function* names(filter: Filter): Generator<string> {
  if ("operands" in filter) {
    for (const operand of filter.operands) yield* names(operand);
  } else if ("operand" in filter) yield* names(filter.operand);
  else yield filter.path[0]!;
}
