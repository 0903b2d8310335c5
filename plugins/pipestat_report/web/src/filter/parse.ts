/** From a text to a filter: recursive descent, one function per rule of the grammar. */
import { formatPath, type Filter, type Literal, type Operator, type Path } from "./syntax.ts";
import { readPath, readToken, syntaxError, type Token } from "./tokens.ts";
import type { Numeric } from "../model/values.ts";

const MAX_NESTING = 100;
const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;
const OPERATORS = "an operator (=, !=, <, <=, >, >=, in, like, is)";

/** Returns the filter that a text stands for; throws FilterError. */
export const parseFilter = (text: string): Filter => new Parser(text).parse();

/** Returns the number that a text is, exactly; null when it is none. */
export function parseNumber(text: string): Numeric | null {
  if (!/^[+-]?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return null;
  if (/[.eE]/.test(text)) {
    const number = Number(text);
    return Number.isFinite(number) ? number : null;
  }
  const integer = BigInt(text.replace(/^\+/, ""));
  if (integer < MIN_INTEGER || integer > MAX_INTEGER) return null;
  return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer;
}

class Parser {
  private token: Token;

  constructor(private readonly text: string) {
    this.token = readToken(text, 0);
  }

  parse(): Filter {
    if (this.token.kind === "end") throw this.error("a filter");
    const result = this.disjunction(0);
    if (!this.is("end")) throw this.error("and, or or the end");
    return result;
  }

  private disjunction(depth: number): Filter {
    const operands = [this.conjunction(depth)];
    while (this.accept("keyword", "or")) operands.push(this.conjunction(depth));
    return operands.length === 1 ? operands[0]! : { kind: "or", operands };
  }

  private conjunction(depth: number): Filter {
    const operands = [this.negation(depth)];
    while (this.accept("keyword", "and")) operands.push(this.negation(depth));
    return operands.length === 1 ? operands[0]! : { kind: "and", operands };
  }

  private negation(depth: number): Filter {
    if (depth > MAX_NESTING) {
      throw this.error(`at most ${MAX_NESTING} open parentheses and nots`, "simplify it");
    }
    if (this.accept("keyword", "not")) return { kind: "not", operand: this.negation(depth + 1) };
    if (!this.accept("mark", "(")) return this.test();
    const inner = this.disjunction(depth + 1);
    if (!this.accept("mark", ")")) throw this.error("and, or or )");
    return inner;
  }

  private test(): Filter {
    if (this.token.kind !== "field") throw this.error("the name of a result", this.nameHint());
    const path = readPath(this.take().text);
    if (this.is("operator")) return this.comparison(path);
    if (this.accept("keyword", "is")) {
      const negated = this.accept("keyword", "not");
      if (!this.accept("keyword", "null")) {
        throw this.error(negated ? "null" : "null or not null", "write = before a value");
      }
      return negate({ kind: "null", path }, negated);
    }
    const negated = this.accept("keyword", "not");
    if (this.accept("keyword", "in")) {
      return negate({ kind: "in", path, values: this.list() }, negated);
    }
    if (this.accept("keyword", "like")) {
      return negate({ kind: "like", path, pattern: this.pattern() }, negated);
    }
    const hint =
      this.token.kind === "field"
        ? "a name with spaces stands in double quotes"
        : `to ask for a boolean write ${formatPath(path)} = true`;
    throw this.error(negated ? "in or like" : OPERATORS, hint);
  }

  private comparison(path: Path): Filter {
    const symbol = this.take().text;
    if (this.token.kind === "keyword" && this.token.text === "null") {
      const wanted = symbol === "!=" ? "is not null" : "is null";
      throw this.error("a value", `write ${formatPath(path)} ${wanted}`);
    }
    const value = this.literal();
    const operator = symbol === "!=" ? "=" : (symbol as Operator);
    return negate({ kind: "compare", path, operator, value }, symbol === "!=");
  }

  private list(): Literal[] {
    if (!this.accept("mark", "(")) throw this.error("(", "a list is written as ('a', 'b')");
    if (this.accept("mark", ")")) return [];
    const values = [this.literal()];
    while (this.accept("mark", ",")) values.push(this.literal());
    if (!this.accept("mark", ")")) throw this.error(", or )");
    return values;
  }

  private pattern(): string {
    const token = this.token;
    if (token.kind !== "string") {
      throw this.error("a pattern", "patterns stand in single quotes: 'chr%'");
    }
    const pattern = this.literal() as string;
    if (!/^(?:[^\\]|\\.)*$/su.test(pattern)) {
      const hint = String.raw`write \\ for a backslash`;
      throw syntaxError(this.text, token, String.raw`a pattern that does not end in \ `.trim(), hint);
    }
    return pattern;
  }

  private literal(): Literal {
    const token = this.token;
    if (token.kind === "string") return this.take().text.slice(1, -1).replaceAll("''", "'");
    if (token.kind === "keyword" && (token.text === "true" || token.text === "false")) {
      return this.take().text === "true";
    }
    if (token.kind === "number") {
      this.take();
      const number = parseNumber(token.text);
      if (number !== null) return number;
      throw /[.eE]/.test(token.text)
        ? syntaxError(this.text, token, "a number that a double can hold")
        : syntaxError(this.text, token, "a signed 64-bit integer", "write 1e20 for a number");
    }
    let hint = null;
    if (token.kind === "field") {
      hint = `strings stand in single quotes: '${readPath(token.text).join(".")}'`;
    } else if (token.text === "null") hint = "null is asked for with is null";
    throw this.error("a number, a string, true or false", hint);
  }

  private nameHint(): string | null {
    if (this.token.kind === "string") return "names stand in double quotes, strings in single ones";
    if (this.token.kind === "keyword") return `write "${this.token.text}" if it is a name`;
    return this.token.kind === "number" ? "the name stands left of the operator" : null;
  }

  private is(kind: Token["kind"]): boolean {
    return this.token.kind === kind;
  }

  private accept(kind: Token["kind"], text: string): boolean {
    if (this.token.kind !== kind || this.token.text !== text) return false;
    this.take();
    return true;
  }

  private take(): Token {
    const token = this.token;
    this.token = readToken(this.text, token.end);
    return token;
  }

  private error(expected: string, hint: string | null = null) {
    return syntaxError(this.text, this.token, expected, hint);
  }
}

const negate = (operand: Filter, negated: boolean): Filter =>
  negated ? { kind: "not", operand } : operand;
