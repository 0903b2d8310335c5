/** Summaries and bins of numbers, and how numbers are written. */

export interface Summary {
  n: number;
  low: number;
  high: number;
  median: number;
  quarter: number;
  threeQuarters: number;
}

export function summarize(numbers: number[]): Summary | null {
  if (!numbers.length) return null;
  const sorted = Float64Array.from(numbers).sort();
  const n = sorted.length;
  const quantile = (share: number) => {
    const place = (n - 1) * share;
    const below = Math.floor(place);
    const low = sorted[below]!;
    return low + (sorted[Math.min(below + 1, n - 1)]! - low) * (place - below);
  };
  return {
    n,
    low: sorted[0]!,
    high: sorted[n - 1]!,
    median: quantile(0.5),
    quarter: quantile(0.25),
    threeQuarters: quantile(0.75),
  };
}

/** Equal steps from `start`, each `step` wide, of round numbers; `edges` are their ends. */
export interface Scale {
  start: number;
  step: number;
  count: number;
  edges: readonly number[];
}

export function niceScale(low: number, high: number, most: number): Scale {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / most));
  const step = [1, 2, 2.5, 5, 10, 20].map((m) => m * power).find((s) => span / s <= most)!;
  const start = Math.floor(low / step + 1e-9) * step;
  const count = Math.max(1, Math.floor((high - start) / step + 1e-9) + 1);
  // Without the dust of floating point; one more than there are ends, for the last tick.
  const edges = Array.from({ length: count + 2 }, (_, i) =>
    Number((start + i * step).toPrecision(15)),
  );
  return { start, step, count, edges };
}

/** The edge of a bin, the last one being `scale.count`. */
export const edge = (scale: Scale, index: number): number => scale.edges[index]!;

export function binOf({ start, step, count, edges }: Scale, value: number): number {
  let bin = Math.min(count - 1, Math.max(0, Math.floor((value - start) / step)));
  // The edges are what filters compare with, so they decide.
  if (value >= edges[bin + 1]!) bin++;
  else if (value < edges[bin]!) bin--;
  return Math.min(count - 1, Math.max(0, bin));
}

export function ticks(low: number, high: number, most: number): number[] {
  const scale = niceScale(low, high, most);
  const found = [];
  for (let i = 0; i <= scale.count + 1; i++) {
    const tick = edge(scale, i);
    if (tick >= low && tick <= high) found.push(tick);
  }
  return found;
}

const THIN_SPACE = "\u202f";
const grouped = (text: string): string => {
  const [whole, rest] = text.split(".");
  return whole!.replace(/\B(?=(\d{3})+(?!\d))/g, THIN_SPACE) + (rest ? `.${rest}` : "");
};

/** A count or an integer, with thin spaces between thousands. */
export const formatInteger = (value: number | bigint): string => {
  const text = String(value);
  return /^-?\d+$/.test(text) ? grouped(text) : text;
};

/** A number with so many decimals; very large and very small ones with an exponent. */
export function formatNumber(value: number | bigint, decimals: number): string {
  if (typeof value === "bigint" || (Number.isInteger(value) && decimals === 0)) {
    return formatInteger(value);
  }
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 0.5 * 10 ** -decimals)) {
    return String(Number(value.toPrecision(4)));
  }
  return grouped(value.toFixed(decimals));
}

/** How many decimals a column of numbers needs to tell its values apart, at most six. */
export function decimalsFor(numbers: Iterable<number>, summary: Summary | null): number {
  if (!summary) return 0;
  const span = summary.high - summary.low || Math.abs(summary.high) || 1;
  const wanted = Math.min(6, Math.max(0, 3 - Math.ceil(Math.log10(span))));
  let needed = 0;
  for (const number of numbers) {
    if (needed >= wanted) break;
    if (Number.isInteger(number)) continue;
    const text = String(number);
    const point = text.indexOf(".");
    needed = Math.max(needed, text.includes("e") ? wanted : text.length - point - 1);
  }
  return Math.min(needed, wanted);
}

/** A few digits and a letter, for axes and small labels. */
export function short(value: number): string {
  const size = Math.abs(value);
  const scaled = (factor: number, unit: string) =>
    `${Number((value / factor).toPrecision(3))}${THIN_SPACE}${unit}`;
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return value.toExponential(1).replace("e+", "e");
  if (size >= 1e12) return scaled(1e12, "T");
  if (size >= 1e9) return scaled(1e9, "G");
  if (size >= 1e6) return scaled(1e6, "M");
  if (size >= 1e4) return scaled(1e3, "k");
  return String(Number(value.toPrecision(4)));
}

export const plural = (count: number, word: string): string =>
  `${formatInteger(count)} ${word}${count === 1 ? "" : "s"}`;

/** A time to the minute, UTC. */
export const formatTime = (time: string | null): string =>
  time === null ? "–" : `${time.slice(0, 10)} ${time.slice(11, 16)}`;
