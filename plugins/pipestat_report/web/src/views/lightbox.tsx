/** One image large; the keys lead to the next record's and to the record's other images. */
import { useEffect, useRef } from "preact/hooks";
import type { App, Shown } from "../app.ts";
import { formatInteger } from "../model/numbers.ts";
import { at } from "../model/values.ts";
import { Badge } from "../parts/badge.tsx";
import { IconButton } from "../parts/icons.tsx";
import { FileLink, pathOf, Picture, titleOf, whyNoPicture } from "../parts/values.tsx";

export function Lightbox({ app, shown }: { app: App; shown: Shown }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const table = shown.project ? app.report.project! : app.report.samples;
  const { row, field } = shown;
  const imagesOf = (inRow: number, name: string) =>
    table.media(inRow, name).filter((media) => media.kind === "image");
  const own = table.imageFields.flatMap((one) =>
    imagesOf(row, one.name).map((media, index) => ({ name: one.name, media, index })),
  );
  const place = own.findIndex((one) => one.name === field && one.index === shown.index);
  const image = own[place];
  const rows = shown.project
    ? [row]
    : app.rows.value.filter((one) => one === row || imagesOf(one, field).length > 0);
  const among = rows.indexOf(row);

  useEffect(() => {
    const before = document.activeElement;
    dialog.current!.showModal();
    dialog.current!.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const close = () => (app.lightbox.value = null);
  const toRow = (by: number) => {
    const next = rows[among + by];
    if (next !== undefined) app.lightbox.value = { ...shown, row: next, index: 0 };
  };
  const toImage = (by: number) => {
    const next = own[place + by];
    if (next) app.lightbox.value = { ...shown, field: next.name, index: next.index };
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, () => void> = {
      ArrowRight: () => toRow(1),
      ArrowLeft: () => toRow(-1),
      ArrowDown: () => toImage(1),
      ArrowUp: () => toImage(-1),
      Enter: () => {
        if (shown.project) return;
        close();
        app.openRecord(table.ids[row]!);
      },
    };
    const onControl = (event.target as Element).closest("button, a");
    const move = event.key === "Enter" && onControl ? undefined : moves[event.key];
    event.stopPropagation();
    if (!move) return;
    move();
    event.preventDefault();
  };
  if (!image) return null;
  const value = at(table.byName.get(field)?.values[row], image.media.keys ?? []);
  const { media } = image;
  const title = titleOf(value) ?? field;
  const large = media.shown && media.href ? media.href : null;
  const small = media.thumbnail ? app.report.thumbnail(media.thumbnail) : null;
  return (
    <dialog
      ref={dialog}
      class="lb"
      tabIndex={-1}
      aria-label={`${title} of ${table.ids[row]}`}
      onKeyDown={onKeyDown}
      onClick={(event) => event.target === dialog.current && close()}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      <div class="in">
        <header>
          <h2 class="ell">{table.ids[row]}</h2>
          {!shown.project && <Badge report={app.report} row={row} />}
          <span class="sp" />
          {own.length > 1 && (
            <div class="seg" role="group" aria-label="Images of the record">
              {own.map((one, i) => (
                <button
                  key={`${one.name} ${one.index}`}
                  type="button"
                  aria-pressed={i === place}
                  onClick={() => toImage(i - place)}
                >
                  {one.index ? `${one.name} ${one.index + 1}` : one.name}
                </button>
              ))}
            </div>
          )}
          <IconButton icon="close" label="Close (Esc)" className="quiet" onClick={close} />
        </header>
        <div class="stage">
          <IconButton
            icon="left"
            label="The record before"
            className="quiet"
            disabled={among <= 0}
            onClick={() => toRow(-1)}
          />
          <Picture
            key={`${row} ${field} ${shown.index}`}
            src={large ?? small}
            alt={`${title} of ${table.ids[row]}`}
            why={whyNoPicture(media)}
          />
          <IconButton
            icon="right"
            label="The next record"
            className="quiet"
            disabled={among >= rows.length - 1}
            onClick={() => toRow(1)}
          />
        </div>
        <footer>
          <span class="ell">
            {title} · <FileLink path={pathOf(value) ?? ""} media={media} />
            {!large && small && " · this is the small picture"}
          </span>
          <span class="num nowrap" role="status">
            {formatInteger(among + 1)} of {formatInteger(rows.length)}
            <span class="hidem">
              {" "}
              · <kbd>←</kbd> <kbd>→</kbd> record · <kbd>↑</kbd> <kbd>↓</kbd> image ·{" "}
              <kbd>Enter</kbd> results
            </span>
          </span>
        </footer>
      </div>
    </dialog>
  );
}
