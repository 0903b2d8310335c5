/** The records of one level by row, and what is known about each result. */
import type { Reader } from "../filter/evaluate.ts";
import type { FieldData, Media, TableData, Verdict } from "./document.ts";
import { decode, isNumeric, isObject, type Found } from "./values.ts";
import { decimalsFor, summarize, type Summary } from "./numbers.ts";

export class Field {
  readonly name: string;
  readonly numeric: boolean;
  private summaryOf: Summary | null | undefined;
  private decimalsOf: number | undefined;

  constructor(
    readonly data: FieldData,
    /** The values by row; undefined where nothing was reported. */
    readonly values: readonly Found[],
  ) {
    this.name = data.name;
    this.numeric = data.kind === "integer" || data.kind === "number";
  }

  get label(): string {
    return this.data.title ? `${this.name}: ${this.data.title}` : this.name;
  }

  /** What the numbers among the values are; null without any. */
  get summary(): Summary | null {
    if (this.summaryOf === undefined) this.summaryOf = summarize(this.numbers);
    return this.summaryOf;
  }

  get numbers(): number[] {
    return this.values.filter(isNumeric).map(Number);
  }

  /** How many decimals its numbers are shown with. */
  get decimals(): number {
    this.decimalsOf ??= this.data.kind === "integer" ? 0 : decimalsFor(this.numbers, this.summary);
    return this.decimalsOf;
  }

  get count(): number {
    return this.values.reduce<number>((sum, value) => sum + (value === undefined ? 0 : 1), 0);
  }
}

export interface History {
  time: string;
  value: Found;
}

export class Table {
  readonly fields: readonly Field[];
  readonly byName: ReadonlyMap<string, Field>;
  readonly rowOf: ReadonlyMap<string, number>;
  /** All rows; those from `reported` on are of records that reported nothing. */
  readonly ids: readonly string[];
  readonly reported: number;

  constructor(
    private readonly data: TableData,
    notReported: readonly string[] = [],
  ) {
    this.reported = data.ids.length;
    this.ids = [...data.ids, ...notReported];
    this.rowOf = new Map(this.ids.map((id, row) => [id, row]));
    this.fields = data.fields.map((field, i) => new Field(field, this.column(i)));
    this.byName = new Map(this.fields.map((field) => [field.name, field]));
  }

  private column(index: number): Found[] {
    const { values, rows, nulls } = this.data.columns[index]!;
    const column = new Array<Found>(this.ids.length);
    if (rows) rows.forEach((row, i) => (column[row] = decode(values[i])));
    else values.forEach((value, row) => (column[row] = value === null ? undefined : decode(value)));
    for (const row of nulls ?? []) column[row] = null;
    return column;
  }

  status(row: number): string | null {
    return this.data.status[row] ?? null;
  }

  since(row: number): string | null {
    return this.data.since[row] ?? null;
  }

  /** What filters call the verdict; null where records are not judged. */
  get verdictField(): string | null {
    return this.data.verdicts?.field ?? null;
  }

  verdict(row: number): Verdict | null {
    return this.data.verdicts?.values[row] ?? null;
  }

  /** The rules that hold for a record, the worst first. */
  reasons(row: number): readonly [severity: Verdict, text: string][] {
    return this.data.verdicts?.reasons[row] ?? [];
  }

  message(row: number): string | null {
    return this.data.messages[row] ?? null;
  }

  source(row: number): Found {
    const source = this.data.sources[row];
    return source === undefined ? undefined : decode(source);
  }

  created(row: number): string | null {
    return this.data.created[row] ?? null;
  }

  modified(row: number): string | null {
    return this.data.modified[row] ?? null;
  }

  /** The earlier values of a result, oldest first. */
  history(row: number, name: string): History[] {
    const entries = this.data.history[row]?.[name] ?? [];
    return entries.map(([time, value]) => ({ time, value: decode(value) }));
  }

  /** The results that a record had and has no more. */
  removed(row: number): string[] {
    const names = Object.keys(this.data.history[row] ?? {});
    return names.filter((name) => this.byName.get(name)?.values[row] === undefined);
  }

  media(row: number, name: string): readonly Media[] {
    return this.data.media[name]?.[row] ?? [];
  }

  /** The results with images, in the order of the fields. */
  get imageFields(): Field[] {
    const hasImages = (field: Field) =>
      Object.values(this.data.media[field.name] ?? {}).some((media) =>
        media.some((one) => one.kind === "image"),
      );
    return this.fields.filter((field) => field.data.kind === "image" || hasImages(field));
  }

  get imageCount(): number {
    return this.allMedia().filter((one) => one.kind === "image").length;
  }

  get missingFiles(): number {
    return this.allMedia().filter((one) => one.missing).length;
  }

  private allMedia(): Media[] {
    return Object.values(this.data.media).flatMap((rows) => Object.values(rows).flat());
  }

  /** The fields of filters that are no results. */
  get specialFields(): readonly string[] {
    return this.verdictField === null ? SPECIAL_FIELDS : [...SPECIAL_FIELDS, this.verdictField];
  }

  /** Reads a field of a filter: a special one, a result, or a key inside one. */
  readonly reader: Reader = ([first, ...keys]) => {
    if (first === this.verdictField) return (row) => (keys.length ? undefined : this.verdict(row));
    const special = SPECIAL[first!];
    if (special) return keys.length ? () => undefined : (row) => special(this, row);
    const values = this.byName.get(first!)?.values;
    if (!values) return () => undefined;
    return keys.length ? (row) => inside(values[row], keys) : (row) => values[row];
  };
}

/** Returns what keys lead to; arrays have no fields. */
function inside(value: Found, keys: readonly string[]): Found {
  let found = value;
  for (const key of keys) {
    if (!isObject(found) || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return found;
}

const SPECIAL: Record<string, (table: Table, row: number) => Found> = Object.assign(
  Object.create(null) as Record<string, (table: Table, row: number) => Found>,
  {
    record_identifier: (table: Table, row: number) => table.ids[row],
    status: (table: Table, row: number) => table.status(row),
    pipestat_created_time: (table: Table, row: number) => table.created(row),
    pipestat_modified_time: (table: Table, row: number) => table.modified(row),
  },
);

const SPECIAL_FIELDS: readonly string[] = Object.keys(SPECIAL);
