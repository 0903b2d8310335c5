/** The distribution of every number, and any two against each other. */
import type { App } from "../app.ts";
import { formatInteger } from "../model/numbers.ts";
import { countStatuses } from "../parts/badge.tsx";
import { Empty } from "../parts/icons.tsx";
import { shape } from "../parts/plots.tsx";
import { Distribution } from "./distribution.tsx";
import { NoMatch, NoRecords } from "./records.tsx";
import { Scatter } from "./scatter.tsx";

export function Plots({ app }: { app: App }) {
  const { report } = app;
  const { colour, x, y } = app.state.value;
  const rows = app.rows.value;
  if (!report.samples.ids.length) return <NoRecords app={app} />;
  if (!report.numericFields.length) {
    return (
      <Empty title="No numbers">
        <p>No result of these records is a number.</p>
      </Empty>
    );
  }
  if (!rows.length) return <NoMatch app={app} />;
  if (report.samples.reported === 1) {
    return (
      <Empty title="One record">
        <p>A plot needs more. The numbers of this one stand in the table.</p>
      </Empty>
    );
  }
  const statuses = colour === "status" ? countStatuses(report, rows) : [];
  // Without any status there is nothing to tell apart.
  const groups = statuses.some(({ status }) => typeof status === "string") ? statuses : [];
  return (
    <>
      <div class="gbar">
        <span>Colour by</span>
        <div class="seg" role="group" aria-label="Colour by">
          {(["status", "none"] as const).map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={colour === one}
              onClick={() => app.update({ colour: one })}
            >
              {one === "status" ? "Status" : "Nothing"}
            </button>
          ))}
        </div>
        <div class="legr">
          {groups.map((group, i) => (
            <span key={group.label}>
              <svg class={`mark ${group.className}`} viewBox="-6 -6 12 12" aria-hidden="true">
                <path d={shape(i, 0, 0, 4)} />
              </svg>
              {group.label} <span class="muted num">{formatInteger(group.count)}</span>
            </span>
          ))}
        </div>
      </div>
      <div class="pgrid">
        {x !== null && y !== null && report.numericFields.length > 1 && (
          <Scatter
            app={app}
            x={report.samples.byName.get(x)!}
            y={report.samples.byName.get(y)!}
            groups={groups}
          />
        )}
        {report.numericFields.map((field) => (
          <Distribution key={field.name} app={app} field={field} groups={groups} />
        ))}
      </div>
    </>
  );
}
