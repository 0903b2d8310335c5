/** What there is at a glance: statuses, what needs a look, project results, highlights. */
import { useMemo } from "preact/hooks";
import type { App } from "../app.ts";
import type { Verdict } from "../model/document.ts";
import type { Condition } from "../model/conditions.ts";
import { edge, formatInteger, formatTime, niceScale, plural, short } from "../model/numbers.ts";
import { binsOf, countBins } from "../model/plots.ts";
import { STATUS } from "../model/report.ts";
import type { Field, Table } from "../model/table.ts";
import {
  Badge,
  countStatuses,
  countVerdicts,
  StatusBar,
  VerdictBadge,
  type StatusCount,
} from "../parts/badge.tsx";
import { NoRecords } from "./records.tsx";
import { Results } from "./results.tsx";

const MOST_LOOKS = 8;
/** The statuses of runs that did not get where they should. */
const TROUBLED = ["failed", "partial"];

export function Overview({ app }: { app: App }) {
  const { data, samples, project } = app.report;
  const all = useMemo(() => samples.ids.map((_, row) => row), [samples]);
  return (
    <div class="page">
      <div class="hd">
        <div>
          <h1>{data.title}</h1>
          {data.description && <p>{data.description}</p>}
        </div>
        <div class="facts">
          <span>
            pipeline <b class="mono">{data.pipeline}</b>
          </span>
          {data.place && (
            <span>
              from <b class="mono">{data.place}</b>
            </span>
          )}
          <span>
            {app.live ? "as of" : "built"} <b class="num">{formatTime(data.built)} UTC</b>
          </span>
          <span>{data.tool}</span>
        </div>
      </div>
      {samples.ids.length ? <StatusPanel app={app} rows={all} /> : <NoRecords app={app} />}
      {samples.reported > 0 && !samples.fields.some((field) => field.count) && (
        <p class="sect">
          Only statuses were reported: no record of <code>{data.pipeline}</code> has a result yet.
        </p>
      )}
      <NeedsALook app={app} rows={all} />
      {project?.ids.map((id, row) => (
        <section class="sect" key={id}>
          <h2>
            Project results <span class="n">{id}</span>
          </h2>
          <ProjectCards app={app} table={project} row={row} />
        </section>
      ))}
      <Highlights app={app} />
      <LeftOut app={app} />
    </div>
  );
}

function StatusPanel({ app, rows }: { app: App; rows: readonly number[] }) {
  const counts = countStatuses(app.report, rows);
  return (
    <section class="panel">
      <h2>
        Status <span class="r num">{plural(rows.length, "record")}</span>
      </h2>
      <StatusBar counts={counts} className="sbar" />
      <div class="leg">
        {counts.map((one) => (
          <a key={one.label} href={linkToStatus(app, one.status)}>
            <span class={`sw ${one.className}`} />
            {one.label} <b class="num">{formatInteger(one.count)}</b>
          </a>
        ))}
      </div>
      <VerdictLegend app={app} rows={rows} />
    </section>
  );
}

/** How many records have which verdict; each leads to them. */
function VerdictLegend({ app, rows }: { app: App; rows: readonly number[] }) {
  const { samples } = app.report;
  const field = samples.verdictField;
  if (field === null) return null;
  const link = (verdict: Verdict) =>
    app.link({
      view: "records",
      where: "",
      conditions: new Map([[field, { kind: "choice", values: [verdict] }]]),
    });
  return (
    <div class="leg">
      <span>Verdict</span>
      {countVerdicts(samples, rows).map(([verdict, count]) => (
        <a key={verdict} href={link(verdict)}>
          <VerdictBadge verdict={verdict} /> <b class="num">{formatInteger(count)}</b>
        </a>
      ))}
    </div>
  );
}

function linkToStatus(app: App, status: StatusCount["status"]): string {
  const condition: Condition =
    status === undefined
      ? { kind: "choice", values: [], unreported: true }
      : { kind: "choice", values: [status] };
  return app.link({ view: "records", where: "", conditions: new Map([[STATUS, condition]]) });
}

