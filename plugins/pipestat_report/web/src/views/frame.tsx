/** The frame of all views: top bar, filter bar, the view, the record beside it. */
import { effect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { App } from "../app.ts";
import { formatInteger } from "../model/numbers.ts";
import { VIEWS, type View } from "../model/state.ts";
import { Icon, IconButton } from "../parts/icons.tsx";
import { visible } from "../parts/visible.ts";
import { Compare } from "./compare.tsx";
import { FilterBar } from "./filter_bar.tsx";
import { Gallery } from "./gallery.tsx";
import { Glossary } from "./glossary.tsx";
import { KeysDialog, useKeys } from "./keys.tsx";
import { Lightbox } from "./lightbox.tsx";
import { LiveMark, LiveWarnings } from "./live.tsx";
import { Overview } from "./overview.tsx";
import { Plots } from "./plots.tsx";
import { PrintPage } from "./print.tsx";
import { RecordPanel } from "./record_panel.tsx";
import { Records } from "./records.tsx";
import { ThemeButton } from "./theme.tsx";

export const TITLES: Record<View, string> = {
  overview: "Overview",
  records: "Records",
  gallery: "Gallery",
  plots: "Plots",
  glossary: "Glossary",
  compare: "Compare",
};

export function Frame({ app }: { app: App }) {
  useKeys(app);
  useEffect(
    () =>
      effect(() => {
        document.title = visible(`${app.report.data.title} · ${TITLES[app.state.value.view]}`);
      }),
    [],
  );
  const { view, record } = app.state.value;
  const filtered = view === "records" || view === "gallery" || view === "plots";
  const filled = ["records", "gallery", "compare"].includes(view);
  return (
    <>
      <div class={`app ${record !== null ? "has-rec" : ""}`}>
        <TopBar app={app} />
        <div class="warns">
          <LiveWarnings app={app} />
          {app.warning.value && (
            <p class="warning" role="alert">
              <Icon name="warn" />
              <span>{app.warning.value}</span>
              <IconButton
                icon="close"
                label="Close the warning"
                onClick={() => (app.warning.value = null)}
              />
            </p>
          )}
          {filtered && <FilterBar app={app} />}
        </div>
        <main id="main" tabIndex={filled ? -1 : 0} class={filled ? "filled" : ""}>
          <CurrentView app={app} view={view} />
        </main>
      </div>
      {record !== null && <RecordPanel app={app} id={record} />}
      {app.lightbox.value && <Lightbox app={app} shown={app.lightbox.value} />}
      {app.keysShown.value && <KeysDialog app={app} />}
      <div class={app.message.value ? "toast" : "vh"} role="status">
        {app.message.value}
      </div>
      <PrintPage app={app} />
    </>
  );
}

function CurrentView({ app, view }: { app: App; view: View }) {
  switch (view) {
    case "overview":
      return <Overview app={app} />;
    case "records":
      return <Records app={app} />;
    case "gallery":
      return <Gallery app={app} />;
    case "plots":
      return <Plots app={app} />;
    case "compare":
      return <Compare app={app} />;
    case "glossary":
      return <Glossary app={app} />;
  }
}

function TopBar({ app }: { app: App }) {
  const { view } = app.state.value;
  const { report } = app;
  const counts: Partial<Record<View, number>> = { records: report.samples.ids.length };
  if (report.imageCount) counts.gallery = report.imageCount;
  return (
    <header class="top">
      <a class="brand" href={app.link({ view: "overview", record: null })}>
        <svg class="mk" viewBox="0 0 18 18" aria-hidden="true">
          <rect x="1" y="1" width="16" height="16" rx="4" />
          <path d="M5 12V9M9 12V5M13 12V7.5" />
        </svg>
        <span>{report.data.title}</span>
      </a>
      <nav class="tabs" aria-label="Views">
        {VIEWS.map((name) => {
          const current = name === view || (name === "records" && view === "compare");
          return (
            <a
              key={name}
              href={app.link({ view: name, record: null })}
              aria-current={current ? "page" : undefined}
            >
              {TITLES[name]}
              {counts[name] !== undefined && <span class="n num">{formatInteger(counts[name])}</span>}
            </a>
          );
        })}
      </nav>
      <span class="sp" />
      <div class="tools">
        <LiveMark app={app} />
        <IconButton
          icon="help"
          label="Keys (?)"
          className="quiet hidem"
          onClick={() => (app.keysShown.value = true)}
        />
        <ThemeButton />
      </div>
    </header>
  );
}
