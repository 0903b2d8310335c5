/** The facets: what there is to choose from, with counts, and histograms with a brush. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { App } from "../app.ts";
import { parseNumber } from "../filter/parse.ts";
import type { Verdict } from "../model/document.ts";
import type { Choice } from "../model/conditions.ts";
import { edge, formatInteger, niceScale, short, type Scale } from "../model/numbers.ts";
import { binsOf, countBins } from "../model/plots.ts";
import { NOT_REPORTED, STATUS, VERDICTS } from "../model/report.ts";
import { apartFrom, offers, type Offer } from "../model/selection.ts";
import type { Field } from "../model/table.ts";
import type { Numeric } from "../model/values.ts";
import { StatusBadge, UnreportedBadge, VerdictBadge } from "../parts/badge.tsx";

const FIRST = 6;
const FEW = 8;
const MORE = 50;
/** A text result with more different values than this is no facet: each is a record's own. */
const MOST_VALUES = 2000;

export function Facets({ app }: { app: App }) {
  const verdict = app.report.samples.verdictField;
  const fields = useMemo(() => app.report.samples.fields.filter(isFacet), [app.report]);
  // The first ones stand at once, so that the table does; the others follow.
  const drawn = useSignal(FIRST);
  useEffect(() => {
    if (drawn.value >= fields.length) return;
    const timer = setTimeout(() => (drawn.value += FIRST), 30);
    return () => clearTimeout(timer);
  }, [drawn.value]);
  return (
    <aside class="facets" aria-label="Facets">
      <ChoiceFacet app={app} name={STATUS} first={app.report.statusNames} />
      {verdict !== null && <ChoiceFacet app={app} name={verdict} first={VERDICTS} />}
      {fields.slice(0, drawn.value).map((field) =>
        field.numeric ? (
          <RangeFacet key={field.name} app={app} field={field} />
        ) : (
          <ChoiceFacet key={field.name} app={app} name={field.name} first={NONE} />
        ),
      )}
    </aside>
  );
}
const NONE: readonly string[] = [];

function isFacet(field: Field): boolean {
  if (field.numeric) return field.summary !== null;
  if (field.data.kind === "boolean") return true;
  if (field.data.kind !== "string") return false;
  const different = new Set(field.values.filter((value) => typeof value === "string")).size;
  return different > 0 && different <= MOST_VALUES && different * 1.5 < Math.max(8, field.count);
}

function FacetTitle({ app, name }: { app: App; name: string }) {
  return (
    <h3>
      <span class="ell" title={app.report.samples.byName.get(name)?.label ?? name}>
        {name}
      </span>
      {app.state.value.conditions.has(name) && (
        <button
          type="button"
          class="btn quiet s"
          aria-label={`Clear ${name}`}
          onClick={() => app.setCondition(name, null)}
        >
          Clear
        </button>
      )}
    </h3>
  );
}

function ChoiceFacet(props: { app: App; name: string; first: readonly string[] }) {
  const { app, name, first } = props;
  const { samples } = app.report;
  const shown = useSignal(FEW + first.length);
  const matches = app.matches.value;
  const passes = apartFrom(matches, name);
  const found = useMemo(
    () => offers(samples.reader([name]), samples.reported, passes, first),
    [matches],
  );
  const condition = app.state.value.conditions.get(name);
  const chosen: Choice = condition?.kind === "choice" ? condition : { kind: "choice", values: [] };
  const toggle = (value: Offer["value"]) => {
    const values = chosen.values.includes(value)
      ? chosen.values.filter((one) => one !== value)
      : [...chosen.values, value];
    app.setCondition(name, { ...chosen, values });
  };
  const unreported = samples.ids.length - samples.reported;
  const rest = found.length - shown.value;
  return (
    <section class="facet" data-facet={name}>
      <FacetTitle app={app} name={name} />
      <ul>
        {found.slice(0, shown.value).map(({ value, count }) => (
          <li key={String(value)}>
            <label>
              <input
                type="checkbox"
                checked={chosen.values.includes(value)}
                onChange={() => toggle(value)}
              />
              <span class="ell" title={value === null ? "no value" : String(value)}>
                <OfferLabel app={app} name={name} value={value} />
              </span>
              <span class="c">{formatInteger(count)}</span>
            </label>
          </li>
        ))}
        {name === STATUS && unreported > 0 && (
          <li>
            <label>
              <input
                type="checkbox"
                checked={chosen.unreported === true}
                onChange={() =>
                  app.setCondition(name, { ...chosen, unreported: !chosen.unreported })
                }
              />
              <span title={NOT_REPORTED}>
                <UnreportedBadge />
              </span>
              <span class="c">{formatInteger(countUnreported(app, passes))}</span>
            </label>
          </li>
        )}
      </ul>
      {rest > 0 && (
        <button type="button" class="btn quiet s" onClick={() => (shown.value += MORE)}>
          {formatInteger(Math.min(rest, MORE))} more of {formatInteger(found.length)}
        </button>
      )}
    </section>
  );
}

