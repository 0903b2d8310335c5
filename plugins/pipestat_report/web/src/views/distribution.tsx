/** The distribution of one number: a histogram whose bars filter. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { App } from "../app.ts";
import type { Range } from "../model/conditions.ts";
import { edge, formatInteger, niceScale, plural, short, summarize, ticks } from "../model/numbers.ts";
import { stackedBins } from "../model/plots.ts";
import type { Field } from "../model/table.ts";
import { isNumeric } from "../model/values.ts";
import type { StatusCount } from "../parts/badge.tsx";
import { groupReader, useWidth } from "../parts/plots.tsx";

const TALL = 150;
const AXIS = 22;

export function Distribution(props: { app: App; field: Field; groups: readonly StatusCount[] }) {
  const { app, field, groups } = props;
  const { box, width } = useWidth();
  const rows = app.rows.value;
  const current = useSignal(-1);
  const { low, high } = field.summary!;
  const scale = useMemo(() => niceScale(low, high, 28), [field]);
  const bins = useMemo(
    () => stackedBins(field, rows, scale, groupReader(app, groups), groups.length || 1),
    [field, rows, groups.length],
  );
  const summary = useMemo(() => {
    const values = rows.map((row) => field.values[row]).filter(isNumeric);
    return summarize(values.map(Number));
  }, [field, rows]);
  const totals = bins.map((bin) => bin.reduce((sum, count) => sum + count, 0));
  const most = Math.max(1, ...totals);
  const [from, to] = [edge(scale, 0), edge(scale, scale.count)];
  const x = (value: number) => 6 + ((value - from) / (to - from)) * (width - 12);
  const base = TALL - AXIS;
  const tops = totals.map(() => base);
  const layers = (groups.length ? groups : [null]).map((group, i) => {
    const bars = bins.map((bin, b) => {
      const height = (bin[i]! / most) * (base - 10);
      if (!height) return "";
      const top = (tops[b]! -= height);
      const left = x(edge(scale, b)) + 0.5;
      const wide = Math.max(1, x(edge(scale, b + 1)) - left - 0.5);
      return `M${left.toFixed(1)} ${top.toFixed(1)}h${wide.toFixed(1)}v${height.toFixed(1)}h${-wide.toFixed(1)}z`;
    });
    return { className: group?.className ?? "plain", d: bars.join("") };
  });
  const range = (bin: number): Range => ({
    kind: "range",
    from: edge(scale, bin),
    to: edge(scale, bin + 1),
  });
  const choose = (bin: number) => totals[bin] && app.setCondition(field.name, range(bin));
  const binAt = (event: MouseEvent): number => {
    const left = (event.currentTarget as Element).getBoundingClientRect().left;
    const value = from + ((event.clientX - left - 6) / (width - 12)) * (to - from);
    const bin = Math.floor((value - from) / scale.step);
    return bin >= 0 && bin < scale.count ? bin : -1;
  };
  const sentence = summary
    ? `${field.name}: ${plural(summary.n, "value")} from ${short(summary.low)} to ` +
      `${short(summary.high)}, median ${short(summary.median)}`
    : `${field.name}: no values`;
  const said =
    current.value >= 0
      ? `${short(edge(scale, current.value))} to ${short(edge(scale, current.value + 1))}: ` +
        plural(totals[current.value] ?? 0, "record")
      : summary
        ? `median ${short(summary.median)} · n ${formatInteger(summary.n)}`
        : "no values";
  return (
    <section class="pcard" data-plot={field.name}>
      <h3>
        <b title={field.label}>{field.name}</b>
        <span aria-live={current.value >= 0 ? "polite" : "off"}>{said}</span>
      </h3>
      <div ref={box}>
        <svg
          width={width}
          height={TALL}
          tabindex={0}
          role="application"
          aria-roledescription="histogram"
          aria-label={`${sentence}. Arrow keys read the bars, Enter filters by one.`}
          onMouseMove={(event) => (current.value = binAt(event))}
          onMouseLeave={() => (current.value = -1)}
          onBlur={() => (current.value = -1)}
          onClick={(event) => choose(binAt(event))}
          onKeyDown={(event) => {
            const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
            if (by) current.value = Math.min(scale.count - 1, Math.max(0, current.value + by));
            else if (event.key === "Enter" && current.value >= 0) choose(current.value);
            else return;
            event.preventDefault();
            event.stopPropagation();
          }}
        >
          {width > 0 && (
            <>
              {current.value >= 0 && (
                <rect
                  class="over"
                  x={x(edge(scale, current.value))}
                  y="4"
                  width={x(edge(scale, current.value + 1)) - x(edge(scale, current.value))}
                  height={base - 4}
                />
              )}
              {layers.map((layer, i) => (
                <path key={i} class={`fill ${layer.className}`} d={layer.d} />
              ))}
              <path class="axis" d={`M2 ${base + 0.5}H${width - 2}`} />
              {summary && (
                <path class="median" d={`M${x(summary.median).toFixed(1)} ${base}v5`} />
              )}
              {ticks(from, to, width > 320 ? 5 : 3).map((tick) => (
                <text key={tick} x={x(tick)} y={TALL - 6} text-anchor={anchor(x(tick), width)}>
                  {short(tick)}
                </text>
              ))}
            </>
          )}
        </svg>
      </div>
    </section>
  );
}

const anchor = (x: number, width: number) =>
  x < 20 ? "start" : x > width - 20 ? "end" : "middle";