/** Records that failed, by their status or by their verdict, and those that were not reported. */
function NeedsALook({ app, rows }: { app: App; rows: readonly number[] }) {
  const { samples } = app.report;
  const statuses = TROUBLED.filter((name) => app.report.statusNames.includes(name));
  const rank = (row: number) => {
    if (row >= samples.reported) return TROUBLED.length + 1;
    const place = TROUBLED.indexOf(samples.status(row) ?? "");
    return place < 0 && samples.verdict(row) === "fail" ? TROUBLED.length : place;
  };
  const found = rows.filter((row) => rank(row) >= 0);
  if (!found.length) return null;
  const newest = (row: number) => samples.since(row) ?? samples.modified(row) ?? "";
  found.sort((a, b) => rank(a) - rank(b) || (newest(a) < newest(b) ? 1 : -1));
  const condition: Condition = { kind: "choice", values: statuses, unreported: true };
  // One condition cannot say "or": where verdicts count too, a filter does, and those that were
  // not reported have a link of their own.
  const failing = found.some((row) => rank(row) === TROUBLED.length);
  const unreported = failing ? found.filter((row) => row >= samples.reported).length : 0;
  const all = failing
    ? { where: troubled(statuses, samples.verdictField!), conditions: new Map() }
    : { where: "", conditions: new Map([[STATUS, condition]]) };
  return (
    <section class="sect">
      <h2>
        Needs a look <span class="n num">{formatInteger(found.length)}</span>
        {found.length - unreported > MOST_LOOKS && (
          <a href={app.link({ view: "records", ...all })}>
            All {formatInteger(found.length - unreported)} in the table
          </a>
        )}
        {unreported > 0 && (
          <a href={linkToStatus(app, undefined)}>
            {formatInteger(unreported)} not reported
          </a>
        )}
      </h2>
      <table class="plain att">
        <thead>
          <tr>
            <th scope="col">record</th>
            <th scope="col">status</th>
            <th scope="col">why</th>
            <th scope="col" class="r">
              {found.some((row) => samples.since(row)) ? "since (UTC)" : "modified (UTC)"}
            </th>
          </tr>
        </thead>
        <tbody>
          {found.slice(0, MOST_LOOKS).map((row) => (
            <tr key={row}>
              <td>
                <a href={app.link({ view: "records", record: samples.ids[row]! })}>
                  {samples.ids[row]}
                </a>
              </td>
              <td>
                <Badge report={app.report} row={row} />
                {samples.verdict(row) === "fail" && <VerdictBadge verdict="fail" />}
              </td>
              <td>{why(samples, row)}</td>
              <td class="r num muted nowrap">{formatTime(newest(row) || null)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** A filter for what failed by its status or its verdict. */
function troubled(statuses: readonly string[], verdict: string): string {
  const failed = `${verdict} = 'fail'`;
  return statuses.length
    ? `status in (${statuses.map((name) => `'${name}'`).join(", ")}) or ${failed}`
    : failed;
}

/** What a person or a rule says of a record that needs a look. */
function why(table: Table, row: number): string {
  if (row >= table.reported) return "the workflow knows it; nothing was reported";
  const against = table.reasons(row).flatMap(([severity, text]) => (severity === "fail" ? text : []));
  return [table.message(row) ?? [], against].flat().join("; ");
}

function ProjectCards({ app, table, row }: { app: App; table: Table; row: number }) {
  return (
    <div class="card proj">
      <Results
        app={app}
        table={table}
        row={row}
        open={(field, index) => (app.lightbox.value = { row, field, index, project: true })}
      />
    </div>
  );
}

function Highlights({ app }: { app: App }) {
  const fields = app.report.numericFields.filter((field) => field.data.highlight);
  if (!fields.length) return null;
  return (
    <section class="sect">
      <h2>
        Highlighted results <span class="n">all records</span>
        <a href={app.link({ view: "plots" })}>All plots</a>
      </h2>
      <div class="cards">
        {fields.map((field) => (
          <HighlightCard key={field.name} app={app} field={field} />
        ))}
      </div>
    </section>
  );
}

function HighlightCard({ app, field }: { app: App; field: Field }) {
  const summary = field.summary!;
  const scale = niceScale(summary.low, summary.high, 28);
  const counts = countBins(binsOf(field, scale), scale.count, () => true);
  const most = Math.max(...counts);
  const width = 232 / scale.count;
  const bars = counts.map((count, i) =>
    count ? `M${i * width + 0.5} 44v${(-44 * count) / most}h${width - 1}V44z` : "",
  );
  return (
    <article class="card">
      <a class="nm" href={app.link({ view: "glossary", entry: field.name })}>
        {field.name}
      </a>
      <svg class="hist still" viewBox="0 0 232 44" preserveAspectRatio="none" aria-hidden="true">
        <path class="f" d={bars.join("")} />
      </svg>
      <div class="row small muted num">
        <span>{short(edge(scale, 0))}</span>
        <span>
          median <b>{short(summary.median)}</b> · n {formatInteger(summary.n)}
        </span>
        <span>{short(edge(scale, scale.count))}</span>
      </div>
    </article>
  );
}

function LeftOut({ app }: { app: App }) {
  const { embedded, leftOut, unreadable, notFetched, asked, budget, library } =
    app.report.data.thumbnails;
  const parts = [];
  if (leftOut && !library) parts.push("no pictures are embedded: Pillow is not installed");
  else if (leftOut) {
    const size = `${formatInteger(Math.round(budget / 1000))} kB`;
    parts.push(
      `${plural(embedded, "small picture")} of images are embedded within ${size}, ` +
        `${formatInteger(leftOut)} are left out and shown from their files`,
    );
  }
  if (unreadable) parts.push(`${plural(unreadable, "image")} could not be read as a picture`);
  if (notFetched) {
    parts.push(
      `${plural(notFetched, "image")} at addresses ` +
        (asked ? "could not be fetched" : "not fetched; summarize --fetch-images shows them"),
    );
  }
  const { samples, project } = app.report;
  const missing = samples.missingFiles + (project?.missingFiles ?? 0);
  if (missing) parts.push(`${plural(missing, "file")} that results name could not be found`);
  if (!parts.length) return null;
  return <p class="sect muted small">{parts.join("; ")}.</p>;
}
