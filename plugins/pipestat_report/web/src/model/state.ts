/** What the page shows, and its form in the address: everything but the theme. */
import { conditionText, decodeText, readCondition, type Condition } from "./conditions.ts";
import { CREATED, ID, type Report } from "./report.ts";

export const VIEWS = ["overview", "records", "gallery", "plots", "glossary"] as const;
export type View = (typeof VIEWS)[number] | "compare";

export interface Sorting {
  key: string;
  descending: boolean;
}

export interface State {
  view: View;
  where: string;
  conditions: ReadonlyMap<string, Condition>;
  sort: readonly Sorting[];
  hidden: ReadonlySet<string>;
  /** The order of the columns, the record first. */
  order: readonly string[];
  record: string | null;
  selected: readonly string[];
  compact: boolean;
  facets: boolean;
  image: string | null;
  size: number;
  colour: "status" | "none";
  x: string | null;
  y: string | null;
  onlyDifferences: boolean;
  entry: string | null;
}

const SIZE = 220;
/** Two of them stand beside each other on a phone. */
const NARROW_SIZE = 160;
/** A longer selection would make an address that programs cut. */
const MOST_SELECTED = 100;

/** The state that a report opens in. */
export function initialState(report: Report, narrow: boolean): State {
  const [x, y] = report.numericFields;
  const views: Record<string, View> = { table: "records", gallery: "gallery" };
  return {
    view: views[report.data.mode ?? ""] ?? "overview",
    where: "",
    conditions: new Map(),
    sort: [],
    hidden: new Set([CREATED]),
    order: report.columns.map((column) => column.key),
    record: null,
    selected: [],
    compact: false,
    facets: !narrow,
    image: report.imageFields[0]?.name ?? null,
    size: narrow ? NARROW_SIZE : SIZE,
    colour: "status",
    x: x?.name ?? null,
    y: (y ?? x)?.name ?? null,
    onlyDifferences: false,
    entry: null,
  };
}

const joinNames = (names: Iterable<string>): string =>
  [...names].map(encodeURIComponent).join(",");
const splitNames = (text: string | null): string[] =>
  text ? text.split(",").map(decodeText) : [];

/** Returns the fragment of a state, with what differs from how the report opens. */
export function fragmentOf(state: State, initial: State): string {
  const params = new URLSearchParams();
  const put = (name: string, text: string, usual: string) => {
    if (text !== usual) params.set(name, text);
  };
  put("where", state.where, "");
  for (const [name, condition] of state.conditions) {
    params.set(`f.${name}`, conditionText(condition));
  }
  put("sort", state.sort.map(sortText).join(","), "");
  put("hide", joinNames(state.hidden), joinNames(initial.hidden));
  put("order", joinNames(state.order), joinNames(initial.order));
  put("rec", state.record ?? "", "");
  if (state.selected.length <= MOST_SELECTED) put("sel", joinNames(state.selected), "");
  put("rows", state.compact ? "compact" : "", "");
  put("facets", state.facets ? "1" : "0", initial.facets ? "1" : "0");
  put("img", state.image ?? "", initial.image ?? "");
  put("size", String(state.size), String(initial.size));
  put("colour", state.colour, initial.colour);
  put("x", state.x ?? "", initial.x ?? "");
  put("y", state.y ?? "", initial.y ?? "");
  put("diff", state.onlyDifferences ? "1" : "", "");
  put("entry", state.entry ?? "", "");
  const text = String(params).replaceAll("%2C", ",").replaceAll("%27", "'");
  return `#${state.view}${text && `?${text}`}`;
}

const sortText = ({ key, descending }: Sorting): string =>
  (descending ? "-" : "") + encodeURIComponent(key);

/** Returns the state of a fragment, and the names in it that the report does not have. */
export function readFragment(
  fragment: string,
  initial: State,
  report: Report,
): { state: State; unknown: string[] } {
  const unknown: string[] = [];
  const known = (name: string, has: (name: string) => boolean): boolean => {
    if (!has(name)) unknown.push(name);
    return has(name);
  };
  const mark = fragment.indexOf("?");
  const view = fragment.slice(1, mark < 0 ? undefined : mark);
  const params = new URLSearchParams(mark < 0 ? "" : fragment.slice(mark + 1));
  const isColumn = (name: string) => report.columnOf.has(name);
  const isRecord = (name: string) => report.samples.rowOf.has(name);
  const isNumeric = (name: string) => report.numericFields.some((field) => field.name === name);
  const isImage = (name: string) => report.imageFields.some((field) => field.name === name);
  const one = (param: string, has: (name: string) => boolean): string | null => {
    const name = params.get(param);
    return name !== null && known(name, has) ? name : null;
  };

  const state: State = { ...initial };
  if (view === "compare" || VIEWS.some((name) => name === view)) state.view = view as View;
  else if (view) unknown.push(view);
  state.where = params.get("where") ?? "";
  const conditions = new Map<string, Condition>();
  for (const [param, text] of params) {
    if (!param.startsWith("f.") || !known(param.slice(2), isColumn)) continue;
    const condition = readCondition(text);
    if (condition) conditions.set(param.slice(2), condition);
    else unknown.push(text);
  }
  state.conditions = conditions;
  state.sort = splitNames(params.get("sort"))
    .map((text) => ({ key: text.replace(/^-/, ""), descending: text.startsWith("-") }))
    .filter((sorting) => known(sorting.key, isColumn));
  if (params.has("hide")) {
    state.hidden = new Set(splitNames(params.get("hide")).filter((name) => known(name, isColumn)));
  }
  const order = splitNames(params.get("order")).filter((name) => known(name, isColumn));
  state.order = [...new Set([ID, ...order, ...initial.order])];
  state.record = one("rec", isRecord);
  state.selected = splitNames(params.get("sel")).filter((name) => known(name, isRecord));
  state.compact = params.get("rows") === "compact";
  if (params.has("facets")) state.facets = params.get("facets") === "1";
  state.image = one("img", isImage) ?? initial.image;
  state.size = Math.min(420, Math.max(120, Number(params.get("size")) || initial.size));
  if (params.get("colour") === "none") state.colour = "none";
  state.x = one("x", isNumeric) ?? initial.x;
  state.y = one("y", isNumeric) ?? initial.y;
  state.onlyDifferences = params.get("diff") === "1";
  state.entry = params.get("entry");
  return { state, unknown };
}
