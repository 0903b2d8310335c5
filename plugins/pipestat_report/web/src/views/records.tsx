/** The table of records with the facets beside it and the bar of the selection. */
import { useComputed } from "@preact/signals";
import { MOST_COMPARED, type App } from "../app.ts";
import { formatInteger } from "../model/numbers.ts";
import { copy } from "../parts/clipboard.ts";
import { Empty, IconButton } from "../parts/icons.tsx";
import { Facets } from "./facets.tsx";
import { Grid } from "./grid.tsx";

export function Records({ app }: { app: App }) {
  if (!app.report.samples.ids.length) return <NoRecords app={app} />;
  const { facets } = app.state.value;
  return (
    <div class={`recs ${facets ? "fx" : ""}`}>
      {facets && <Facets app={app} />}
      <div class="tbl">
        {app.rows.value.length ? <Grid app={app} /> : <NoMatch app={app} />}
        <SelectionBar app={app} />
      </div>
    </div>
  );
}

export function NoRecords({ app }: { app: App }) {
  return (
    <Empty title="No records yet">
      <p>
        The store has no {app.report.project && "sample "}records of{" "}
        <code>{app.report.data.pipeline}</code>.{" "}
        {app.live
          ? "They are shown here as soon as the pipeline reports."
          : "When the pipeline reports its first result, build the report again."}
      </p>
    </Empty>
  );
}

export function NoMatch({ app }: { app: App }) {
  return (
    <Empty title="No record matches">
      <p>
        All {formatInteger(app.report.samples.ids.length)} records are still there; the filter lets
        none through. <code>{app.wholeFilter.value}</code>
      </p>
      <button type="button" class="btn" onClick={() => app.clearFilter()}>
        Clear the filter
      </button>
    </Empty>
  );
}

function SelectionBar({ app }: { app: App }) {
  const { selected } = app.state.value;
  const outside = useComputed(() => {
    const { rowOf } = app.report.samples;
    const { fails } = app.matches.value;
    return app.state.value.selected.filter((id) => fails[rowOf.get(id)!]).length;
  });
  if (!selected.length) return null;
  const most = selected.length > MOST_COMPARED;
  return (
    <div class="selbar" role="group" aria-label="Selection">
      <span class="num">
        <b>{formatInteger(selected.length)}</b> selected
        {outside.value > 0 && (
          <span class="muted">, {formatInteger(outside.value)} outside the filter</span>
        )}
      </span>
      <button
        type="button"
        class="btn main s"
        disabled={selected.length < 2 || most}
        title={most ? `At most ${MOST_COMPARED} records side by side` : "Side by side (c)"}
        onClick={() => app.update({ view: "compare", record: null }, true)}
      >
        Compare
      </button>
      <button type="button" class="btn s" onClick={() => void copy(app, selected.join("\n"))}>
        Copy ids
      </button>
      <IconButton
        icon="close"
        label="Clear the selection"
        onClick={() => app.update({ selected: [] })}
      />
    </div>
  );
}
