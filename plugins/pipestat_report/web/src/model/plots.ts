/** What the plots draw, apart from how. */
import { binOf, type Scale } from "./numbers.ts";
import type { Field } from "./table.ts";
import { isNumeric } from "./values.ts";

export interface Point {
  row: number;
  x: number;
  y: number;
}

/** More points than this are drawn as density. */
export const MOST_POINTS = 1500;

export function pointsOf(x: Field, y: Field, rows: readonly number[]): Point[] {
  const points: Point[] = [];
  for (const row of rows) {
    const a = x.values[row];
    const b = y.values[row];
    if (isNumeric(a) && isNumeric(b)) points.push({ row, x: Number(a), y: Number(b) });
  }
  return points.sort((p, q) => p.x - q.x || p.y - q.y);
}

/** How many points lie in one cell of the plane. */
export interface Density {
  column: number;
  line: number;
  count: number;
}

export function densityOf(points: readonly Point[], across: Scale, up: Scale): Density[] {
  const counts = new Map<number, number>();
  for (const { x, y } of points) {
    const cell = binOf(across, x) * up.count + binOf(up, y);
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => a[0] - b[0])
    .map(([cell, count]) => ({
      column: Math.floor(cell / up.count),
      line: cell % up.count,
      count,
    }));
}

/** The bin of each row's number; -1 where there is none. */
export function binsOf(field: Field, scale: Scale): Int16Array {
  return Int16Array.from(field.values, (value) =>
    isNumeric(value) ? binOf(scale, Number(value)) : -1,
  );
}

/** How many rows of each bin pass. */
export function countBins(
  bins: Int16Array,
  count: number,
  passes: (row: number) => boolean,
): number[] {
  const counts = new Array<number>(count).fill(0);
  for (let row = 0; row < bins.length; row++) {
    const bin = bins[row]!;
    if (bin >= 0 && passes(row)) counts[bin]!++;
  }
  return counts;
}

/** Counts by bin and group, for bars that stand on each other. */
export function stackedBins(
  field: Field,
  rows: readonly number[],
  scale: Scale,
  groupOf: (row: number) => number,
  groups: number,
): number[][] {
  const bins = Array.from({ length: scale.count }, () => new Array<number>(groups).fill(0));
  for (const row of rows) {
    const value = field.values[row];
    if (isNumeric(value)) bins[binOf(scale, Number(value))]![groupOf(row)]!++;
  }
  return bins;
}
