/** The menus of columns and of exports. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { App } from "../app.ts";
import { exportText, MEDIA_TYPES, type Format } from "../model/exports.ts";
import { formatInteger, plural } from "../model/numbers.ts";
import { ID, STATUS } from "../model/report.ts";
import { copy } from "../parts/clipboard.ts";
import { Icon, IconButton, type IconName } from "../parts/icons.tsx";

function Menu(props: {
  icon: IconName;
  label: string;
  end?: boolean;
  children: (close: () => void) => ComponentChildren;
}) {
  const open = useSignal(false);
  const root = useRef<HTMLDivElement>(null);
  const close = () => {
    open.value = false;
    root.current?.querySelector("button")?.focus();
  };
  useEffect(() => {
    if (!open.value) return;
    root.current?.querySelector<HTMLElement>(".menu button, .menu input")?.focus();
    const outside = (event: MouseEvent) => {
      if (!root.current?.contains(event.target as Node)) open.value = false;
    };
    document.addEventListener("mousedown", outside);
    return () => document.removeEventListener("mousedown", outside);
  }, [open.value]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!open.value) return;
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const items = [...root.current!.querySelectorAll<HTMLElement>(".menu button, .menu input")];
      const by = event.key === "ArrowDown" ? 1 : -1;
      const from = items.indexOf(document.activeElement as HTMLElement);
      items[(from + by + items.length) % items.length]?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class={`mw ${props.end ? "end" : ""}`} ref={root} onKeyDown={onKeyDown}>
      <button
        type="button"
        class="btn"
        aria-expanded={open.value}
        onClick={() => (open.value = !open.value)}
      >
        <Icon name={props.icon} />
        {props.label}
      </button>
      {open.value && <div class="menu">{props.children(close)}</div>}
    </div>
  );
}

export function ColumnMenu({ app }: { app: App }) {
  const { report } = app;
  const { hidden, order } = app.state.value;
  const choose = (keys: Iterable<string>) => app.update({ hidden: new Set(keys) });
  const toggle = (key: string) => {
    const next = new Set(hidden);
    if (!next.delete(key)) next.add(key);
    choose(next);
  };
  const move = (key: string, by: number) => {
    const from = order.indexOf(key);
    app.moveColumn(key, order[by > 0 ? from + 2 : Math.max(1, from - 1)] ?? null);
  };
  const others = report.columns.filter(
    ({ key, field }) => key !== ID && key !== STATUS && !field?.data.highlight,
  );
  return (
    <Menu icon="columns" label="Columns">
      {() => (
        <>
          <h3>Columns</h3>
          <div class="sets">
            <button class="btn s" type="button" onClick={() => choose(others.map((c) => c.key))}>
              Highlights
            </button>
            <button class="btn s" type="button" onClick={() => choose([])}>
              All
            </button>
            <button
              class="btn s"
              type="button"
              onClick={() => app.update({ hidden: app.initial.hidden, order: app.initial.order })}
            >
              Default
            </button>
          </div>
          {order.slice(1).map((key) => {
            const column = report.columnOf.get(key)!;
            return (
              <div class="mi" key={key}>
                <label>
                  <input type="checkbox" checked={!hidden.has(key)} onChange={() => toggle(key)} />
                  <span class="ell" title={column.field?.label ?? column.title}>
                    {column.title}
                  </span>
                </label>
                <span class="d">{column.field?.data.kind}</span>
                <IconButton
                  icon="up"
                  label={`Move ${column.title} to the left`}
                  onClick={() => move(key, -1)}
                />
                <IconButton
                  icon="down"
                  label={`Move ${column.title} to the right`}
                  onClick={() => move(key, 1)}
                />
              </div>
            );
          })}
        </>
      )}
    </Menu>
  );
}

const FORMATS: [Format, string][] = [
  ["csv", "comma separated"],
  ["tsv", "tab separated"],
  ["json", "with nested objects"],
];

export function ExportMenu({ app }: { app: App }) {
  const { data } = app.report;
  const count = plural(app.rows.value.length, "record");
  const columns = formatInteger(app.columns.value.length);
  const command = () => {
    const filter = app.wholeFilter.value;
    const where = filter && ` --where ${shellQuoted(filter)}`;
    // The output schema knows the verdict.
    const judged = app.report.samples.verdictField !== null;
    const schema = judged ? ` -s ${shellQuoted(data.schema ?? "schema.yaml")}` : "";
    return `pipestat-spec select -f ${shellQuoted(data.place ?? "results.yaml")}${schema}${where}`;
  };
  return (
    <Menu icon="export" label="Export" end>
      {(close) => (
        <>
          <h3 class="num">
            {count}, {columns} columns, as shown
          </h3>
          {FORMATS.map(([format, about]) => (
            <button
              key={format}
              type="button"
              class="mi"
              onClick={() => {
                download(app, format);
                close();
              }}
            >
              {format.toUpperCase()}
              <span class="d">{about}</span>
            </button>
          ))}
          <hr />
          <button
            type="button"
            class="mi"
            onClick={() => {
              close();
              void copy(app, command(), "Command copied");
            }}
          >
            Copy as command<span class="d">pipestat-spec select</span>
          </button>
          <button
            type="button"
            class="mi"
            onClick={() => {
              close();
              void copy(app, location.href, "Link copied");
            }}
          >
            Copy link to this view
          </button>
          <button
            type="button"
            class="mi"
            onClick={() => {
              close();
              window.print();
            }}
          >
            Print
          </button>
        </>
      )}
    </Menu>
  );
}

const shellQuoted = (text: string): string =>
  /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

function download(app: App, format: Format): void {
  const rows = app.rows.value;
  const text = exportText(format, app.columns.value, rows);
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(new Blob([text], { type: MEDIA_TYPES[format] }));
  anchor.download = `${app.report.data.pipeline}.${format}`;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
  app.say(`${plural(rows.length, "record")} written to ${anchor.download}`);
}
