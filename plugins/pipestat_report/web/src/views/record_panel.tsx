/** One record: a panel beside the view, on a phone over it. */
import { useEffect, useRef } from "preact/hooks";
import type { App } from "../app.ts";
import { formatInteger, formatTime } from "../model/numbers.ts";
import { Badge, VerdictCell } from "../parts/badge.tsx";
import { copy } from "../parts/clipboard.ts";
import { IconButton } from "../parts/icons.tsx";
import { Results } from "./results.tsx";

export function RecordPanel({ app, id }: { app: App; id: string }) {
  const panel = useRef<HTMLDialogElement>(null);
  const before = useRef<Element | null>(null);
  const phone = app.phone.value;
  useEffect(() => {
    before.current = document.activeElement;
    return () => {
      const back = before.current;
      if (back instanceof HTMLElement && back.isConnected) back.focus({ preventScroll: true });
      else document.querySelector<HTMLElement>(".start")?.focus({ preventScroll: true });
    };
  }, []);
  useEffect(() => {
    const dialog = panel.current!;
    dialog.removeAttribute("open");
    // Beside the view it leaves the focus where it is; over it, nothing else can be reached.
    if (phone) dialog.showModal();
    else dialog.setAttribute("open", "");
    return () => dialog.close();
  }, [phone]);
  const row = app.report.samples.rowOf.get(id)!;
  return (
    <dialog
      ref={panel}
      class="drawer"
      aria-label={`Record ${id}`}
      onCancel={(event) => {
        event.preventDefault();
        app.openRecord(null);
      }}
    >
      <PanelHead app={app} id={id} row={row} />
      <div class="db" tabIndex={0} role="region" aria-label="Results of the record">
        <Results
          app={app}
          table={app.report.samples}
          row={row}
          open={(field, index) => (app.lightbox.value = { row, field, index, project: false })}
        />
      </div>
    </dialog>
  );
}

function PanelHead({ app, id, row }: { app: App; id: string; row: number }) {
  const { samples } = app.report;
  const rows = app.rows.value;
  const place = app.placeOf(id);
  const since = samples.since(row);
  const created = samples.created(row);
  const modified = samples.modified(row);
  return (
    <div class="dh">
      <div class="r1">
        <h2 class="ell" tabIndex={-1} title={id}>
          {id}
        </h2>
        <IconButton icon="copy" label="Copy the id" onClick={() => void copy(app, id)} />
        <span class="muted small num nowrap where">
          {place >= 0
            ? `${formatInteger(place + 1)} of ${formatInteger(rows.length)}`
            : "not in the filter"}
        </span>
        <IconButton
          icon="up"
          label="Previous record (k)"
          className="s"
          disabled={place <= 0}
          onClick={() => app.step(-1)}
        />
        <IconButton
          icon="down"
          label="Next record (j)"
          className="s"
          disabled={place < 0 || place >= rows.length - 1}
          onClick={() => app.step(1)}
        />
        <IconButton icon="close" label="Close (Esc)" onClick={() => app.openRecord(null)} />
      </div>
      <div class="r2">
        <Badge report={app.report} row={row} />
        {samples.verdict(row) !== null && <VerdictCell table={samples} row={row} />}
        {samples.message(row) !== null && <span>{samples.message(row)}</span>}
        {(created ?? since) !== null && (
          <span class="muted small num times">
            {[
              since !== null && `${samples.status(row)} since ${formatTime(since)}`,
              created !== null &&
                `created ${formatTime(created)}, modified ${formatTime(modified)}`,
            ]
              .filter(Boolean)
              .join(", ")}{" "}
            UTC
          </span>
        )}
      </div>
    </div>
  );
}
