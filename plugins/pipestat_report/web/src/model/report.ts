/** The report of this page: its document as tables, and the columns that the table can show. */
import { formatPath } from "../filter/syntax.ts";
import type { ReportData, Verdict } from "./document.ts";
import { Field, Table } from "./table.ts";
import type { Found } from "./values.ts";

export interface Column {
  key: string;
  title: string;
  width: number;
  field: Field | null;
  /** Whether numbers stand right and sort from the largest. */
  numeric: boolean;
  read(row: number): Found;
}

export class Report {
  readonly samples: Table;
  readonly project: Table | null;
  readonly columns: readonly Column[];
  readonly columnOf: ReadonlyMap<string, Column>;
  readonly statusNames: readonly string[];
  readonly numericFields: readonly Field[];
  readonly imageFields: readonly Field[];
  readonly imageCount: number;

  constructor(
    readonly data: ReportData,
    private readonly thumbnails: string,
  ) {
    this.samples = new Table(data.samples, data.notReported);
    this.project = data.project && data.project.ids.length ? new Table(data.project) : null;
    this.statusNames = data.statuses.map((status) => status.name);
    const unreported = data.notReported.length ? [NOT_REPORTED] : [];
    this.columns = columnsOf(this.samples, [...this.statusNames, ...unreported]);
    this.columnOf = new Map(this.columns.map((column) => [column.key, column]));
    this.numericFields = this.samples.fields.filter((field) => field.numeric && field.summary);
    this.imageFields = this.samples.imageFields;
    this.imageCount = this.samples.imageCount;
  }

  /** The class of a status' colours. */
  statusClass(status: string | null): string {
    const index = status === null ? -1 : this.statusNames.indexOf(status);
    return index < 0 ? "sx" : `s${index}`;
  }

  thumbnail([start, length]: [number, number]): string {
    return `data:image/webp;base64,${this.thumbnails.slice(start, start + length)}`;
  }
}

/** The keys of columns that are no results; no result has such a name (spec/core.md). */
export const ID = "record_identifier";
export const STATUS = "status";
export const MODIFIED = "pipestat_modified_time";
export const CREATED = "pipestat_created_time";
export const MESSAGE = "meta";

/** The verdicts by severity, the worst first. */
export const VERDICTS: readonly Verdict[] = ["fail", "warn", "pass", "not judged"];

/** What is said of records that a workflow knows and that the store does not. */
export const NOT_REPORTED = "not reported";

function columnsOf(table: Table, statuses: readonly string[]): Column[] {
  const special = (key: string, title: string, width: number): Column => {
    const read = key === MESSAGE ? (row: number) => table.message(row) : table.reader([key]);
    return { key, title, width, field: null, numeric: false, read };
  };
  const results = table.fields.map((field) => ({
    key: field.name,
    title: field.name,
    width: widthOf(field),
    field,
    numeric: field.numeric,
    read: (row: number) => field.values[row],
  }));
  const highlighted = results.filter((column) => column.field.data.highlight);
  const others = results.filter((column) => !column.field.data.highlight);
  return [
    special(ID, "record", 200),
    special(STATUS, "status", statusWidth(statuses)),
    ...(table.verdictField === null ? [] : [special(table.verdictField, "verdict", 124)]),
    ...highlighted,
    ...others,
    special(MESSAGE, "status message", 260),
    special(MODIFIED, "modified", 144),
    special(CREATED, "created", 144),
  ];
}

const LONGEST_NAME = 240;

const statusWidth = (statuses: readonly string[]): number =>
  Math.min(LONGEST_NAME, Math.max(124, ...statuses.map((name) => name.length * 7 + 56)));

function widthOf(field: Field): number {
  const name = Math.min(LONGEST_NAME, field.name.length * 7.4 + 64);
  const widths: Partial<Record<string, number>> = {
    integer: 148,
    number: 148,
    image: 104,
    file: 210,
    object: 190,
    array: 160,
    boolean: 88,
  };
  return Math.round(Math.max(widths[field.data.kind] ?? 140, name));
}

/** The text of a field's name in a filter. */
export const filterName = (name: string): string => formatPath([name]);
