/** Conditions that facets set: filters of one field each, in the filter language. */
import { parseNumber } from "../filter/parse.ts";
import type { Filter } from "../filter/syntax.ts";
import type { Numeric } from "./values.ts";

export interface Range {
  kind: "range";
  from: Numeric | null;
  to: Numeric | null;
}

/** One of several; null stands for no value. `unreported` adds records that reported nothing. */
export interface Choice {
  kind: "choice";
  values: readonly (string | boolean | null)[];
  unreported?: boolean;
}

export type Condition = Range | Choice;

/** Returns the filter that a condition is; null when it can be true of no stored record. */
export function conditionFilter(name: string, condition: Condition): Filter | null {
  const path = [name];
  const parts: Filter[] = [];
  if (condition.kind === "range") {
    const { from, to } = condition;
    if (from !== null) parts.push({ kind: "compare", path, operator: ">=", value: from });
    if (to !== null) parts.push({ kind: "compare", path, operator: "<=", value: to });
    return { kind: "and", operands: parts };
  }
  const values = condition.values.filter((value) => value !== null);
  if (values.length === 1) {
    parts.push({ kind: "compare", path, operator: "=", value: values[0]! });
  } else if (values.length) parts.push({ kind: "in", path, values });
  if (condition.values.includes(null)) parts.push({ kind: "null", path });
  return parts.length ? { kind: "or", operands: parts } : null;
}

/** Returns a condition as text for the page's address. */
export function conditionText(condition: Condition): string {
  if (condition.kind === "range") return `${condition.from ?? ""}..${condition.to ?? ""}`;
  const texts = condition.values.map((value) =>
    typeof value === "string" ? `'${encodeURIComponent(value)}` : String(value),
  );
  return [...texts, ...(condition.unreported ? ["unreported"] : [])].join(",");
}

/** Returns the condition that a text of an address is, or null. */
export function readCondition(text: string): Condition | null {
  const range = /^([^,']*)\.\.([^,']*)$/.exec(text);
  if (range) {
    const [from, to] = [range[1]!, range[2]!].map((end) => (end ? parseNumber(end) : null));
    return from === null && to === null ? null : { kind: "range", from: from!, to: to! };
  }
  const values: (string | boolean | null)[] = [];
  let unreported = false;
  for (const part of text.split(",")) {
    if (part.startsWith("'")) values.push(decodeText(part.slice(1)));
    else if (part === "true" || part === "false") values.push(part === "true");
    else if (part === "null") values.push(null);
    else if (part === "unreported") unreported = true;
    else return null;
  }
  return { kind: "choice", values, unreported };
}

export function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
