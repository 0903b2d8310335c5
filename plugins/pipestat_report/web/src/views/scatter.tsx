/** Two numbers against each other: a mark for each record, or the density of many. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { App } from "../app.ts";
import { formatFilter } from "../filter/syntax.ts";
import { conditionFilter, type Range } from "../model/conditions.ts";
import { edge, formatInteger, niceScale, plural, short, ticks } from "../model/numbers.ts";
import { densityOf, MOST_POINTS, pointsOf, type Point } from "../model/plots.ts";
import type { Field } from "../model/table.ts";
import type { StatusCount } from "../parts/badge.tsx";
import { groupReader, shape, useWidth } from "../parts/plots.tsx";
import { valueText } from "../parts/values.tsx";

const SCATTER = 368;
const MARGIN = { left: 56, right: 12, top: 12, bottom: 40 };

export function Scatter(props: { app: App; x: Field; y: Field; groups: readonly StatusCount[] }) {
  const { app, x, y, groups } = props;
  const { box, width } = useWidth();
  const rows = app.rows.value;
  const points = useMemo(() => pointsOf(x, y, rows), [x, y, rows]);
  const dense = points.length > MOST_POINTS;
  const select = (axis: "x" | "y", name: string) => (
    <select
      class="ctl"
      aria-label={`${axis} axis`}
      value={name}
      onChange={(event) => app.update({ [axis]: event.currentTarget.value })}
    >
      {app.report.numericFields.map((field) => (
        <option key={field.name} value={field.name}>
          {field.name}
        </option>
      ))}
    </select>
  );
  const drawing = { app, x, y, groups, points, width };
  return (
    <section class="pcard big" data-plot="scatter">
      <h3>
        <span class="ax">
          {select("y", y.name)} against {select("x", x.name)}
        </span>
        <span>
          n {formatInteger(points.length)}
          {dense && ", drawn as density"}
        </span>
      </h3>
      <div ref={box}>{width > 0 && (dense ? <Dense {...drawing} /> : <Marks {...drawing} />)}</div>
    </section>
  );
}

interface Drawing {
  app: App;
  x: Field;
  y: Field;
  groups: readonly StatusCount[];
  points: readonly Point[];
  width: number;
}

/** What the plot shows, for those who do not see it. */
function sentenceOf({ x, y, points }: Drawing): string {
  const range = ({ name, summary }: Field) =>
    `${name} from ${short(summary!.low)} to ${short(summary!.high)}`;
  return `${range(y)} against ${range(x)}, ${plural(points.length, "record")}`;
}

/** The plane of a scatter plot: from values to places. */
function planeOf({ x, y, width }: Drawing) {
  const across = niceScale(x.summary!.low, x.summary!.high, 48);
  const up = niceScale(y.summary!.low, y.summary!.high, 32);
  const [left, right] = [edge(across, 0), edge(across, across.count)];
  const [low, high] = [edge(up, 0), edge(up, up.count)];
  const [wide, tall] = [
    width - MARGIN.left - MARGIN.right,
    SCATTER - MARGIN.top - MARGIN.bottom,
  ];
  return {
    across,
    up,
    px: (value: number) => MARGIN.left + ((value - left) / (right - left)) * wide,
    py: (value: number) => MARGIN.top + (1 - (value - low) / (high - low)) * tall,
    xTicks: ticks(left, right, width > 500 ? 9 : 5),
    yTicks: ticks(low, high, 8),
  };
}

function Axes({ drawing, plane }: { drawing: Drawing; plane: ReturnType<typeof planeOf> }) {
  const { width, x } = drawing;
  const bottom = SCATTER - MARGIN.bottom;
  return (
    <>
      {plane.xTicks.map((tick) => (
        <g key={`x${tick}`}>
          <path class="rule" d={`M${plane.px(tick)} ${MARGIN.top}V${bottom}`} />
          <text x={plane.px(tick)} y={bottom + 16} text-anchor="middle">
            {short(tick)}
          </text>
        </g>
      ))}
      {plane.yTicks.map((tick) => (
        <g key={`y${tick}`}>
          <path class="rule" d={`M${MARGIN.left} ${plane.py(tick)}H${width - MARGIN.right}`} />
          <text x={MARGIN.left - 8} y={plane.py(tick) + 4} text-anchor="end">
            {short(tick)}
          </text>
        </g>
      ))}
      <text class="name" x={(MARGIN.left + width) / 2} y={SCATTER - 6} text-anchor="middle">
        {x.name}
      </text>
    </>
  );
}

