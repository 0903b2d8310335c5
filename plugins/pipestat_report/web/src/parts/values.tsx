/** Values as people read them; a value is always text, never markup. */
import type { Media } from "../model/document.ts";
import { formatInteger, formatNumber } from "../model/numbers.ts";
import type { Report } from "../model/report.ts";
import type { Field } from "../model/table.ts";
import { isArray, isNumeric, isObject, toJSON, type Found, type Value } from "../model/values.ts";
import { Icon } from "./icons.tsx";

/** Text of a value on one line; numbers with the precision of their column. */
export function valueText(value: Found, field: Field | null = null): string {
  if (value === undefined) return "–";
  if (value === null) return "null";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (isNumeric(value)) {
    if (field?.numeric) return formatNumber(value, field.decimals);
    const decimals = Number.isInteger(Number(value)) ? 0 : 6;
    return decimals ? String(value) : formatInteger(value);
  }
  if (typeof value === "string") return value;
  if (isObject(value) && typeof value.path === "string") return value.path;
  return toJSON(value);
}

export const pathOf = (value: Found): string | null =>
  isObject(value) && typeof value.path === "string" ? value.path : null;

export const titleOf = (value: Found): string | null =>
  isObject(value) && typeof value.title === "string" ? value.title : null;

/** The link to a file, or its path as text where there is none. */
export function FileLink({ path, media }: { path: string; media: Media | undefined }) {
  if (media?.missing) {
    return (
      <span class="path">
        <code title={path}>{path}</code>
        <span class="gone">
          <Icon name="warn" /> not there
        </span>
      </span>
    );
  }
  return (
    <span class="path">
      {media?.href ? (
        <a href={media.href} target="_blank" rel="noopener noreferrer" title={path}>
          <code>{path}</code>
        </a>
      ) : (
        <code title={media?.address ?? path}>{path}</code>
      )}
      {media?.address && <span class="muted small nowrap">{placeOf(media.address)}</span>}
    </span>
  );
}

const PLACES: Record<string, string> = { s3: "S3", s3a: "S3", gs: "Google Storage", az: "Azure" };

/** What an address that no browser can open is in. */
function placeOf(address: string): string {
  const protocol = address.split("://")[0]!.toLowerCase();
  return `on ${PLACES[protocol] ?? protocol}`;
}

/** Nested objects and arrays, open. */
export function Tree({ value }: { value: Value }) {
  const entries: [string, Value][] = isArray(value)
    ? value.map((item, i) => [String(i), item])
    : Object.entries(isObject(value) ? value : {});
  return (
    <ul>
      {entries.slice(0, MOST_ENTRIES).map(([key, item]) =>
        typeof item === "object" && item !== null && Object.keys(item).length ? (
          <li class="n" key={key}>
            <details class="tree" open>
              <summary>
                <Icon name="right" />
                <span class="k">{key}</span>
              </summary>
              <Tree value={item} />
            </details>
          </li>
        ) : (
          <li key={key}>
            <span class="k">{key}</span>
            <span class="v">{valueText(item)}</span>
          </li>
        ),
      )}
      {entries.length > MOST_ENTRIES && (
        <li class="n muted">{formatInteger(entries.length - MOST_ENTRIES)} more</li>
      )}
    </ul>
  );
}
const MOST_ENTRIES = 200;

/** What stands for an image: its thumbnail, else what it leads to, else null. */
export function pictureOf(report: Report, media: Media): string | null {
  if (media.thumbnail) return report.thumbnail(media.thumbnail);
  return media.shown && media.href ? media.href : null;
}

/** A picture, or words where there is none: never a broken one. */
export function Picture(props: { src: string | null; alt: string; why: string }) {
  const failed = (event: Event) => {
    const image = event.currentTarget as HTMLImageElement;
    image.hidden = true;
    image.nextElementSibling?.removeAttribute("hidden");
  };
  return (
    <>
      {props.src && (
        <img key={props.src} src={props.src} alt={props.alt} loading="lazy" onError={failed} />
      )}
      <span key={`no ${props.src}`} class="nopic" hidden={props.src !== null}>
        <Icon name="file" />
        <span>{props.why}</span>
      </span>
    </>
  );
}

export function whyNoPicture(media: Media): string {
  if (media.missing) return "the file is not there";
  if (media.address) return `${placeOf(media.address)}, not fetched`;
  return media.href ? "no preview; open it" : "no preview";
}
