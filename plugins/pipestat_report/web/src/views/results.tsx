/** All results of one record, grouped by what they are, with their history. */
import type { ComponentChildren } from "preact";
import type { App } from "../app.ts";
import type { Media } from "../model/document.ts";
import { formatInteger, formatTime, short } from "../model/numbers.ts";
import type { Field, Table } from "../model/table.ts";
import { at, isNumeric, type Found } from "../model/values.ts";
import { Reasons } from "../parts/badge.tsx";
import { copy } from "../parts/clipboard.ts";
import { Empty, IconButton } from "../parts/icons.tsx";
import {
  FileLink,
  pathOf,
  Picture,
  pictureOf,
  titleOf,
  Tree,
  valueText,
  whyNoPicture,
} from "../parts/values.tsx";

/** All results of a record of a level, grouped by what they are. */
export function Results(props: {
  app: App;
  table: Table;
  row: number;
  open: (field: string, index: number) => void;
}) {
  const { app, table, row, open } = props;
  const has = (field: Field) => field.values[row] !== undefined;
  const images = (field: Field) => table.media(row, field.name).filter((m) => m.kind === "image");
  const reported = table.fields.filter(has);
  const missing = table.fields.filter((field) => !has(field) && field.data.declared);
  const groups: Record<"highlighted" | "values" | "nested" | "files", Field[]> = {
    highlighted: [],
    values: [],
    nested: [],
    files: [],
  };
  for (const field of reported) {
    const value = field.values[row];
    const isFile = pathOf(value) !== null && table.media(row, field.name).length > 0;
    if (isFile) {
      if (!images(field).length) groups.files.push(field);
    } else if (typeof value === "object" && value !== null) groups.nested.push(field);
    else groups[field.data.highlight ? "highlighted" : "values"].push(field);
  }
  const pictures = reported.flatMap((field) =>
    images(field).map((media, index) => ({ field, media, index })),
  );
  if (!reported.length && !table.removed(row).length) {
    return (
      <>
        <Reasons table={table} row={row} />
        <Empty title="No results yet">
          <p>Nothing was reported for this record.</p>
        </Empty>
      </>
    );
  }
  const line = (field: Field) => <ValueLine key={field.name} {...{ app, table, row, field }} />;
  return (
    <>
      <Reasons table={table} row={row} />
      <Group
        title="Highlighted"
        note="among all records: box the middle half, line the median"
        shown={groups.highlighted.length > 0}
      >
        <dl>{groups.highlighted.map(line)}</dl>
      </Group>
      <Group title="Images" note={String(pictures.length)} shown={pictures.length > 0}>
        <div class="imgs">
          {pictures.map(({ field, media, index }) => (
            <ImageFigure
              key={`${field.name} ${index}`}
              app={app}
              field={field}
              media={media}
              value={at(field.values[row], media.keys ?? [])}
              onOpen={() => open(field.name, index)}
            />
          ))}
        </div>
      </Group>
      <Group title="Values" shown={groups.values.length > 0}>
        <dl>{groups.values.map(line)}</dl>
      </Group>
      <Group title="Nested" shown={groups.nested.length > 0}>
        {groups.nested.map((field) => (
          <NestedLine key={field.name} {...{ app, table, row, field }} />
        ))}
      </Group>
      <Group title="Files" note={String(groups.files.length)} shown={groups.files.length > 0}>
        <dl>
          {groups.files.map((field) => (
            <div class="kv" key={field.name}>
              <Name app={app} field={field} />
              <dd>
                <FileLine app={app} value={field.values[row]} media={table.media(row, field.name)[0]} />
                <Timeline table={table} row={row} name={field.name} field={field} />
              </dd>
            </div>
          ))}
        </dl>
      </Group>
      <Removed table={table} row={row} />
      <Source table={table} row={row} />
      <Group
        title="Not reported"
        note={String(missing.length)}
        shown={missing.length > 0 && reported.length > 0}
      >
        <p class="mono muted names">{missing.map((field) => field.name).join(", ")}</p>
      </Group>
    </>
  );
}

function Group(props: {
  title: string;
  note?: string;
  shown: boolean;
  children: ComponentChildren;
}) {
  if (!props.shown) return null;
  return (
    <section class="grp">
      <h3>
        {props.title} {props.note && <span>{props.note}</span>}
      </h3>
      {props.children}
    </section>
  );
}

interface LineProps {
  app: App;
  table: Table;
  row: number;
  field: Field;
}

function Name({ app, field }: { app: App; field: Field }) {
  return (
    <dt>
      <a
        title={field.data.description ?? field.label}
        href={app.link({ view: "glossary", entry: field.name, record: null })}
      >
        {field.name}
      </a>
    </dt>
  );
}

