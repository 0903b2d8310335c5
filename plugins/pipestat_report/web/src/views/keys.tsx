/** The keys of the page, and the list of them. */
import { useEffect, useRef } from "preact/hooks";
import { MOST_COMPARED, type App } from "../app.ts";
import { VIEWS } from "../model/state.ts";
import { IconButton } from "../parts/icons.tsx";

const LIST: [string[], string][] = [
  [["/"], "to the filter"],
  [["↑", "↓", "k", "j"], "move between records"],
  [["PgUp", "PgDn", "Home", "End"], "move far"],
  [["←", "→"], "scroll the table; in an image, the record before or after"],
  [["Alt", "←", "→"], "on a column's header: move the column"],
  [["Enter"], "open the record"],
  [["Space"], "select the record"],
  [["c"], "compare the selected"],
  [["d"], "compact rows"],
  [["f"], "facets"],
  [["1", "…", "5"], "Overview, Records, Gallery, Plots, Glossary"],
  [["Esc"], "close what is open"],
  [["?"], "this list"],
];

export function KeysDialog({ app }: { app: App }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = () => (app.keysShown.value = false);
  useEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog
      ref={dialog}
      aria-label="Keys"
      onClick={(event) => event.target === dialog.current && close()}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      <div class="dhead">
        <h2>Keys</h2>
        <IconButton icon="close" label="Close" onClick={close} />
      </div>
      <dl class="keys">
        {LIST.map(([keys, meaning]) => (
          <div key={meaning}>
            <dt>
              {keys.map((key) => (key === "…" ? "…" : <kbd key={key}>{key}</kbd>))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}

export function useKeys(app: App): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented) return;
      const target = event.target instanceof Element ? event.target : document.body;
      if (document.querySelector("dialog:modal") && event.key !== "j" && event.key !== "k") return;
      if (target.matches("input:not([type=checkbox]):not([type=range]), select, textarea")) {
        if (event.key === "Escape") (target as HTMLElement).blur();
        return;
      }
      if (general(app, event.key) || inTable(app, event.key, target)) event.preventDefault();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}

/** Keys that work everywhere; tells whether this is one. */
function general(app: App, key: string): boolean {
  const { view, record, selected, compact, facets } = app.state.value;
  const table = view === "records";
  if (key === "/") {
    if (!document.getElementById("where")) app.update({ view: "records" }, true);
    requestAnimationFrame(() => document.getElementById("where")?.focus());
  } else if (key === "?") app.keysShown.value = true;
  else if (key === "Escape") {
    if (record !== null) app.openRecord(null);
    else if (view === "compare") app.update({ view: "records" }, true);
    else if (selected.length) app.update({ selected: [] });
    else return false;
  } else if (/^[1-5]$/.test(key)) app.update({ view: VIEWS[Number(key) - 1]!, record: null }, true);
  else if (key === "d" && table) app.update({ compact: !compact });
  else if (key === "f" && table) app.update({ facets: !facets });
  else if (key === "c" && selected.length > 1 && selected.length <= MOST_COMPARED) {
    app.update({ view: "compare", record: null }, true);
  } else return false;
  return true;
}

/** Keys that move between records; tells whether this is one. */
function inTable(app: App, key: string, target: Element): boolean {
  const { view, record } = app.state.value;
  if (view !== "records" && record === null) return false;
  const grid = document.querySelector<HTMLElement>(".grid");
  const page = grid ? Math.max(1, Math.floor(grid.clientHeight / 36) - 2) : 10;
  const onTable = target === document.body || target.closest(".grid, main") !== null;
  const reading = target.closest(".db, .facets") !== null;
  const moves: Record<string, number> = { j: 1, k: -1 };
  if (!reading) Object.assign(moves, { ArrowDown: 1, ArrowUp: -1 });
  if (onTable && !reading) {
    Object.assign(moves, { PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity });
  }
  const by = moves[key];
  if (by !== undefined) {
    app.step(Number.isFinite(by) ? by : Math.sign(by) * app.rows.value.length);
    return true;
  }
  if (grid && !reading && (key === "ArrowLeft" || key === "ArrowRight")) {
    grid.scrollLeft += key === "ArrowRight" ? 120 : -120;
    return true;
  }
  if (target.closest("button, a, input, summary")) return false;
  const row = app.rows.value[app.cursor.value];
  if (row === undefined) return false;
  const id = app.report.samples.ids[row]!;
  if (key === "Enter") {
    app.openRecord(id);
    requestAnimationFrame(() => document.querySelector<HTMLElement>(".drawer h2")?.focus());
  } else if (key === " " || key === "x") app.toggle(id);
  else return false;
  return true;
}
