/** The running page: its state, what follows from it, and the ways to change it. */
import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";
import type { Connection } from "./live/connection.ts";
import { parseFilter } from "./filter/parse.ts";
import { FilterError, formatFilter, names, type Filter } from "./filter/syntax.ts";
import { conditionFilter, type Condition } from "./model/conditions.ts";
import { ID, type Column, type Report } from "./model/report.ts";
import { matchRows, sortRows } from "./model/selection.ts";
import { fragmentOf, initialState, readFragment, type State } from "./model/state.ts";

export const MOST_COMPARED = 8;

export interface Shown {
  /** The row of an image and its place among the record's images of the field. */
  row: number;
  field: string;
  index: number;
  project: boolean;
}

interface Parsed {
  filter: Filter | null;
  error: FilterError | null;
  /** Names in the filter that are no results of this report. */
  unknown: readonly string[];
}

const PHONE = matchMedia("(max-width: 720px)");

export class App {
  /** How the report opens; new results come into it too. */
  initial: State;
  readonly state;
  /** What keeps the page up to date; null for a page in a file. */
  live: Connection | null = null;
  /** The row that the keyboard stands on, by its place among the shown rows; -1: none. */
  readonly cursor = signal(-1);
  readonly lightbox = signal<Shown | null>(null);
  readonly keysShown = signal(false);
  readonly message = signal<string | null>(null);
  readonly warning = signal<string | null>(null);
  readonly phone = signal(PHONE.matches);
  /** Whether the filter box has the focus: what is being written is no error yet. */
  readonly writing = signal(false);

  readonly parsed: ReadonlySignal<Parsed>;
  readonly matches;
  readonly rows: ReadonlySignal<readonly number[]>;
  readonly columns: ReadonlySignal<readonly Column[]>;
  /** Filter and conditions as one text in the filter language. */
  readonly wholeFilter: ReadonlySignal<string>;
  private lastValid: Filter | null = null;
  private messageTimer = 0;
  private addressTimer = 0;

  private readonly shownReport;

  constructor(report: Report) {
    this.shownReport = signal(report);
    this.initial = initialState(report, PHONE.matches);
    this.state = signal(this.readAddress());
    PHONE.addEventListener("change", () => (this.phone.value = PHONE.matches));
    addEventListener("popstate", () => this.follow());

    const part = <T>(read: (state: State) => T) => computed(() => read(this.state.value));
    const where = part((state) => state.where);
    const conditions = part((state) => state.conditions);
    const sort = part((state) => state.sort);
    const order = part((state) => state.order);
    const hidden = part((state) => state.hidden);
    this.parsed = computed(() => this.parse(where.value));
    const filter = computed(() => this.parsed.value.filter);
    this.matches = computed(() => matchRows(this.report.samples, filter.value, conditions.value));
    this.rows = computed(() => sortRows(this.report, this.matches.value.rows, sort.value));
    this.columns = computed(() =>
      order.value
        .filter((key) => key === ID || !hidden.value.has(key))
        .map((key) => this.report.columnOf.get(key)!),
    );
    this.wholeFilter = computed(() => {
      const parts = [...conditions.value].map(([name, one]) => conditionFilter(name, one));
      const operands = [filter.value, ...parts].filter((one) => one !== null);
      if (!operands.length) return "";
      return formatFilter({ kind: "and", operands });
    });
  }

  get report(): Report {
    return this.shownReport.value;
  }

  /** Shows a report in place of the one before, in the same state as far as it has the same. */
  replace(report: Report): void {
    const initial = initialState(report, PHONE.matches);
    const { state, was } = { state: this.state.value, was: this.initial };
    const { rowOf } = report.samples;
    const stood = this.report.samples.ids[this.rows.value[this.cursor.value] ?? -1];
    const isColumn = (key: string) => report.columnOf.has(key);
    const isNumeric = (name: string) => report.numericFields.some((field) => field.name === name);
    const isImage = (name: string) => report.imageFields.some((field) => field.name === name);
    const kept = (name: string | null, has: (name: string) => boolean, usual: string | null) =>
      name !== null && has(name) ? name : usual;
    const shown = this.sameImage(report);
    batch(() => {
      this.initial = initial;
      this.shownReport.value = report;
      this.state.value = {
        ...state,
        order:
          state.order.join() === was.order.join()
            ? initial.order
            : [...new Set([...state.order.filter(isColumn), ...initial.order])],
        hidden: new Set([...state.hidden].filter(isColumn)),
        sort: state.sort.filter(({ key }) => isColumn(key)),
        conditions: new Map([...state.conditions].filter(([key]) => isColumn(key))),
        record: state.record !== null && rowOf.has(state.record) ? state.record : null,
        selected: state.selected.filter((id) => rowOf.has(id)),
        image: kept(state.image, isImage, initial.image),
        x: kept(state.x, isNumeric, initial.x),
        y: kept(state.y, isNumeric, initial.y),
      };
      this.lightbox.value = shown;
      this.cursor.value = stood === undefined ? -1 : this.placeOf(stood);
    });
  }

