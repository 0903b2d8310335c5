/** The table: real rows, only those in sight and some more. */
import { Component } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { useComputed, useSignal } from "@preact/signals";
import type { App } from "../app.ts";
import { ID, STATUS, type Column, type Report } from "../model/report.ts";
import { Icon } from "../parts/icons.tsx";
import { Cell } from "./cells.tsx";
import { Mover } from "./moving.ts";

const HEADER = 36;
const SPARE = 8;

export function Grid({ app }: { app: App }) {
  const { report } = app;
  const box = useRef<HTMLDivElement>(null);
  const table = useRef<HTMLTableElement>(null);
  const first = useSignal(0);
  const count = useSignal(40);
  const left = useSignal(0);
  const right = useSignal(0);
  const { compact, sort, record } = app.state.value;
  const height = compact ? 28 : 36;
  const rows = app.rows.value;
  const columns = app.columns.value;
  const phone = app.phone.value;
  const selected = useComputed(() => new Set(app.state.value.selected)).value;
  const cursor = app.cursor.value;

  const widths = useMemo(
    () => columns.map((column) => columnWidth(column, phone)),
    [columns, phone],
  );
  const shown = useRef({ columns, widths });
  shown.current = { columns, widths };
  const mover = useMemo(() => new Mover(app, () => ({ box: box.current!, ...shown.current })), []);
  const look = () => {
    const grid = box.current;
    if (!grid) return;
    const top = Math.floor(grid.scrollTop / height);
    const seen = Math.ceil(grid.clientHeight / height) + 1;
    // Rows are drawn anew only when those that stand ready do not do any more.
    if (top < first.value || top + seen > first.value + count.value || count.value > seen * 4) {
      first.value = Math.max(0, top - SPARE);
      count.value = seen + 2 * SPARE;
    }
    // Of the columns only those in sight are drawn; the record's stands at the left.
    let [x, from, to] = [0, 1, columns.length];
    columns.forEach((_, i) => {
      if (x + widths[i]! <= grid.scrollLeft) from = Math.max(1, i + 1);
      if (x < grid.scrollLeft + grid.clientWidth) to = i + 1;
      x += widths[i]!;
    });
    left.value = from;
    right.value = to;
  };
  useLayoutEffect(look, [height, rows, widths]);
  useEffect(() => {
    const grid = box.current!;
    const watcher = new ResizeObserver(look);
    watcher.observe(grid);
    grid.addEventListener("scroll", look, { passive: true });
    return () => {
      watcher.disconnect();
      grid.removeEventListener("scroll", look);
    };
  }, [height, widths]);
  // A filter or an order that changes starts at the top; the first look keeps the open record.
  const drawn = useRef(false);
  useLayoutEffect(() => {
    if (drawn.current) box.current!.scrollTop = 0;
    else if (record !== null) app.cursor.value = app.placeOf(record);
    drawn.current = true;
  }, [rows]);
  useLayoutEffect(() => {
    if (cursor < 0) return;
    const grid = box.current!;
    const top = cursor * height;
    const room = grid.clientHeight - HEADER;
    if (top < grid.scrollTop) grid.scrollTop = top;
    else if (top + height > grid.scrollTop + room) grid.scrollTop = top + height - room;
    look();
  }, [cursor, height]);

  const start = Math.min(first.value, Math.max(0, rows.length - 1));
  const end = Math.min(rows.length, start + count.value);
  const place = (event: Event): number => {
    const row = (event.target as Element).closest<HTMLElement>("tr[data-place]");
    return row ? Number(row.dataset.place) : -1;
  };
  const onClick = (event: MouseEvent) => {
    const at = place(event);
    if (at < 0) return;
    const target = event.target as Element;
    const id = report.samples.ids[rows[at]!]!;
    const thumbnail = target.closest<HTMLElement>("[data-image]");
    if (target.closest("input")) {
      if (event.shiftKey) app.selectTo(at);
      else app.toggle(id);
      app.cursor.value = at;
    } else if (thumbnail) {
      const field = thumbnail.dataset.image!;
      app.lightbox.value = { row: rows[at]!, field, index: 0, project: false };
    } else if (target.closest("a")) return;
    else if (target.closest(".id") || record !== null || phone) app.openRecord(id);
    else app.cursor.value = at;
  };
  const onDblClick = (event: MouseEvent) => {
    const at = place(event);
    if (at >= 0 && !(event.target as Element).closest("input, button, a")) {
      app.openRecord(report.samples.ids[rows[at]!]!);
    }
  };
  const current = rows[cursor];
  return (
    <div class="grid" ref={box}>
      <table
        ref={table}
        class="start"
        role="grid"
        tabIndex={0}
        aria-label="Records"
        aria-rowcount={rows.length + 1}
        aria-colcount={columns.length}
        aria-multiselectable="true"
        aria-activedescendant={current === undefined ? undefined : `row${current}`}
        style={{ width: `${widths.reduce((sum, width) => sum + width, 0)}px` }}
        onClick={onClick}
        onDblClick={onDblClick}
      >
        <colgroup>
          {columns.map((column, i) => (
            <col key={column.key} style={{ width: `${widths[i]}px` }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Header key={column.key} app={app} column={column} sort={sort} mover={mover} />
            ))}
          </tr>
        </thead>
        <tbody class={compact ? "compact" : ""}>
          <Gap key="above" height={start * height} columns={columns.length} />
          {rows.slice(start, end).map((row, i) => (
            <Row
              key={row}
              report={report}
              row={row}
              place={start + i}
              columns={columns}
              left={left.value}
              right={right.value}
              selected={selected.has(report.samples.ids[row]!)}
              current={start + i === cursor || report.samples.ids[row] === record}
            />
          ))}
          <Gap key="below" height={(rows.length - end) * height} columns={columns.length} />
        </tbody>
      </table>
      <DropMark mover={mover} widths={widths} />
    </div>
  );
}

/** The line where a dragged column would stand. */
function DropMark({ mover, widths }: { mover: Mover; widths: readonly number[] }) {
  const moving = mover.moving.value;
  if (!moving) return null;
  const left = widths.slice(0, moving.to).reduce((sum, width) => sum + width, 0);
  return (
    <div
      class="dropmark"
      style={{ left: `${left - 1}px`, top: `${mover.top}px` }}
      aria-hidden="true"
    />
  );
}

function Gap({ height, columns }: { height: number; columns: number }) {
  if (height <= 0) return null;
  return (
    <tr class="gap" aria-hidden="true">
      <td colSpan={columns} style={{ height: `${height}px` }} />
    </tr>
  );
}

function columnWidth(column: Column, phone: boolean): number {
  if (!phone) return column.width;
  if (column.key === ID) return 150;
  if (column.key === STATUS) return 62;
  return column.numeric ? Math.max(92, Math.min(column.title.length * 7.2 + 22, 200)) : column.width;
}

function Header(props: {
  app: App;
  column: Column;
  sort: App["initial"]["sort"];
  mover: Mover;
}) {
  const { app, column, sort, mover } = props;
  const button = useRef<HTMLButtonElement>(null);
  const moves = column.key !== ID;
  const index = sort.findIndex((one) => one.key === column.key);
  const sorting = sort[index];
  const direction = sorting && (sorting.descending ? "descending" : "ascending");
  const about = [column.field?.label ?? column.title, column.field?.data.description];
  const hint = [
    "Click sorts; with Shift, by this column as well.",
    moves && "Drag moves it, as Alt with ← or →.",
  ];
  return (
    <th
      scope="col"
      data-column={column.key}
      class={`${column.numeric ? "r" : ""} ${mover.moving.value?.key === column.key ? "moving" : ""}`}
      aria-sort={direction}
    >
      {column.key === ID && <SelectAll app={app} />}
      <button
        ref={button}
        type="button"
        aria-keyshortcuts={moves ? "Alt+ArrowLeft Alt+ArrowRight" : undefined}
        onPointerDown={(event) => moves && mover.press(event, column.key)}
        onKeyDown={(event) => {
          // A header that is moved in the page loses the focus.
          if (moves && mover.key(event, column.key)) {
            requestAnimationFrame(() => button.current?.focus());
          }
        }}
        title={[...about, ...hint].filter(Boolean).join("\n")}
        onClick={(event) => app.sortBy(column, event.shiftKey)}
      >
        {column.field?.data.highlight && <Icon name="star" className="hl" />}
        <span class="nm">{column.title}</span>
        {sorting && (
          <span class="ar">
            <Icon name={sorting.descending ? "down" : "up"} />
            {sort.length > 1 && index + 1}
          </span>
        )}
      </button>
    </th>
  );
}

function SelectAll({ app }: { app: App }) {
  const rows = app.rows.value;
  const chosen = new Set(app.state.value.selected);
  const ids = rows.map((row) => app.report.samples.ids[row]!);
  const all = ids.every((id) => chosen.has(id));
  const toggle = () => {
    for (const id of ids) {
      if (all) chosen.delete(id);
      else chosen.add(id);
    }
    app.update({ selected: [...chosen] });
  };
  return (
    <input
      type="checkbox"
      class="all"
      checked={all}
      indeterminate={!all && chosen.size > 0}
      aria-label="Select all shown records"
      title="Select all shown records"
      onChange={toggle}
    />
  );
}

interface RowProps {
  report: Report;
  row: number;
  place: number;
  columns: readonly Column[];
  /** The columns from `left` up to `right` are drawn, and the first. */
  left: number;
  right: number;
  selected: boolean;
  current: boolean;
}

/** One record; drawn anew only when something about it changed. */
class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    const now = this.props;
    return (
      next.place !== now.place ||
      next.columns !== now.columns ||
      next.left !== now.left ||
      next.right !== now.right ||
      next.selected !== now.selected ||
      next.current !== now.current
    );
  }

  override render({ report, row, place, columns, left, right, selected, current }: RowProps) {
    const cell = (column: Column, index: number) => (
      <Cell
        key={column.key}
        report={report}
        column={column}
        index={index}
        row={row}
        selected={index === 0 && selected}
      />
    );
    return (
      <tr
        class={`row ${selected ? "on" : ""} ${current ? "cur" : ""}`}
        id={`row${row}`}
        data-place={place}
        aria-rowindex={place + 2}
        aria-selected={selected}
      >
        {cell(columns[0]!, 0)}
        {left > 1 && <td key="left" class="rest" colSpan={left - 1} aria-hidden="true" />}
        {columns.slice(left, right).map((column, i) => cell(column, left + i))}
        {right < columns.length && (
          <td key="right" class="rest" colSpan={columns.length - right} aria-hidden="true" />
        )}
      </tr>
    );
  }
}
