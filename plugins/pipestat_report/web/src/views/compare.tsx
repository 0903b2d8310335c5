/** Two records and more side by side; the first is what the others are compared with. */
import { MOST_COMPARED, type App } from "../app.ts";
import { formatTime, plural, summarize, type Summary } from "../model/numbers.ts";
import type { Field } from "../model/table.ts";
import { isNumeric, isObject, same, type Found } from "../model/values.ts";
import { Badge, VerdictCell } from "../parts/badge.tsx";
import { Empty, Icon, IconButton } from "../parts/icons.tsx";
import { FileLink, pathOf, Picture, pictureOf, valueText, whyNoPicture } from "../parts/values.tsx";

interface Line {
  section: string;
  name: string;
  field: Field | null;
  values: readonly Found[];
  /** What the numbers of all records are here; null for other lines. */
  summary: Summary | null;
}

/** Files differ by being there: each record has its own paths. */
const isMedia = (line: Line): boolean => line.section === "Images" || line.section === "Files";
const comparable = (line: Line): readonly Found[] =>
  isMedia(line) ? line.values.map((value) => (value ?? null) !== null) : line.values;

export function Compare({ app }: { app: App }) {
  const { selected, onlyDifferences } = app.state.value;
  const ids = selected.slice(0, MOST_COMPARED);
  const { samples } = app.report;
  if (ids.length < 2) {
    return (
      <Empty title="Select two records or more">
        <p>Tick records in the table, then press Compare.</p>
        <a class="btn" href={app.link({ view: "records" })}>
          To the table
        </a>
      </Empty>
    );
  }
  const rows = ids.map((id) => samples.rowOf.get(id)!);
  const lines = linesOf(app, rows);
  const differing = lines.filter(differs).length;
  const shown = lines.filter((line) => !onlyDifferences || differs(line));
  const [head, width] = app.phone.value ? [120, 135] : [212, 220];
  return (
    <div class="gal">
      <div class="gbar">
        <a class="btn" href={app.link({ view: "records" })}>
          <Icon name="left" />
          Records
        </a>
        <b>{plural(ids.length, "record")}</b>
        <span class="muted hidem">
          <span class="num">
            {differing} of {lines.length}
          </span>{" "}
          fields differ (≠). Tinted: not as in the first; for numbers, by more than the middle half
          of all records spans.
        </span>
        <span class="sp" />
        <label>
          <input
            type="checkbox"
            checked={onlyDifferences}
            onChange={() => app.update({ onlyDifferences: !onlyDifferences })}
          />
          Only differences
        </label>
      </div>
      <div class="cmp start" tabIndex={0} role="region" aria-label="Comparison">
        <table style={{ width: `${head + ids.length * width}px` }}>
          <colgroup>
            <col style={{ width: `${head}px` }} />
            {ids.map((id) => (
              <col key={id} />
            ))}
          </colgroup>
          <thead>
            <tr>
              <td />
              {ids.map((id, i) => (
                <th key={id} scope="col">
                  <CompareHead app={app} id={id} first={i === 0} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((line, i) => (
              <>
                {line.section !== shown[i - 1]?.section && (
                  <tr class="sec" key={`section ${line.section}`}>
                    <th scope="rowgroup" colSpan={ids.length + 1}>
                      {line.section}
                    </th>
                  </tr>
                )}
                <CompareLine key={`${line.section} ${line.name}`} app={app} line={line} rows={rows} />
              </>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function CompareHead({ app, id, first }: { app: App; id: string; first: boolean }) {
  const { selected } = app.state.value;
  const others = selected.filter((one) => one !== id);
  return (
    <div class="chead">
      <a href={app.link({ record: id })} class="ell" title={id}>
        {id}
      </a>
      {first ? (
        <span class="muted small">first</span>
      ) : (
        <button
          type="button"
          class="btn quiet s"
          title="Compare the others with this one"
          aria-label={`Put ${id} first`}
          onClick={() => app.update({ selected: [id, ...others] })}
        >
          Set first
        </button>
      )}
      <IconButton
        icon="close"
        label={`Take ${id} out`}
        onClick={() => app.update({ selected: others })}
      />
    </div>
  );
}

function differs(line: Line): boolean {
  const values = comparable(line);
  return values.some((value) => !same(value, values[0]));
}

function CompareLine({ app, line, rows }: { app: App; line: Line; rows: readonly number[] }) {
  const { values } = line;
  const compared = comparable(line);
  const different = differs(line);
  return (
    <tr class={different ? "df" : ""}>
      <th scope="row">
        {different ? (
          <span class="ne" role="img" aria-label="differs">
            ≠
          </span>
        ) : (
          <span class="ne" />
        )}
        {line.name}
      </th>
      {values.map((value, i) => (
        <td key={rows[i]} class={stands(line, compared[0], compared[i]) ? "x" : ""}>
          <CompareValue app={app} line={line} value={value} row={rows[i]!} />
          {i > 0 && <Change from={values[0]} to={value} />}
        </td>
      ))}
    </tr>
  );
}

/** Whether a value stands out from the first: numbers by more than the middle half of all. */
function stands({ summary }: Line, base: Found, value: Found): boolean {
  if (same(base, value)) return false;
  if (!isNumeric(base) || !isNumeric(value) || !summary) return true;
  return Math.abs(Number(value) - Number(base)) > summary.threeQuarters - summary.quarter;
}

function CompareValue(props: { app: App; line: Line; value: Found; row: number }) {
  const { app, line, value, row } = props;
  const { samples } = app.report;
  if (line.name === "status" && !line.field) return <Badge report={app.report} row={row} />;
  if (line.name === "verdict" && !line.field) return <VerdictCell table={samples} row={row} />;
  if (value === undefined || (value === null && !line.field)) return <span class="none">–</span>;
  if (line.section === "Images") {
    const media = samples.media(row, line.name).find((one) => one.kind === "image");
    if (media) {
      const label = `Enlarge ${line.name} of ${samples.ids[row]}`;
      return (
        <button
          type="button"
          class="paper"
          aria-label={label}
          onClick={() =>
            (app.lightbox.value = { row, field: line.name, index: 0, project: false })
          }
        >
          <Picture src={pictureOf(app.report, media)} alt="" why={whyNoPicture(media)} />
        </button>
      );
    }
  }
  const path = pathOf(value);
  if (path !== null) return <FileLink path={path} media={samples.media(row, line.name)[0]} />;
  return <span title={isNumeric(value) ? String(value) : undefined}>{valueText(value, line.field)}</span>;
}

function Change({ from, to }: { from: Found; to: Found }) {
  if (!isNumeric(from) || !isNumeric(to) || from == to || Number(from) === 0) return null;
  const percent = ((Number(to) - Number(from)) / Math.abs(Number(from))) * 100;
  const text = Math.abs(percent).toFixed(Math.abs(percent) < 10 ? 1 : 0);
  return (
    <span class="de">
      {percent > 0 ? "+" : "−"}
      {text} %
    </span>
  );
}

function linesOf(app: App, rows: readonly number[]): Line[] {
  const { samples } = app.report;
  const about: Line[] = [
    line("Record", "status", rows.map((row) => samples.status(row))),
    line("Record", "verdict", rows.map((row) => samples.verdict(row))),
    line("Record", "status message", rows.map((row) => samples.message(row))),
    line("Record", "status since", rows.map((row) => formatTime(samples.since(row)))),
    line("Record", "modified", rows.map((row) => formatTime(samples.modified(row)))),
  ];
  const known = (one: Line) => one.values.some((value) => value !== null && value !== "–");
  const lines = [...about.filter(known)];
  const later: Line[] = [];
  for (const field of samples.fields) {
    const values = rows.map((row) => field.values[row]);
    if (values.every((value) => value === undefined)) continue;
    const media = rows.flatMap((row) => samples.media(row, field.name));
    if (media.some((one) => one.kind === "image" && !one.keys)) {
      later.push(line("Images", field.name, values, field));
    } else if (media.some((one) => !one.keys)) {
      later.push(line("Files", field.name, values, field));
    } else if (values.some(isObject)) {
      for (const [path, found] of flatten([field.name], values)) {
        const read = samples.reader(path);
        const numbers = samples.ids.map((_, row) => read(row)).filter(isNumeric);
        const summary = summarize(numbers.map(Number));
        later.push({ ...line("Nested", path.join("."), found), summary });
      }
    } else {
      const section = field.data.highlight ? "Highlighted" : "Values";
      lines.push(line(section, field.name, values, field));
    }
  }
  const order = ["Nested", "Images", "Files"];
  later.sort((a, b) => order.indexOf(a.section) - order.indexOf(b.section));
  return [...lines, ...later];
}

const line = (
  section: string,
  name: string,
  values: readonly Found[],
  field: Field | null = null,
): Line => ({ section, name, values, field, summary: field?.numeric ? field.summary : null });

/** Objects by the paths of what is in them. */
function flatten(path: string[], values: readonly Found[]): [string[], readonly Found[]][] {
  const keys = new Set(values.flatMap((value) => (isObject(value) ? Object.keys(value) : [])));
  if (!keys.size) return [[path, values]];
  return [...keys].flatMap((key) => {
    const inner = values.map((value) =>
      isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined,
    );
    return flatten([...path, key], inner);
  });
}
