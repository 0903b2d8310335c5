/** What the results and statuses mean, as the schemas say it. */
import { useEffect } from "preact/hooks";
import type { App } from "../app.ts";
import { formatInteger } from "../model/numbers.ts";
import type { Field, Table } from "../model/table.ts";
import { StatusBadge } from "../parts/badge.tsx";
import { Icon } from "../parts/icons.tsx";

export function Glossary({ app }: { app: App }) {
  const { report } = app;
  const { entry } = app.state.value;
  useEffect(() => {
    if (entry !== null) document.getElementById(`entry-${entry}`)?.scrollIntoView();
  }, [entry]);
  return (
    <div class="page narrow">
      <h1>Glossary</h1>
      <p class="muted">What the results mean, as the pipeline's output schema says it.</p>
      <Entries title="Results of a record" table={report.samples} entry={entry} />
      {report.project && (
        <Entries title="Results of the project" table={report.project} entry={entry} />
      )}
      <section class="sect">
        <h2>
          Statuses <span class="n">{report.data.statuses.length}</span>
        </h2>
        <table class="plain gl">
          <tbody>
            {report.data.statuses.map(({ name, description }) => (
              <tr key={name}>
                <td>
                  <StatusBadge report={report} status={name} />
                </td>
                <td>{description}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}

function Entries(props: { title: string; table: Table; entry: string | null }) {
  const { title, table, entry } = props;
  return (
    <section class="sect">
      <h2>
        {title} <span class="n">{table.fields.length}</span>
      </h2>
      <table class="plain gl">
        <thead>
          <tr>
            <th scope="col">name</th>
            <th scope="col">type</th>
            <th scope="col">meaning</th>
            <th scope="col" class="r">
              records with it
            </th>
          </tr>
        </thead>
        <tbody>
          {table.fields.map((field) => (
            <Entry
              key={field.name}
              field={field}
              records={table.reported}
              marked={entry === field.name}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Entry(props: { field: Field; records: number; marked: boolean }) {
  const { field, records, marked } = props;
  const { data } = field;
  const { limits } = data;
  const bounds = [
    limits?.enum && limits.enum.map((one) => JSON.stringify(one)).join(", "),
    limits?.minimum !== undefined && `from ${limits.minimum}`,
    limits?.maximum !== undefined && `to ${limits.maximum}`,
  ].filter(Boolean);
  return (
    <tr id={`entry-${field.name}`} class={marked ? "marked" : ""}>
      <td>
        <code>{field.name}</code> {data.highlight && <Icon name="star" className="hl" />}
        {data.highlight && <span class="vh">highlighted</span>}
      </td>
      <td>
        {data.kind}
        {bounds.length > 0 && <div class="small muted">{bounds.join(" ")}</div>}
      </td>
      <td>
        {data.title && <div>{data.title}</div>}
        {data.description}
        {!data.declared && <span class="muted">not in the output schema</span>}
        {data.keys && (
          <div class="small muted">
            Keys: <code>{Object.keys(data.keys).join(", ")}</code>
          </div>
        )}
      </td>
      <td class="r num muted">
        {formatInteger(field.count)} of {formatInteger(records)}
      </td>
    </tr>
  );
}
