/** The document that a page carries, as `document.py` writes it. */

export type Kind =
  | "integer"
  | "number"
  | "string"
  | "boolean"
  | "array"
  | "object"
  | "file"
  | "image"
  | "null"
  | "mixed";

export interface FieldData {
  name: string;
  kind: Kind;
  declared?: boolean;
  highlight?: boolean;
  title?: string;
  description?: string;
  limits?: { enum?: unknown[]; minimum?: number; maximum?: number };
  keys?: Record<string, string | string[] | null>;
}

export interface ColumnData {
  values: unknown[];
  /** The rows that the values belong to; without it there is one for each row. */
  rows?: number[];
  /** The rows where a null was reported. */
  nulls?: number[];
}

export interface Media {
  kind: "file" | "image";
  /** What leads to it inside the value. */
  keys?: (string | number)[];
  href?: string;
  /** Where it is, when no browser can follow that. */
  address?: string;
  missing?: boolean;
  /** Whether a browser shows what `href` leads to. */
  shown?: boolean;
  /** Start and length among the thumbnails. */
  thumbnail?: [number, number];
}

/** A value that was replaced or removed at a time. */
export type Earlier = [time: string, value: unknown];

export type Verdict = "fail" | "warn" | "pass" | "not judged";

/** What the QC rules say, where there are any; `field` is what filters call the verdict. */
export interface VerdictData {
  field: string;
  values: Verdict[];
  reasons: Record<string, [severity: Verdict, text: string][]>;
}

export interface TableData {
  fields: FieldData[];
  ids: string[];
  status: (string | null)[];
  /** Since when a record has its status, where the store knows. */
  since: Record<string, string>;
  verdicts: VerdictData | null;
  messages: Record<string, string>;
  sources: Record<string, unknown>;
  created: (string | null)[];
  modified: (string | null)[];
  columns: ColumnData[];
  history: Record<string, Record<string, Earlier[]>>;
  media: Record<string, Record<string, Media[]>>;
}

export interface ReportData {
  format: 1;
  pipeline: string;
  title: string;
  description: string | null;
  built: string;
  tool: string;
  place: string | null;
  /** The file or address of the output schema. */
  schema: string | null;
  mode: "table" | "gallery" | null;
  statuses: { name: string; description: string }[];
  samples: TableData;
  project: TableData | null;
  notReported: string[];
  /** How many stores the server of a live page has. */
  stores?: number;
  /** Which of the store's records a live page shows, when these are not all. */
  part?: { total: number; where: string | null; cursor: string | null; next: string | null } | null;
  thumbnails: {
    embedded: number;
    leftOut: number;
    unreadable: number;
    /** Images at addresses that were not read, and whether they were asked for. */
    notFetched: number;
    asked: boolean;
    budget: number;
    library: boolean;
  };
}

/** Reads the document: base64 of gzip of JSON. */
export async function readDocument(base64: string): Promise<ReportData> {
  const packed = Uint8Array.from(atob(base64), (unit) => unit.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return (await new Response(unpacked).json()) as ReportData;
}
