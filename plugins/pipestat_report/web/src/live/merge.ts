/** Puts records that have changed into a document: whole rows, in the order of identifiers. */
import type {
  ColumnData,
  FieldData,
  Kind,
  ReportData,
  TableData,
  Verdict,
  VerdictData,
} from "../model/document.ts";
import { compareText } from "../model/values.ts";

/** What a server tells of a change: records as they are now, and names of those that are gone. */
export interface Change {
  sample: TableData | null;
  project: TableData | null;
  removed: { sample: string[]; project: string[] };
  time: string;
}

/** Returns a new document; the old one stays as it is. */
export function mergeChange(data: ReportData, change: Change): ReportData {
  return {
    ...data,
    built: change.time,
    samples: mergeTable(data.samples, change.sample, change.removed.sample),
    project:
      (data.project ?? change.project)
        ? mergeTable(data.project ?? EMPTY, change.project, change.removed.project)
        : null,
  };
}

const EMPTY: TableData = {
  fields: [],
  ids: [],
  status: [],
  verdicts: null,
  since: {},
  messages: {},
  sources: {},
  created: [],
  modified: [],
  columns: [],
  history: {},
  media: {},
};

/** Where a row of the new table comes from. */
interface Origin {
  table: TableData;
  row: number;
}

export function mergeTable(
  before: TableData,
  change: TableData | null,
  removed: readonly string[],
): TableData {
  const origins = new Map<string, Origin>();
  before.ids.forEach((id, row) => origins.set(id, { table: before, row }));
  for (const id of removed) origins.delete(id);
  change?.ids.forEach((id, row) => origins.set(id, { table: change, row }));
  const ids = [...origins.keys()].sort(compareText);
  const rows = ids.map((id) => origins.get(id)!);

  const pick = <T>(read: (table: TableData) => T[]): T[] =>
    rows.map(({ table, row }) => read(table)[row]!);
  const pickSome = <T>(read: (table: TableData) => Record<string, T> | undefined) => {
    const found: Record<string, T> = {};
    rows.forEach(({ table, row }, i) => {
      const one = read(table)?.[row];
      if (one !== undefined) found[i] = one;
    });
    return found;
  };
  const fields = mergeFields(before.fields, change?.fields ?? []);
  const media = [...new Set([...Object.keys(before.media), ...Object.keys(change?.media ?? {})])];
  return {
    fields,
    ids,
    status: pick((table) => table.status),
    verdicts: mergeVerdicts(before, change, rows),
    since: pickSome((table) => table.since),
    messages: pickSome((table) => table.messages),
    sources: pickSome((table) => table.sources),
    created: pick((table) => table.created),
    modified: pick((table) => table.modified),
    columns: fields.map(({ name }) => mergeColumn(name, rows)),
    history: pickSome((table) => table.history),
    media: Object.fromEntries(media.map((name) => [name, pickSome((table) => table.media[name])])),
  };
}

/** The verdicts on all rows; there are rules for every record, or for none. */
function mergeVerdicts(
  before: TableData,
  change: TableData | null,
  rows: readonly Origin[],
): VerdictData | null {
  const field = (change?.verdicts ?? before.verdicts)?.field;
  if (field === undefined) return null;
  const reasons: VerdictData["reasons"] = {};
  const values = rows.map(({ table, row }, i): Verdict => {
    const found = table.verdicts?.reasons[row];
    if (found) reasons[i] = found;
    return table.verdicts?.values[row] ?? "not judged";
  });
  return { field, values, reasons };
}

/** The fields of both, the old ones first; a kind that both values have. */
function mergeFields(before: readonly FieldData[], change: readonly FieldData[]): FieldData[] {
  const known = new Map(before.map((field) => [field.name, field]));
  for (const field of change) {
    const old = known.get(field.name);
    if (!old) known.set(field.name, field);
    else if (old.kind !== field.kind) {
      known.set(field.name, { ...old, kind: commonKind(old.kind, field.kind) });
    }
  }
  return [...known.values()];
}

const commonKind = (one: Kind, other: Kind): Kind => {
  const both = new Set([one, other]);
  if (both.has("null")) return one === "null" ? other : one;
  return both.has("integer") && both.has("number") ? "number" : "mixed";
};

type Cell = (row: number) => unknown;
const ABSENT = Symbol("not reported");

function mergeColumn(name: string, rows: readonly Origin[]): ColumnData {
  const readers = new Map<TableData, Cell>();
  const values: unknown[] = [];
  const nulls: number[] = [];
  rows.forEach(({ table, row }, i) => {
    let read = readers.get(table);
    if (!read) readers.set(table, (read = cells(table, name)));
    const value = read(row);
    values.push(value === ABSENT ? null : value);
    if (value === null) nulls.push(i);
  });
  return nulls.length ? { values, nulls } : { values };
}

/** Reads a column of a table; what was not reported is ABSENT, a reported null null. */
function cells(table: TableData, name: string): Cell {
  const index = table.fields.findIndex((field) => field.name === name);
  if (index < 0) return () => ABSENT;
  const { values, rows, nulls } = table.columns[index]!;
  if (rows) {
    const known = new Map(rows.map((row, i) => [row, values[i]]));
    return (row) => (known.has(row) ? known.get(row) : ABSENT);
  }
  const reported = new Set(nulls);
  return (row) => (values[row] === null && !reported.has(row) ? ABSENT : values[row]);
}
