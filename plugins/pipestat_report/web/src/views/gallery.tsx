/** The images of the records that the filter lets through, those in sight only. */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useComputed, useSignal } from "@preact/signals";
import type { App } from "../app.ts";
import type { Media } from "../model/document.ts";
import { formatInteger, plural } from "../model/numbers.ts";
import { Badge } from "../parts/badge.tsx";
import { Empty } from "../parts/icons.tsx";
import { Picture, pictureOf, whyNoPicture } from "../parts/values.tsx";
import { NoRecords } from "./records.tsx";

const GAP = 12;
const CAPTION = 24;
/** Scrolling rests when nothing moved for so many milliseconds. */
const REST = 120;

interface Item {
  row: number;
  index: number;
  media: Media;
}

export function Gallery({ app }: { app: App }) {
  const { report } = app;
  const { image, size } = app.state.value;
  const items = useComputed(() => {
    const name = app.state.value.image;
    return name === null ? [] : app.rows.value.flatMap((row) => itemsOf(app, row, name));
  });
  if (!report.samples.ids.length) return <NoRecords app={app} />;
  if (image === null) {
    return (
      <Empty title="No images">
        <p>
          None of the {plural(report.samples.ids.length, "record")} has an image. Results of the
          type <code>image</code> in the output schema are shown here.
        </p>
      </Empty>
    );
  }
  const field = report.samples.byName.get(image)!;
  const withImage = new Set(items.value.map((item) => item.row)).size;
  const without = app.rows.value.length - withImage;
  return (
    <div class="gal">
      <div class="gbar">
        <div class="seg" role="group" aria-label="Image">
          {report.imageFields.map(({ name }) => (
            <button
              key={name}
              type="button"
              aria-pressed={name === image}
              onClick={() => app.update({ image: name })}
            >
              {name}
            </button>
          ))}
        </div>
        <span class="muted ell hidem gdesc">
          {field.data.description}{" "}
          <span class="num">
            {plural(items.value.length, "image")}
            {without > 0 && `, ${plural(without, "record")} without`}.
          </span>
        </span>
        <label>
          Size
          <input
            type="range"
            min="120"
            max="420"
            step="20"
            value={size}
            onInput={(event) => app.update({ size: Number(event.currentTarget.value) })}
          />
        </label>
      </div>
      {items.value.length ? (
        <Wall app={app} items={items.value} field={image} size={size} />
      ) : (
        <Empty title="No image matches">
          <p>
            No record that the filter lets through has <code>{image}</code>.
          </p>
          <button type="button" class="btn" onClick={() => app.clearFilter()}>
            Clear the filter
          </button>
        </Empty>
      )}
    </div>
  );
}

const itemsOf = (app: App, row: number, name: string): Item[] =>
  app.report.samples
    .media(row, name)
    .filter((media) => media.kind === "image")
    .map((media, index) => ({ row, index, media }));

function Wall(props: { app: App; items: readonly Item[]; field: string; size: number }) {
  const { app, items, field, size } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useSignal(1000);
  const height = useSignal(800);
  const top = useSignal(0);
  const current = useSignal(-1);
  const scrolling = useSignal(false);
  const rest = useRef(0);
  const padding = app.phone.value ? 12 : 16;
  const inner = width.value - 2 * padding;
  const across = Math.max(1, Math.floor((inner + GAP) / (size + GAP)));
  const wide = (inner - GAP * (across - 1)) / across;
  const high = Math.round(wide * 0.6875) + 2 + CAPTION + GAP;
  const lines = Math.ceil(items.length / across);
  const from = Math.max(0, Math.floor((top.value - padding) / high) - 1);
  const to = Math.min(lines, from + Math.ceil(height.value / high) + 3);

  useLayoutEffect(() => {
    const wall = box.current!;
    const measure = () => {
      width.value = wall.clientWidth;
      height.value = wall.clientHeight;
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(wall);
    return () => watcher.disconnect();
  }, []);
  useEffect(() => {
    box.current!.scrollTop = 0;
    current.value = -1;
  }, [items]);
  const open = (item: Item) =>
    (app.lightbox.value = { row: item.row, field, index: item.index, project: false });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== box.current) return;
    const steps: Record<string, number> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: across,
      ArrowUp: -across,
    };
    const by = steps[event.key];
    if (by !== undefined) {
      const next = current.value < 0 ? 0 : current.value + by;
      current.value = Math.min(items.length - 1, Math.max(0, next));
      const line = Math.floor(current.value / across);
      const wall = box.current!;
      const y = padding + line * high;
      if (y < wall.scrollTop) wall.scrollTop = y - padding;
      else if (y + high > wall.scrollTop + height.value) wall.scrollTop = y + high - height.value;
    } else if (event.key === "Enter" && items[current.value]) open(items[current.value]!);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      class="gscroll start"
      ref={box}
      tabIndex={0}
      role="region"
      aria-label={`Images ${field}; arrow keys move, Enter enlarges`}
      onScroll={(event) => {
        top.value = event.currentTarget.scrollTop;
        scrolling.value = true;
        clearTimeout(rest.current);
        rest.current = window.setTimeout(() => (scrolling.value = false), REST);
      }}
      onKeyDown={onKeyDown}
    >
      <div class="gpad" style={{ height: `${lines * high + 2 * padding}px` }}>
        {items.slice(from * across, to * across).map((item, i) => {
          const place = from * across + i;
          const style = {
            left: `${padding + (place % across) * (wide + GAP)}px`,
            top: `${padding + Math.floor(place / across) * high}px`,
            width: `${wide}px`,
          };
          return (
            <figure
              key={`${item.row} ${item.index}`}
              class={`gfig ${place === current.value ? "cur" : ""}`}
              style={style}
            >
              <Thumb
                app={app}
                item={item}
                field={field}
                wait={scrolling.value}
                onOpen={() => open(item)}
              />
            </figure>
          );
        })}
      </div>
      <span class="vh" aria-live="polite">
        {items[current.value] &&
          `${app.report.samples.ids[items[current.value]!.row]}, ` +
            `${formatInteger(current.value + 1)} of ${formatInteger(items.length)}`}
      </span>
    </div>
  );
}

function Thumb(props: {
  app: App;
  item: Item;
  field: string;
  wait: boolean;
  onOpen: () => void;
}) {
  const { app, item, field } = props;
  // A picture that comes into sight waits until scrolling rests, and then stays.
  const shown = useRef(false);
  shown.current ||= !props.wait;
  const id = app.report.samples.ids[item.row]!;
  return (
    <>
      <button
        type="button"
        class="paper"
        tabIndex={-1}
        aria-label={`Enlarge ${field} of ${id}`}
        onClick={props.onOpen}
      >
        {shown.current ? (
          <Picture src={pictureOf(app.report, item.media)} alt="" why={whyNoPicture(item.media)} />
        ) : (
          <span class="nopic" />
        )}
      </button>
      <figcaption>
        <a class="nm ell" href={app.link({ record: id })} title={id} tabIndex={-1}>
          {id}
        </a>
        {app.report.samples.status(item.row) !== "completed" && (
          <Badge report={app.report} row={item.row} />
        )}
      </figcaption>
    </>
  );
}