function plotKeys(length: number, current: { value: number }, enter: (i: number) => void) {
  return (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
    const by = steps[event.key];
    if (by) current.value = Math.min(length - 1, Math.max(0, current.value + by));
    else if (event.key === "Enter" && current.value >= 0) enter(current.value);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

/** One mark for each record. */
function Marks(drawing: Drawing) {
  const { app, x, y, groups, points, width } = drawing;
  const current = useSignal(-1);
  const plane = planeOf(drawing);
  const group = groupReader(app, groups);
  const layers = (groups.length ? groups : [null]).map((one, i) => ({
    className: one?.className ?? "plain",
    d: points
      .filter((point) => group(point.row) === i)
      .map((point) => shape(i, plane.px(point.x), plane.py(point.y), 3.4))
      .join(""),
  }));
  const nearest = (event: MouseEvent): number => {
    const { left, top } = (event.currentTarget as Element).getBoundingClientRect();
    const [a, b] = [event.clientX - left, event.clientY - top];
    let best = -1;
    let distance = 144;
    points.forEach((point, i) => {
      const away = (plane.px(point.x) - a) ** 2 + (plane.py(point.y) - b) ** 2;
      if (away < distance) [best, distance] = [i, away];
    });
    return best;
  };
  const open = (i: number) => {
    const point = points[i];
    if (point) app.openRecord(app.report.samples.ids[point.row]!);
  };
  const point = points[current.value];
  const name = point && app.report.samples.ids[point.row];
  return (
    <div class="plot">
      <svg
        width={width}
        height={SCATTER}
        tabindex={0}
        role="application"
        aria-roledescription="scatter plot"
        aria-label={
          `${sentenceOf(drawing)}. ` +
          "Arrow keys go from point to point, Enter opens the record."
        }
        onMouseMove={(event) => (current.value = nearest(event))}
        onMouseLeave={() => (current.value = -1)}
        onBlur={() => (current.value = -1)}
        onClick={(event) => open(nearest(event))}
        onKeyDown={plotKeys(points.length, current, open)}
      >
        <Axes drawing={drawing} plane={plane} />
        {layers.map((layer, i) => (
          <path key={i} class={`fill marks ${layer.className}`} d={layer.d} />
        ))}
        {point && <circle class="ring" cx={plane.px(point.x)} cy={plane.py(point.y)} r="7" />}
      </svg>
      <div
        class="tip num"
        role="status"
        hidden={!point}
        style={point && tipPlace(plane.px(point.x), plane.py(point.y), width)}
      >
        {point && (
          <>
            <b>{name}</b>
            <br />
            {y.name} {valueText(y.values[point.row], y)}
            <br />
            {x.name} {valueText(x.values[point.row], x)}
          </>
        )}
      </div>
    </div>
  );
}

const tipPlace = (x: number, y: number, width: number) => ({
  left: `${Math.min(x + 12, width - 200)}px`,
  top: `${y + 12}px`,
});

/** Cells of the plane by how many records they hold, on a logarithmic scale. */
function Dense(drawing: Drawing) {
  const { app, x, y, points, width } = drawing;
  const current = useSignal(-1);
  const plane = planeOf(drawing);
  const { across, up } = plane;
  const cells = useMemo(() => densityOf(points, across, up), [points, width]);
  const most = Math.max(...cells.map((cell) => cell.count));
  const STEPS = 6;
  const layers = Array.from({ length: STEPS }, (_, step) =>
    cells
      .filter(({ count }) => levelOf(count, most, STEPS) === step)
      .map(({ column, line }) => {
        const [left, top] = [plane.px(edge(across, column)), plane.py(edge(up, line + 1))];
        const wide = plane.px(edge(across, column + 1)) - left;
        const tall = plane.py(edge(up, line)) - top;
        return `M${left.toFixed(1)} ${top.toFixed(1)}h${wide.toFixed(2)}v${tall.toFixed(2)}h${-wide.toFixed(2)}z`;
      })
      .join(""),
  );
  const rangeOf = (i: number): [Range, Range] => {
    const { column, line } = cells[i]!;
    return [
      { kind: "range", from: edge(across, column), to: edge(across, column + 1) },
      { kind: "range", from: edge(up, line), to: edge(up, line + 1) },
    ];
  };
  const choose = (i: number) => {
    if (!cells[i]) return;
    const [horizontal, vertical] = rangeOf(i);
    app.setCondition(x.name, horizontal);
    app.setCondition(y.name, vertical);
  };
  const cellAt = (event: MouseEvent): number => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const [a, b] = [event.clientX - box.left, event.clientY - box.top];
    return cells.findIndex(
      ({ column, line }) =>
        a >= plane.px(edge(across, column)) &&
        a < plane.px(edge(across, column + 1)) &&
        b < plane.py(edge(up, line)) &&
        b >= plane.py(edge(up, line + 1)),
    );
  };
  const cell = cells[current.value];
  const text = (i: number) =>
    rangeOf(i)
      .map((range, axis) => formatFilter(conditionFilter([x, y][axis]!.name, range)!))
      .join(" and ");
  return (
    <div class="plot">
      <svg
        width={width}
        height={SCATTER}
        tabindex={0}
        role="application"
        aria-roledescription="density plot"
        aria-label={
          `${sentenceOf(drawing)}, as density. ` +
          "Arrow keys go from cell to cell, Enter filters by one."
        }
        onMouseMove={(event) => (current.value = cellAt(event))}
        onMouseLeave={() => (current.value = -1)}
        onBlur={() => (current.value = -1)}
        onClick={(event) => choose(cellAt(event))}
        onKeyDown={plotKeys(cells.length, current, choose)}
      >
        <Axes drawing={drawing} plane={plane} />
        {layers.map((d, step) => (
          <path key={step} class={`dense d${step}`} d={d} />
        ))}
        {cell && (
          <rect
            class="ring"
            x={plane.px(edge(across, cell.column))}
            y={plane.py(edge(up, cell.line + 1))}
            width={plane.px(edge(across, cell.column + 1)) - plane.px(edge(across, cell.column))}
            height={plane.py(edge(up, cell.line)) - plane.py(edge(up, cell.line + 1))}
          />
        )}
      </svg>
      <div
        class="tip num"
        role="status"
        hidden={!cell}
        style={
          cell && tipPlace(plane.px(edge(across, cell.column)), plane.py(edge(up, cell.line)), width)
        }
      >
        {cell && (
          <>
            <b>{plural(cell.count, "record")}</b>
            <br />
            {text(current.value)}
          </>
        )}
      </div>
    </div>
  );
}

const levelOf = (count: number, most: number, steps: number): number =>
  most === 1 ? steps - 1 : Math.round((Math.log(count) / Math.log(most)) * (steps - 1));