  /** The image in the lightbox as another report has it: its record may stand in another row. */
  private sameImage(report: Report): Shown | null {
    const shown = this.lightbox.value;
    if (!shown) return null;
    const [old, table] = shown.project
      ? [this.report.project, report.project]
      : [this.report.samples, report.samples];
    const row = table?.rowOf.get(old?.ids[shown.row] ?? "");
    return row === undefined || !table!.media(row, shown.field)[shown.index] ? null : { ...shown, row };
  }

  /** Changes the state; `push` makes a step that the browser's back button undoes. */
  update(patch: Partial<State>, push = false): void {
    this.state.value = { ...this.state.value, ...patch };
    this.writeAddress(push);
  }

  private writeAddress(push: boolean): void {
    const fragment = this.link({});
    if (fragment === location.hash) return;
    clearTimeout(this.addressTimer);
    try {
      history[push ? "pushState" : "replaceState"](null, "", fragment);
    } catch {
      // Browsers refuse too many changes in a short time.
      this.addressTimer = window.setTimeout(() => this.writeAddress(false), 1000);
    }
  }

  /** The address of the state with a change. */
  link(patch: Partial<State>): string {
    return fragmentOf({ ...this.state.value, ...patch }, this.initial);
  }

  setCondition(name: string, condition: Condition | null): void {
    const conditions = new Map(this.state.value.conditions);
    const empty =
      !condition ||
      (condition.kind === "range"
        ? condition.from === null && condition.to === null
        : !condition.values.length && !condition.unreported);
    if (empty) conditions.delete(name);
    else conditions.set(name, condition);
    this.cursor.value = -1;
    this.update({ conditions });
  }

  clearFilter(): void {
    this.cursor.value = -1;
    this.update({ where: "", conditions: new Map() });
  }

  /** Sorts by a column: as is usual for it, the other way, not at all. */
  sortBy(column: Column, add: boolean): void {
    const { key } = column;
    const sort = this.state.value.sort;
    const present = sort.find((one) => one.key === key);
    const first = column.numeric;
    const next = !present
      ? { key, descending: first }
      : present.descending === first
        ? { key, descending: !first }
        : null;
    if (!add) return this.update({ sort: next ? [next] : [] });
    const others = sort.flatMap((one) => (one.key !== key ? [one] : next ? [next] : []));
    this.update({ sort: present || !next ? others : [...others, next] });
  }

  /** Puts a column before another one, or at the end; hidden columns keep their neighbours. */
  moveColumn(key: string, before: string | null): void {
    const order = this.state.value.order.filter((one) => one !== key);
    const place = before === null ? order.length : order.indexOf(before);
    order.splice(Math.max(1, place), 0, key);
    this.update({ order });
  }

  openRecord(id: string | null): void {
    const was = this.state.value.record;
    if (id !== null) this.cursor.value = this.placeOf(id);
    this.update({ record: id }, was === null && id !== null);
  }

  /** Moves the cursor, and the open record with it. */
  step(by: number): void {
    const rows = this.rows.value;
    if (!rows.length) return;
    const open = this.state.value.record;
    const from = open === null ? this.cursor.value : this.placeOf(open);
    const place = Math.min(rows.length - 1, Math.max(0, from + by));
    this.cursor.value = place;
    if (open !== null) this.update({ record: this.report.samples.ids[rows[place]!]! });
  }

  placeOf(id: string): number {
    return this.rows.value.indexOf(this.report.samples.rowOf.get(id) ?? -1);
  }

  toggle(id: string): void {
    const { selected } = this.state.value;
    this.update({
      selected: selected.includes(id) ? selected.filter((one) => one !== id) : [...selected, id],
    });
  }

  /** Selects from the cursor to a place, as a click with Shift does. */
  selectTo(place: number): void {
    const from = Math.max(0, this.cursor.value);
    const rows = this.rows.value.slice(Math.min(from, place), Math.max(from, place) + 1);
    const ids = rows.map((row) => this.report.samples.ids[row]!);
    this.update({ selected: [...new Set([...this.state.value.selected, ...ids])] });
  }

  say(text: string): void {
    this.message.value = text;
    clearTimeout(this.messageTimer);
    this.messageTimer = window.setTimeout(() => (this.message.value = null), 2400);
  }

  private parse(where: string): Parsed {
    if (!where.trim()) {
      this.lastValid = null;
      return { filter: null, error: null, unknown: [] };
    }
    try {
      const filter = parseFilter(where);
      this.lastValid = filter;
      const { byName, specialFields } = this.report.samples;
      const unknown = [...new Set(names(filter))].filter(
        (name) => !byName.has(name) && !specialFields.includes(name),
      );
      return { filter, error: null, unknown };
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      return { filter: this.lastValid, error, unknown: [] };
    }
  }

  private readAddress(): State {
    const { state, unknown } = readFragment(location.hash, this.initial, this.report);
    if (unknown.length) {
      const shown = unknown.slice(0, 4).map((name) => `“${name}”`);
      const more = unknown.length > 4 ? ` and ${unknown.length - 4} more` : "";
      this.warning.value =
        `The link names what this report does not have: ${shown.join(", ")}${more}.`;
    }
    return state;
  }

  private follow(): void {
    this.lightbox.value = null;
    const state = this.readAddress();
    this.state.value = state;
    this.cursor.value = state.record === null ? -1 : this.placeOf(state.record);
  }
}
