/** What all plots share: marks, groups, and the room that there is. */
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { App } from "../app.ts";
import type { StatusCount } from "./badge.tsx";

/** Marks differ in shape as well as in colour. */
export function shape(group: number, x: number, y: number, size: number): string {
  const [a, b] = [x.toFixed(1), y.toFixed(1)];
  switch (group % 4) {
    case 0:
      return `M${(x - size).toFixed(1)} ${b}a${size} ${size} 0 1 0 ${2 * size} 0a${size} ${size} 0 1 0 ${-2 * size} 0`;
    case 1:
      return `M${a} ${(y - size * 1.2).toFixed(1)}l${size * 1.2} ${size * 2.1}h${-size * 2.4}z`;
    case 2:
      return `M${(x - size).toFixed(1)} ${(y - size).toFixed(1)}h${2 * size}v${2 * size}h${-2 * size}z`;
    default:
      return `M${a} ${(y - size * 1.3).toFixed(1)}l${size * 1.2} ${size * 1.3}l${-size * 1.2} ${size * 1.3}l${-size * 1.2} ${-size * 1.3}z`;
  }
}

export function groupReader(app: App, groups: readonly StatusCount[]): (row: number) => number {
  const { samples } = app.report;
  const places = new Map(groups.map((group, i) => [group.status, i]));
  if (!groups.length) return () => 0;
  return (row) => places.get(row >= samples.reported ? undefined : samples.status(row)) ?? 0;
}

export function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useLayoutEffect(() => {
    const measure = () => (width.value = box.current!.clientWidth);
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(box.current!);
    return () => watcher.disconnect();
  }, []);
  return { box, width: width.value };
}
