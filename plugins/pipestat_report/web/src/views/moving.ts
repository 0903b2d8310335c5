/** Moving a column: by dragging its header, or with Alt and an arrow key. */
import { signal } from "@preact/signals";
import type { App } from "../app.ts";
import type { Column } from "../model/report.ts";

/** A press that goes further than this is no click. */
const STILL = 5;
/** So near to an edge the table scrolls, so many pixels a step. */
const EDGE = 48;
const STEP = 14;

/** The column that is dragged, and the place among the shown columns where it would stand. */
export interface Moving {
  key: string;
  to: number;
}

export class Mover {
  readonly moving = signal<Moving | null>(null);
  private stop: (() => void) | null = null;

  constructor(
    private readonly app: App,
    /** The box that scrolls, and the shown columns with their widths. */
    private readonly look: () => { box: HTMLElement; columns: readonly Column[]; widths: number[] },
  ) {}

  /** How far the table is scrolled down. */
  get top(): number {
    return this.look().box.scrollTop;
  }

  /** Follows a pointer that was pressed on a header; a press that does not move stays a click. */
  press(event: PointerEvent, key: string): void {
    // A finger scrolls; the menu of columns has buttons for it.
    if (event.button !== 0 || event.pointerType === "touch") return;
    this.stop?.();
    const start = event.clientX;
    let x = start;
    let timer = 0;
    const follow = () => {
      this.moving.value = { key, to: this.placeAt(x) };
    };
    const scroll = () => {
      const { box } = this.look();
      const { left, right } = box.getBoundingClientRect();
      const by = x > right - EDGE ? STEP : x < left + this.look().widths[0]! + EDGE ? -STEP : 0;
      if (by) {
        box.scrollLeft += by;
        follow();
      }
    };
    const move = (moved: PointerEvent) => {
      x = moved.clientX;
      if (!this.moving.value) {
        if (Math.abs(x - start) <= STILL) return;
        timer = window.setInterval(scroll, 30);
      }
      follow();
    };
    const drop = () => {
      const { moving } = this;
      if (moving.value) {
        this.put(key, moving.value.to);
        // The click that follows the drag would sort.
        const swallow = (click: MouseEvent) => click.stopPropagation();
        addEventListener("click", swallow, { capture: true, once: true });
        setTimeout(() => removeEventListener("click", swallow, { capture: true }), 0);
      }
      this.stop?.();
    };
    const escape = (pressed: KeyboardEvent) => {
      if (pressed.key !== "Escape") return;
      pressed.stopPropagation();
      pressed.preventDefault();
      this.stop?.();
    };
    const giveUp = () => this.stop?.();
    addEventListener("pointermove", move);
    addEventListener("pointerup", drop);
    addEventListener("pointercancel", giveUp);
    addEventListener("keydown", escape, { capture: true });
    this.stop = () => {
      clearInterval(timer);
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", drop);
      removeEventListener("pointercancel", giveUp);
      removeEventListener("keydown", escape, { capture: true });
      this.moving.value = null;
      this.stop = null;
    };
  }

  /** Moves a column by one place; tells whether the key does that. */
  key(event: KeyboardEvent, key: string): boolean {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!by || !event.altKey) return false;
    const { columns } = this.look();
    const from = columns.findIndex((column) => column.key === key);
    this.put(key, by > 0 ? from + 2 : from - 1);
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  /** Puts a column before the one that stands at a place; the record's stays the first. */
  private put(key: string, to: number): void {
    const { columns } = this.look();
    const before = columns[Math.max(1, to)];
    if (before?.key === key) return;
    this.app.moveColumn(key, before?.key ?? null);
    const place = this.app.columns.value.findIndex((column) => column.key === key) + 1;
    this.app.say(`${key} is column ${place} of ${columns.length}`);
  }

  /** Returns the place where a column would stand that is dropped at `x` of the window. */
  private placeAt(x: number): number {
    const { box, widths } = this.look();
    const inside = x - box.getBoundingClientRect().left + box.scrollLeft;
    let left = 0;
    for (let place = 0; place < widths.length; place++) {
      const width = widths[place]!;
      if (inside < left + width / 2) return Math.max(1, place);
      left += width;
    }
    return widths.length;
  }
}