function countUnreported(app: App, passes: (row: number) => boolean): number {
  const { ids, reported } = app.report.samples;
  let count = 0;
  for (let row = reported; row < ids.length; row++) if (passes(row)) count++;
  return count;
}

function OfferLabel({ app, name, value }: { app: App; name: string; value: Offer["value"] }) {
  if (value === null) return <span class="muted">no value</span>;
  if (typeof value === "boolean") return <>{value ? "yes" : "no"}</>;
  if (name === STATUS) return <StatusBadge report={app.report} status={value} />;
  if (name === app.report.samples.verdictField) {
    return <VerdictBadge verdict={value as Verdict} />;
  }
  return <>{value || <span class="muted">empty text</span>}</>;
}

const WIDTH = 232;
const HEIGHT = 44;
const BINS = 28;

function RangeFacet({ app, field }: { app: App; field: Field }) {
  const { name } = field;
  const scale = useMemo(() => {
    const { low, high } = field.summary!;
    return niceScale(field.data.kind === "integer" ? Math.min(0, low) : low, high, BINS);
  }, [field]);
  const bins = useMemo(() => binsOf(field, scale), [field]);
  const all = useMemo(() => countBins(bins, scale.count, () => true), [bins]);
  const matches = app.matches.value;
  const now = useMemo(
    () => countBins(bins, scale.count, apartFrom(matches, name)),
    [bins, matches],
  );
  const condition = app.state.value.conditions.get(name);
  const range = condition?.kind === "range" ? condition : null;
  const set = (from: Numeric | null, to: Numeric | null) =>
    app.setCondition(name, { kind: "range", from, to });
  const typed = (end: "from" | "to") => (event: Event) => {
    const text = (event.currentTarget as HTMLInputElement).value.replace(/\s/g, "");
    const number = text ? parseNumber(text) : null;
    set(end === "from" ? number : (range?.from ?? null), end === "to" ? number : (range?.to ?? null));
  };
  const last = scale.count;
  return (
    <section class="facet" data-facet={name}>
      <FacetTitle app={app} name={name} />
      <Brush
        name={name}
        scale={scale}
        all={all}
        now={now}
        range={range && [Number(range.from ?? edge(scale, 0)), Number(range.to ?? edge(scale, last))]}
        onChange={(ends) => (ends ? set(...ends) : app.setCondition(name, null))}
      />
      <div class="rng">
        {(["from", "to"] as const).map((end) => (
          <input
            key={end}
            inputMode="decimal"
            aria-label={`${name} ${end}`}
            placeholder={short(edge(scale, end === "from" ? 0 : last))}
            value={String(range?.[end] ?? "")}
            onChange={typed(end)}
          />
        ))}
      </div>
    </section>
  );
}

type Ends = [number, number];

/** A histogram on which a range is drawn: with the pointer, or with the arrow keys. */
function Brush(props: {
  name: string;
  scale: Scale;
  all: readonly number[];
  now: readonly number[];
  range: Ends | null;
  onChange: (ends: Ends | null) => void;
}) {
  const { name, scale, all, now, range, onChange } = props;
  const start = useRef<number | null>(null);
  const bin = WIDTH / scale.count;
  const most = Math.max(1, ...all);
  const bars = (counts: readonly number[]) =>
    counts
      .map((count, i) => {
        const height = (count / most) * HEIGHT;
        return count
          ? `M${(i * bin + 0.5).toFixed(2)} ${HEIGHT}v${-height.toFixed(2)}h${(bin - 1).toFixed(2)}V${HEIGHT}z`
          : "";
      })
      .join("");
  const at = (event: PointerEvent): number => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    return Math.round(share * scale.count);
  };
  const choose = (from: number, to: number) =>
    onChange([edge(scale, Math.min(from, to)), edge(scale, Math.max(from, to))]);
  const place = (value: number) =>
    Math.min(scale.count, Math.max(0, Math.round((value - scale.start) / scale.step)));
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (event.key === "Escape" && range) onChange(null);
    else if (by) {
      let from = range ? place(range[0]) : 0;
      let to = range ? place(range[1]) : scale.count;
      if (event.shiftKey) to = Math.max(from, Math.min(scale.count, to + by));
      else from = Math.min(to, Math.max(0, from + by));
      choose(from, to);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const x = (value: number) => ((value - scale.start) / (scale.step * scale.count)) * WIDTH;
  const [left, right] = range ? range.map((v) => Math.min(WIDTH, Math.max(0, x(v)))) : [0, 0];
  return (
    <svg
      class="hist"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      tabindex={0}
      role="application"
      aria-roledescription="range on a histogram"
      aria-label={`${name}: arrow keys move the lower end, with Shift the upper one`}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        start.current = at(event);
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (start.current !== null && at(event) !== start.current) choose(start.current, at(event));
      }}
      onPointerUp={(event) => {
        if (start.current === at(event) && range) onChange(null);
        start.current = null;
      }}
      onPointerCancel={() => (start.current = null)}
    >
      <path class="g" d={bars(all)} />
      <path class="f" d={bars(now)} />
      {range && (
        <rect class="b" x={left} y="0" width={Math.max(1, right! - left!)} height={HEIGHT} />
      )}
    </svg>
  );
}
