/** The tokens of a filter's text, as `pipestat_spec.domain.filter_text` reads them. */
import { FilterError, KEYWORDS, type Path } from "./syntax.ts";

export interface Token {
  kind: "field" | "keyword" | "string" | "number" | "operator" | "mark" | "end";
  text: string;
  /** Where it starts and ends, in UTF-16 units. */
  start: number;
  end: number;
}

// A quoted part that ends before another quote of its kind would be half of one.
const SEGMENT = String.raw`(?:[A-Za-z_][A-Za-z0-9_-]*|"(?:[^"]|"")*"(?!"))`;
const TOKEN = new RegExp(
  [
    String.raw`(?<field>${SEGMENT}(?:\.${SEGMENT})*)`,
    String.raw`(?<string>'(?:[^']|'')*'(?!'))`,
    String.raw`(?<number>[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.]))`,
    String.raw`(?<operator>(?:!=|<=|>=|=|<|>)(?![=<>!]))`,
    String.raw`(?<mark>[(),])`,
  ].join("|"),
  "y",
);
const BLANK = /[ \t\r\n]*/y;
const KINDS = ["field", "string", "number", "operator", "mark"] as const;

const MENDS: Record<string, string> = {
  "'": "close the string; '' stands for a quote inside one",
  '"': 'close the name; "" stands for a quote inside one',
  "==": "write =",
  "<>": "write !=",
  "=<": "write <=",
  "=>": "write >=",
  "!": "write != or not",
  "&": "write and",
  "|": "write or",
  "[": "a list stands in parentheses",
  "{": "a list stands in parentheses",
};
const OTHERWISE =
  "numbers are written as 12, -0.5 or 1e6; names with other characters in double quotes";

/** Returns the token that starts at `position` or after blanks. */
export function readToken(text: string, position: number): Token {
  BLANK.lastIndex = position;
  BLANK.test(text);
  const start = BLANK.lastIndex;
  if (start >= text.length) return { kind: "end", text: "", start: text.length, end: text.length };
  TOKEN.lastIndex = start;
  const groups = TOKEN.exec(text)?.groups;
  const kind = groups && KINDS.find((name) => groups[name] !== undefined);
  if (!groups || !kind) {
    const rest = text.slice(start, start + 2);
    const first = String.fromCodePoint(text.codePointAt(start)!);
    const wrong: Token = { kind: "mark", text: first, start, end: start + first.length };
    const hint = MENDS[rest] ?? MENDS[first] ?? OTHERWISE;
    throw syntaxError(text, wrong, "a name, a value or an operator", hint, /['"]/.test(first));
  }
  const found = groups[kind]!;
  const token: Token = { kind, text: found, start, end: start + found.length };
  if ((kind === "field" || kind === "string") && /[\0\p{Surrogate}]/u.test(found)) {
    throw syntaxError(text, token, "text without NUL and lone surrogates");
  }
  if (kind === "field" && KEYWORDS.has(found.toLowerCase())) {
    return { ...token, kind: "keyword", text: found.toLowerCase() };
  }
  return token;
}

export function readPath(text: string): Path {
  return text
    .match(new RegExp(SEGMENT, "g"))!
    .map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part));
}

/** Returns the error that something else was expected where `token` is. */
export function syntaxError(
  text: string,
  token: Token,
  expected: string,
  hint: string | null = null,
  open = false,
): FilterError {
  const found = token.text ? `found ${shorten(token.text)}` : "the filter ends";
  const column = [...text.slice(0, token.start)].length + 1;
  return new FilterError(column, `expected ${expected}, ${found}`, hint, open || !token.text);
}

const shorten = (text: string): string => (text.length > 40 ? text.slice(0, 39) + "…" : text);
