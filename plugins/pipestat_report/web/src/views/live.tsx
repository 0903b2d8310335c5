/** What a page that a server keeps up to date says of itself. */
import type { App } from "../app.ts";
import { formatInteger, formatTime } from "../model/numbers.ts";
import { Icon } from "../parts/icons.tsx";

/** Whether what is shown is what is stored, in a word. */
export function LiveMark({ app }: { app: App }) {
  if (!app.live) return null;
  // A server that answers and cannot read its store is not live either.
  const contact = app.live.trouble.value === null ? app.live.contact.value : "lost";
  const words = { live: "live", polling: "live, every 5 s", lost: "not live", denied: "not live" };
  return (
    <>
      {(app.report.data.stores ?? 1) > 1 && (
        <a class="live-all hidem" href="../../">
          All stores
        </a>
      )}
      <span class={`live ${contact}`} title={`Last heard ${timeOf(app)} UTC`}>
        {words[contact]}
      </span>
    </>
  );
}

export function LiveWarnings({ app }: { app: App }) {
  const { live } = app;
  if (!live) return null;
  const contact = live.contact.value;
  const trouble = live.trouble.value;
  return (
    <>
      {contact === "lost" && (
        <Warning>
          Connection lost, last update {timeOf(app)} UTC. What is shown may be old; the page goes on
          by itself when the server answers again.
        </Warning>
      )}
      {contact === "denied" && (
        <Warning>
          The server does not let this browser in any more, last update {timeOf(app)} UTC: open the
          link that <code>pipestat-spec serve</code> printed.
        </Warning>
      )}
      {trouble !== null && (
        <Warning>The store cannot be read now, and what is shown may be old: {trouble}</Warning>
      )}
      <PartNote app={app} />
    </>
  );
}

const timeOf = (app: App): string => {
  const time = app.live!.heardAt.value;
  return `${formatTime(time)}:${time.slice(17, 19)}`;
};

function Warning({ children }: { children: preact.ComponentChildren }) {
  return (
    <p class="warning" role="alert">
      <Icon name="warn" />
      <span>{children}</span>
    </p>
  );
}

/** Says which part of a large store is shown, and leads to others. */
function PartNote({ app }: { app: App }) {
  const { part, samples } = app.report.data;
  const filter = app.wholeFilter.value;
  if (!part) return null;
  const link = (parameters: Record<string, string | null>): string => {
    const given = Object.entries(parameters).filter(([, text]) => text);
    return `?${new URLSearchParams(given as [string, string][])}`;
  };
  return (
    <p class="warning part" role="note">
      <Icon name="warn" />
      <span>
        {formatInteger(samples.ids.length)} of {formatInteger(part.total)} records{" "}
        {part.where && (
          <>
            that match <code>{part.where}</code>{" "}
          </>
        )}
        are on this page, {part.cursor === null ? "from the first one" : `after ${part.cursor}`}
        {part.next !== null && ": too many for one"}. All else here, also filters, is about these
        only, and former values are not shown.{" "}
        {part.next !== null && <a href={link({ where: part.where, cursor: part.next })}>Next</a>}{" "}
        {part.cursor !== null && <a href={link({ where: part.where })}>First</a>}{" "}
        {filter && filter !== part.where && (
          <a href={link({ where: filter })}>Search the whole store by this filter</a>
        )}{" "}
        {part.where && <a href="?">All records</a>}
      </span>
    </p>
  );
}
