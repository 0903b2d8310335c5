/** One cell of the table, by what its value is. */
import { formatTime, short } from "../model/numbers.ts";
import { CREATED, ID, MESSAGE, MODIFIED, STATUS, type Column, type Report } from "../model/report.ts";
import { isNumeric, isObject, toJSON, type Found } from "../model/values.ts";
import { Badge, reasonsText, VerdictCell } from "../parts/badge.tsx";
import { Picture, pathOf, pictureOf, titleOf, valueText, whyNoPicture } from "../parts/values.tsx";

interface CellProps {
  report: Report;
  column: Column;
  /** The place of the column, the first is 0. */
  index: number;
  row: number;
  selected: boolean;
}

export function Cell({ report, column, index, row, selected }: CellProps) {
  const id = report.samples.ids[row]!;
  switch (column.key) {
    case ID:
      return (
        <th scope="row" aria-colindex={index + 1}>
          <div class="idc">
            <input type="checkbox" tabIndex={-1} checked={selected} aria-label={`Select ${id}`} />
            <span class="id" title={id}>
              {id}
            </span>
          </div>
        </th>
      );
    case STATUS:
      return (
        <td aria-colindex={index + 1} title={statusTitle(report, row)}>
          <Badge report={report} row={row} />
        </td>
      );
    case report.samples.verdictField:
      return (
        <td aria-colindex={index + 1} title={reasonsText(report.samples, row)}>
          <VerdictCell table={report.samples} row={row} />
        </td>
      );
    case MODIFIED:
    case CREATED: {
      const time = column.read(row) as string | null;
      return (
        <td aria-colindex={index + 1} class="num muted" title={time ?? undefined}>
          {formatTime(time)}
        </td>
      );
    }
  }
  const value = column.read(row);
  if (value === undefined || (column.key === MESSAGE && value === null)) {
    return <td aria-colindex={index + 1} class={`none ${column.numeric ? "r" : ""}`}>–</td>;
  }
  if (value === null) return <td aria-colindex={index + 1} class={`none ${column.numeric ? "r" : ""}`}>null</td>;
  if (isNumeric(value)) return <NumberCell column={column} index={index} value={value} />;
  if (typeof value === "boolean") {
    return <td aria-colindex={index + 1} class={value ? "" : "muted"}>{value ? "yes" : "no"}</td>;
  }
  if (typeof value === "string") return <td aria-colindex={index + 1} title={value}>{value}</td>;
  const image = report.samples.media(row, column.key).find((media) => media.kind === "image");
  if (image) {
    const name = `${titleOf(value) ?? column.title} of ${id}`;
    return (
      <td aria-colindex={index + 1}>
        <button type="button" class="th" tabIndex={-1} data-image={column.key} aria-label={name}>
          <Picture src={pictureOf(report, image)} alt="" why={whyNoPicture(image)} />
        </button>
      </td>
    );
  }
  return <ObjectCell {...{ report, column, index, row }} value={value} />;
}

/** Since when a record has its status, and what was said with it. */
function statusTitle({ samples }: Report, row: number): string | undefined {
  const since = samples.since(row);
  const parts = [since && `since ${formatTime(since)} UTC`, samples.message(row)];
  return parts.filter(Boolean).join("\n") || undefined;
}

/** A number with its place: a bar from zero for integers, a dot between the ends for others. */
function NumberCell(props: { column: Column; index: number; value: number | bigint }) {
  const { column, index, value } = props;
  const summary = column.field?.summary;
  const text = valueText(value, column.field);
  if (!column.numeric || !summary) {
    return (
      <td aria-colindex={index + 1} class="r num" title={String(value)}>
        {text}
      </td>
    );
  }
  const integer = column.field!.data.kind === "integer" && summary.low >= 0;
  const low = integer ? 0 : summary.low;
  const share = ((Number(value) - low) / (summary.high - low || 1)) * 100;
  return (
    <td aria-colindex={index + 1} class="r num" title={String(value)}>
      <div class="cell">
        {integer ? (
          <span class="brk">
            <i style={{ width: `${share.toFixed(1)}%` }} />
          </span>
        ) : (
          <span class="trk">
            <i style={{ left: `${share.toFixed(1)}%` }} />
          </span>
        )}
        <span class="v">{text}</span>
      </div>
    </td>
  );
}

function ObjectCell(props: Omit<CellProps, "selected"> & { value: Found }) {
  const { report, column, index, row, value } = props;
  const path = pathOf(value);
  if (path !== null) {
    const media = report.samples.media(row, column.key)[0];
    const name = path.split("/").pop()!;
    return (
      <td aria-colindex={index + 1} title={path} class="mono">
        {media?.href ? (
          <a href={media.href} target="_blank" rel="noopener noreferrer" tabIndex={-1}>
            {name}
          </a>
        ) : (
          <span class={media?.missing ? "struck" : ""}>{name}</span>
        )}
      </td>
    );
  }
  const text = toJSON(value);
  if (!isObject(value)) return <td aria-colindex={index + 1} title={text}>{text.slice(0, 200)}</td>;
  return (
    <td aria-colindex={index + 1} class="muted num" title={text.slice(0, 2000)}>
      {Object.entries(value)
        .slice(0, 2)
        .map(([key, item], i) => (
          <span key={key}>
            {i > 0 && " · "}
            {key} <b>{isNumeric(item) ? short(Number(item)) : valueText(item).slice(0, 30)}</b>
          </span>
        ))}
    </td>
  );
}
