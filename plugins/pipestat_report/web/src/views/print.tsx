/** What is printed: the open record, or all that the filter lets through, highlights only. */
import { Fragment } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { flushSync } from "../parts/flush.ts";
import type { App } from "../app.ts";
import { formatInteger, formatTime, plural } from "../model/numbers.ts";
import { NOT_REPORTED } from "../model/report.ts";
import { Badge, countStatuses, StatusBar } from "../parts/badge.tsx";
import type { Field } from "../model/table.ts";
import { valueText } from "../parts/values.tsx";
import { Results } from "./results.tsx";

const MOST_ROWS = 2000;
const MOST_COLUMNS = 8;
/** So many characters of numbers and texts stand beside each other, with room for a message. */
const ACROSS = 96;

export function PrintPage({ app }: { app: App }) {
  const printing = useSignal(false);
  useEffect(() => {
    const start = () => flushSync(() => (printing.value = true));
    const end = () => (printing.value = false);
    addEventListener("beforeprint", start);
    addEventListener("afterprint", end);
    return () => {
      removeEventListener("beforeprint", start);
      removeEventListener("afterprint", end);
    };
  }, []);
  const { record } = app.state.value;
  return (
    <div id="print">
      {printing.value &&
        (record === null ? <PrintedRecords app={app} /> : <PrintedRecord app={app} id={record} />)}
    </div>
  );
}

function PrintedRecords({ app }: { app: App }) {
  const { data, samples, project } = app.report;
  const rows = app.rows.value;
  const counts = countStatuses(app.report, rows);
  const highlighted = samples.fields.filter(
    (field) => field.data.highlight && field.data.kind !== "image",
  );
  const some = highlighted.length ? highlighted : samples.fields;
  const fields = some.slice(0, fitting(some));
  const filter = app.wholeFilter.value;
  return (
    <>
      <h1>{data.title}</h1>
      <p>
        {data.description} Pipeline <code>{data.pipeline}</code>, built {formatTime(data.built)} UTC
        {data.place && ` from ${data.place}`}.
      </p>
      <StatusBar counts={counts} className="sbar" />
      <p>{counts.map(({ label, count }) => `${formatInteger(count)} ${label}`).join(" · ")}</p>
      {project?.ids.map((id, row) => (
        <section key={id}>
          <h2>Project results: {id}</h2>
          <table class="plain">
            <tbody>
              {project.fields
                .filter((field) => field.values[row] !== undefined)
                .map((field) => (
                  <tr key={field.name}>
                    <th scope="row">{field.name}</th>
                    <td>{valueText(field.values[row], field)}</td>
                    <td>{field.data.description}</td>
                  </tr>
                ))}
            </tbody>
          </table>
        </section>
      ))}
      <h2>
        {plural(rows.length, "record")}
        {rows.length < samples.ids.length && ` of ${formatInteger(samples.ids.length)}`}
      </h2>
      {filter && (
        <p>
          Filter: <code>{filter}</code>
        </p>
      )}
      {rows.length > MOST_ROWS && <p>The first {formatInteger(MOST_ROWS)} are printed.</p>}
      {some.length > fields.length && (
        <p>
          The first {fields.length} of {some.length}{" "}
          {highlighted.length ? "highlighted results" : "results"} are printed.
        </p>
      )}
      <table class="plain records">
        <thead>
          <tr>
            <th scope="col">record</th>
            <th scope="col">status</th>
            {samples.verdictField !== null && <th scope="col">verdict</th>}
            {fields.map((field) => (
              <th key={field.name} scope="col" class={field.numeric ? "r" : ""}>
                <Breakable text={field.name} />
              </th>
            ))}
            <th scope="col">message</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST_ROWS).map((row) => (
            <tr key={row}>
              <th scope="row">{samples.ids[row]}</th>
              <td>{row >= samples.reported ? NOT_REPORTED : samples.status(row)}</td>
              {samples.verdictField !== null && <td>{samples.verdict(row)}</td>}
              {fields.map((field) => (
                <td key={field.name} class={field.numeric ? "r num" : ""}>
                  {valueText(field.values[row], field)}
                </td>
              ))}
              <td>{samples.message(row)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

/** The record that is open, alone. */
function PrintedRecord({ app, id }: { app: App; id: string }) {
  const { data, samples } = app.report;
  const row = samples.rowOf.get(id)!;
  const message = samples.message(row);
  return (
    <>
      <h1>{id}</h1>
      <p>
        {data.title}, pipeline <code>{data.pipeline}</code>, built {formatTime(data.built)} UTC
      </p>
      <p>
        <Badge report={app.report} row={row} /> {message}
      </p>
      <Results app={app} table={samples} row={row} open={() => {}} />
    </>
  );
}

/** How many columns fit beside each other on a page. */
function fitting(fields: readonly Field[]): number {
  let room = ACROSS;
  const last = fields.slice(0, MOST_COLUMNS).findIndex((field) => {
    const name = Math.max(...segments(field.name).map((part) => part.length));
    const { summary } = field;
    const ends = summary ? [summary.low, summary.high] : [];
    const values = ends.map((value) => valueText(value, field).length);
    room -= Math.max(name, ...values, field.numeric ? 0 : TEXT) + 2;
    return room < 0;
  });
  return last < 0 ? Math.min(fields.length, MOST_COLUMNS) : Math.max(1, last);
}
const TEXT = 14;

const segments = (name: string): string[] => name.match(/[^_.-]+[_.-]*|[_.-]+/g) ?? [name];

/** A name that breaks between its parts. */
function Breakable({ text }: { text: string }) {
  return (
    <>
      {segments(text).map((part, i) => (
        <Fragment key={i}>
          {part}
          <wbr />
        </Fragment>
      ))}
    </>
  );
}