function ValueLine({ app, table, row, field }: LineProps) {
  const value = field.values[row];
  return (
    <div class="kv">
      <Name app={app} field={field} />
      <dd>
        <div class="top1">
          <span class={`v ${isNumeric(value) ? "number" : ""}`} title={valueTitle(value)}>
            {valueText(value, field)}
          </span>
          {isNumeric(value) && table.ids.length > 1 && <Position field={field} value={value} />}
        </div>
        <Timeline table={table} row={row} name={field.name} field={field} />
      </dd>
    </div>
  );
}

const valueTitle = (value: Found): string | undefined =>
  isNumeric(value) ? String(value) : undefined;

function NestedLine({ app, table, row, field }: LineProps) {
  const value = field.values[row]!;
  const count = Object.keys(value as object).length;
  const isList = Array.isArray(value);
  return (
    <div class="nested">
      <details class="tree" open={count <= 40}>
        <summary title={field.data.description}>
          <span class="k">{field.name}</span>{" "}
          <span class="muted small">
            {formatInteger(count)} {isList ? "items" : "keys"}
          </span>
        </summary>
        <Tree value={value} />
        {table.media(row, field.name).map((media) => (
          <FileLine
            key={media.keys?.join(" ")}
            app={app}
            value={at(value, media.keys ?? [])}
            media={media}
          />
        ))}
      </details>
      <Timeline table={table} row={row} name={field.name} field={field} />
    </div>
  );
}

function FileLine(props: { app: App; value: Found; media: Media | undefined }) {
  const path = pathOf(props.value);
  if (path === null) return null;
  return (
    <div class="top1 file">
      <FileLink path={path} media={props.media} />
      <IconButton
        icon="copy"
        label={`Copy the path ${path}`}
        onClick={() => void copy(props.app, props.media?.address ?? path)}
      />
    </div>
  );
}

function ImageFigure(props: {
  app: App;
  field: Field;
  media: Media;
  value: Found;
  onOpen: () => void;
}) {
  const { media, value, field } = props;
  const title = titleOf(value) ?? field.name;
  return (
    <figure>
      <button type="button" class="paper" aria-label={`Enlarge ${title}`} onClick={props.onOpen}>
        <Picture src={pictureOf(props.app.report, media)} alt={title} why={whyNoPicture(media)} />
      </button>
      <figcaption>
        {media.href ? (
          <a href={media.href} target="_blank" rel="noopener noreferrer" title={pathOf(value) ?? ""}>
            {title}
          </a>
        ) : (
          <span title={pathOf(value) ?? ""}>{title}</span>
        )}
      </figcaption>
    </figure>
  );
}

/** Where a number stands among those of all records. */
function Position({ field, value }: { field: Field; value: number | bigint }) {
  const summary = field.summary;
  if (!summary) return null;
  const x = (number: number) =>
    4 + ((number - summary.low) / (summary.high - summary.low || 1)) * 112;
  const label =
    `among all records: lowest ${short(summary.low)}, ` +
    `median ${short(summary.median)}, highest ${short(summary.high)}`;
  return (
    <svg class="pos" viewBox="0 0 120 18" role="img" aria-label={label}>
      <title>{label}</title>
      <path class="line" d="M4 9H116" />
      <rect
        class="half"
        x={x(summary.quarter)}
        y="5"
        width={Math.max(1, x(summary.threeQuarters) - x(summary.quarter))}
        height="8"
        rx="1.5"
      />
      <path class="median" d={`M${x(summary.median)} 4V14`} />
      <circle cx={x(Number(value))} cy="9" r="4" />
    </svg>
  );
}

/** The values that a result had, the newest first. */
function Timeline(props: { table: Table; row: number; name: string; field: Field | null }) {
  const { table, row, name, field } = props;
  const entries = table.history(row, name);
  if (!entries.length) return null;
  const now = field?.values[row];
  return (
    <ol class="tl" aria-label={`History of ${name}, newest first`}>
      {now !== undefined && (
        <li class="now">
          <span class="t">now</span>
          <span class="v">{valueText(now, field)}</span>
        </li>
      )}
      {entries.reverse().map(({ time, value }) => (
        <li key={time}>
          <span class="t" title={`until ${time}`}>
            until {formatTime(time)}
          </span>
          <span class="v" title={valueTitle(value)}>
            {valueText(value, field)}
          </span>
        </li>
      ))}
    </ol>
  );
}

function Removed({ table, row }: { table: Table; row: number }) {
  const names = table.removed(row);
  return (
    <Group title="Removed" note={String(names.length)} shown={names.length > 0}>
      <dl>
        {names.map((name) => (
          <div class="kv" key={name}>
            <dt>{name}</dt>
            <dd>
              <Timeline table={table} row={row} name={name} field={table.byName.get(name) ?? null} />
            </dd>
          </div>
        ))}
      </dl>
    </Group>
  );
}

function Source({ table, row }: { table: Table; row: number }) {
  const source = table.source(row);
  return (
    <Group title="Source" shown={source !== undefined && source !== null}>
      <div class="tree">
        <Tree value={source ?? null} />
      </div>
    </Group>
  );
}
