/** What is shown, as CSV, TSV or JSON. */
import type { Column } from "./report.ts";
import { MESSAGE } from "./report.ts";
import { isObject, toJSON, type Found, type Value } from "./values.ts";

export type Format = "csv" | "tsv" | "json";

export const MEDIA_TYPES: Record<Format, string> = {
  csv: "text/csv",
  tsv: "text/tab-separated-values",
  json: "application/json",
};

export const columnName = (column: Column): string =>
  column.key === MESSAGE ? "status_message" : column.key;

export function exportText(
  format: Format,
  columns: readonly Column[],
  rows: readonly number[],
): string {
  if (format === "json") {
    const records = rows.map((row): Value => {
      const reported: [string, Value][] = [];
      for (const column of columns) {
        const value = column.read(row);
        if (value !== undefined) reported.push([columnName(column), value]);
      }
      return Object.fromEntries(reported);
    });
    return `${toJSON(records, 1)}\n`;
  }
  const quote = format === "csv" ? quoteForCSV : quoteForTSV;
  const separator = format === "csv" ? "," : "\t";
  const line = (cells: string[]) => cells.map((text) => quote(harmless(text))).join(separator);
  const lines = rows.map((row) => line(columns.map((column) => cellText(column.read(row)))));
  return `${[line(columns.map(columnName)), ...lines].join("\n")}\n`;
}

/** A value as the text of a cell: of a file its path, of other objects and arrays JSON. */
function cellText(value: Found): string {
  if (value === undefined || value === null) return "";
  if (isObject(value) && typeof value.path === "string") return value.path;
  return typeof value === "object" ? toJSON(value) : String(value);
}

/** A text that a spreadsheet would run gets a quote before it; numbers stay what they are. */
const harmless = (text: string): string =>
  /^(?:[=@\t\r]|[+-](?!\d+(?:\.\d*)?(?:e[+-]?\d+)?$).)/i.test(text) ? `'${text}` : text;

const quoteForCSV = (text: string): string =>
  /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
const quoteForTSV = (text: string): string => text.replace(/[\t\n\r]/g, " ");
