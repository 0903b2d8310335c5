/** What may come next in a filter at the caret. */
import { KEYWORDS } from "./syntax.ts";
import { readPath, readToken, type Token } from "./tokens.ts";

export interface Expected {
  kind: "field" | "operator" | "value" | "joint";
  /** The field that an operator or a value belongs to. */
  path: readonly string[];
  /** What stands before the caret of the word that is being written, and where it starts. */
  prefix: string;
  from: number;
}

/** Returns what the grammar expects at the caret; null where nothing can be offered. */
export function expectedAt(text: string, caret: number): Expected | null {
  let head = text.slice(0, caret);
  const string = /'[^']*$/.exec(head);
  let tokens = readAll(head);
  let word: { text: string; start: number } | null = null;
  if (!tokens && string) {
    word = { text: string[0], start: string.index };
    head = head.slice(0, string.index);
    tokens = readAll(head);
  } else if (!tokens && head.endsWith(".")) {
    tokens = readAll(head.slice(0, -1));
    const last = tokens?.at(-1);
    if (last?.kind !== "field") return null;
    return { kind: "field", path: [], prefix: last.text + ".", from: last.start };
  }
  if (!tokens) return null;
  const last = tokens.at(-1);
  if (!word && last && last.end === caret && /[\w"]$/.test(last.text)) {
    word = { text: last.kind === "keyword" ? head.slice(last.start) : last.text, start: last.start };
    tokens.pop();
  }
  const { kind, path } = follow(tokens);
  if (kind === null) return null;
  return { kind, path, prefix: word?.text ?? "", from: word?.start ?? caret };
}

function readAll(text: string): Token[] | null {
  const tokens: Token[] = [];
  try {
    for (let position = 0; ; ) {
      const token = readToken(text, position);
      if (token.kind === "end") return tokens;
      tokens.push(token);
      position = token.end;
    }
  } catch {
    return null;
  }
}

/** Follows the tokens; returns what is expected after them. */
function follow(tokens: Token[]): { kind: Expected["kind"] | null; path: readonly string[] } {
  let kind: Expected["kind"] | null = "field";
  let path: readonly string[] = [];
  let list = false;
  for (const token of tokens) {
    const word = token.kind === "keyword" ? token.text : "";
    if (kind === "field") {
      if (token.kind === "field") {
        path = readPath(token.text);
        kind = "operator";
      }
    } else if (kind === "operator") {
      if (token.kind === "operator" || word === "like") kind = "value";
      else if (word === "in") list = true;
      else if (list && token.text === "(") kind = "value";
      else if (word === "null") kind = "joint";
    } else if (kind === "value") {
      if (token.text === ")") list = false;
      if (!list) kind = "joint";
    } else if (KEYWORDS.has(word)) kind = "field";
  }
  return { kind: list && kind === "operator" ? null : kind, path };
}
