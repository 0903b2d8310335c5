/** Values of the data model as JavaScript holds them, and how they compare (spec/queries.md). */

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Value[]
  | { readonly [key: string]: Value };

/** A value of a record, or undefined where nothing was reported. */
export type Found = Value | undefined;

export type Numeric = number | bigint;

export const isNumeric = (value: unknown): value is Numeric =>
  typeof value === "number" || typeof value === "bigint";

export const isObject = (value: Found): value is { readonly [key: string]: Value } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isArray = (value: Found): value is readonly Value[] => Array.isArray(value);

/** Undoes what `encoding.py` does: large integers become bigint, `$$key` becomes `$key`. */
export function decode(value: unknown): Value {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object" || value === null) return value as Value;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]![0] === "$int") return BigInt(entries[0]![1] as string);
  return Object.fromEntries(
    entries.map(([key, item]) => [key.startsWith("$") ? key.slice(1) : key, decode(item)]),
  );
}

/** Orders strings by code point; UTF-16 units order surrogates before U+E000 to U+FFFF. */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    let a = left.charCodeAt(i);
    let b = right.charCodeAt(i);
    if (a === b) continue;
    if (a >= 0xd800 && b >= 0xd800) {
      a = a >= 0xe000 ? a - 0x800 : a + 0x2000;
      b = b >= 0xe000 ? b - 0x800 : b + 0x2000;
    }
    return a - b;
  }
  return left.length - right.length;
}

/** JSON text that keeps large integers; `indent` as in JSON.stringify. */
export function toJSON(value: Found, indent = 0, depth = 0): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const items = isArray(value)
    ? value.map((item) => toJSON(item, indent, depth + 1))
    : Object.entries(value).map(
        ([key, item]) =>
          `${JSON.stringify(key)}:${indent ? " " : ""}${toJSON(item, indent, depth + 1)}`,
      );
  const [open, close] = isArray(value) ? "[]" : "{}";
  if (!items.length) return open! + close!;
  if (!indent) return open + items.join(",") + close;
  const inner = "\n" + " ".repeat(indent * (depth + 1));
  const outer = "\n" + " ".repeat(indent * depth);
  return open + inner + items.join("," + inner) + outer + close;
}

/** Tells whether two values are the same, of one type; keys of objects in any order. */
export function same(left: Found, right: Found): boolean {
  if (isNumeric(left) && isNumeric(right)) return left == right;
  if (isArray(left) && isArray(right)) {
    return left.length === right.length && left.every((item, i) => same(item, right[i]));
  }
  if (isObject(left) && isObject(right)) {
    const keys = Object.keys(left);
    return (
      keys.length === Object.keys(right).length &&
      keys.every((key) => Object.hasOwn(right, key) && same(left[key], right[key]))
    );
  }
  return left === right;
}

/** Returns what keys and indexes lead to. */
export function at(value: Found, keys: readonly (string | number)[]): Found {
  let found: Found = value;
  for (const key of keys) {
    if (isArray(found)) found = found[key as number];
    else if (isObject(found) && Object.hasOwn(found, key)) found = found[key];
    else return undefined;
  }
  return found;
}
