/** The filter's text with hints, and what it comes to. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { App } from "../app.ts";
import { formatFilter, formatLiteral } from "../filter/syntax.ts";
import { conditionFilter } from "../model/conditions.ts";
import { formatInteger, plural } from "../model/numbers.ts";
import { filterName, type Report } from "../model/report.ts";
import { countStatuses, StatusBar } from "../parts/badge.tsx";
import { Icon, IconButton } from "../parts/icons.tsx";
import { hintsFor, type Hint } from "./hints.ts";
import { ColumnMenu, ExportMenu } from "./menus.tsx";

export function FilterBar({ app }: { app: App }) {
  const { view, facets, compact } = app.state.value;
  return (
    <div class="fbar">
      <div class="frow">
        <FilterBox app={app} />
        <div class="ftools frow">
          {view === "records" && (
            <>
              <button
                type="button"
                class="btn"
                aria-pressed={facets}
                onClick={() => app.update({ facets: !facets })}
              >
                <Icon name="facets" />
                Facets
              </button>
              <ColumnMenu app={app} />
              <button
                type="button"
                class="btn hidem"
                aria-pressed={compact}
                title="Compact rows (d)"
                onClick={() => app.update({ compact: !compact })}
              >
                <Icon name="rows" />
                <span class="vh">Compact rows</span>
              </button>
            </>
          )}
          <ExportMenu app={app} />
        </div>
      </div>
      <FilterStatus app={app} />
    </div>
  );
}

function FilterBox({ app }: { app: App }) {
  const input = useRef<HTMLInputElement>(null);
  const hints = useSignal<readonly Hint[]>([]);
  const chosen = useSignal(-1);
  const timer = useRef(0);
  const { where } = app.state.value;
  const { error } = app.parsed.value;
  // What stands in the box is ahead of the filter while it is written.
  const draft = useSignal(where);
  const applied = useRef(where);
  useLayoutEffect(() => {
    if (where !== applied.current) draft.value = applied.current = where;
  }, [where]);
  const bad = error !== null && !(app.writing.value && error.unfinished);
  const open = hints.value.length > 0;

  const offer = () => {
    const box = input.current!;
    hints.value = hintsFor(app.report, box.value, box.selectionStart ?? box.value.length);
    chosen.value = -1;
  };
  const close = () => (hints.value = []);
  const apply = () => {
    clearTimeout(timer.current);
    app.cursor.value = -1;
    applied.current = input.current!.value;
    app.update({ where: applied.current });
  };
  const typed = () => {
    draft.value = input.current!.value;
    offer();
    clearTimeout(timer.current);
    timer.current = window.setTimeout(apply, app.report.samples.ids.length > 3000 ? 120 : 40);
  };
  const take = (hint: Hint) => {
    const box = input.current!;
    const rest = box.value.slice(box.selectionStart ?? box.value.length);
    const head = box.value.slice(0, hint.from) + hint.insert;
    box.value = head + (head.endsWith(" ") ? rest.replace(/^ /, "") : rest);
    box.setSelectionRange(head.length, head.length);
    typed();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const count = hints.value.length;
    if (event.key === "ArrowDown" && count) chosen.value = (chosen.value + 1) % count;
    else if (event.key === "ArrowUp" && count) chosen.value = (chosen.value - 1 + count) % count;
    else if (event.key === "Tab" && !event.shiftKey && count && input.current!.value.trim()) {
      take(hints.value[Math.max(0, chosen.value)]!);
    } else if (event.key === "Enter") {
      if (chosen.value >= 0 && count) take(hints.value[chosen.value]!);
      else {
        close();
        apply();
        app.writing.value = false;
        if (!app.parsed.value.error) document.querySelector<HTMLElement>(".start")?.focus();
      }
    } else if (event.key === "Escape") {
      if (count) close();
      else input.current!.blur();
    } else return;
    event.preventDefault();
    event.stopPropagation();
    document.getElementById(`hint${chosen.value}`)?.scrollIntoView({ block: "nearest" });
  };
  return (
    <div class={`fin ${bad ? "bad" : ""}`} role="search">
      <Icon name="search" />
      <input
        id="where"
        ref={input}
        type="text"
        value={draft.value}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        role="combobox"
        aria-label="Filter records"
        aria-expanded={open}
        aria-controls="hints"
        aria-autocomplete="list"
        aria-activedescendant={chosen.value >= 0 && open ? `hint${chosen.value}` : undefined}
        aria-describedby="fstat"
        aria-invalid={bad}
        placeholder={app.phone.value ? "Filter" : `Filter, for example  ${example(app.report)}`}
        onInput={typed}
        onKeyDown={onKeyDown}
        onClick={offer}
        onFocus={() => {
          app.writing.value = true;
          offer();
        }}
        onBlur={() => {
          app.writing.value = false;
          close();
        }}
      />
      {where ? (
        <IconButton
          icon="close"
          label="Clear the filter"
          className="quiet s clr"
          onClick={() => {
            app.update({ where: "" });
            input.current!.focus();
          }}
        />
      ) : (
        <span class="k">
          <kbd>/</kbd>
        </span>
      )}
      <ul class="hints" id="hints" role="listbox" aria-label="Hints" hidden={!open}>
        {hints.value.map((hint, i) => (
          <li
            key={hint.text}
            id={`hint${i}`}
            role="option"
            aria-selected={i === chosen.value}
            onMouseDown={(event) => {
              event.preventDefault();
              take(hint);
            }}
          >
            <span class="mono">{hint.text}</span>
            <span class="d">{hint.about}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A filter that this report has an answer to. */
function example(report: Report): string {
  const field = report.numericFields[0];
  if (!field) return "record_identifier like '%1'";
  return `${filterName(field.name)} > ${Number(field.summary!.median.toPrecision(2))}`;
}

function FilterStatus({ app }: { app: App }) {
  const { where, conditions } = app.state.value;
  const { error, unknown } = app.parsed.value;
  const rows = app.rows.value;
  const { reported, ids } = app.report.samples;
  if (error && !(app.writing.value && error.unfinished)) {
    const word = /^[^\s'"]+$/.test(where.trim()) ? where.trim() : null;
    const search = `record_identifier like ${formatLiteral(`%${word}%`)}`;
    return (
      <div class="fstat" id="fstat" role="status">
        <span class="err">
          <Icon name="warn" />
          <span class="ell" title={error.hint ?? undefined}>
            Column {error.column}: {error.message}
            {error.hint && `; ${error.hint}`}.
          </span>
        </span>
        {word && (
          <button type="button" class="btn s" onClick={() => app.update({ where: search })}>
            Find ids that contain <code>{word}</code>
          </button>
        )}
        <span class="muted">The last valid filter holds: {plural(rows.length, "record")}.</span>
      </div>
    );
  }
  const some = where.trim() || conditions.size;
  const unreported = rows.filter((row) => row >= reported).length;
  return (
    <div class="fstat" id="fstat" role="status">
      <span class="nowrap num">
        <b>{formatInteger(rows.length)}</b>{" "}
        <span class="muted">
          {rows.length === ids.length ? "records" : `of ${formatInteger(ids.length)}`}
          {unreported > 0 && `, ${formatInteger(unreported)} not reported`}
        </span>
      </span>
      <StatusBar counts={countStatuses(app.report, rows)} className="minibar" />
      {unknown.length > 0 && (
        <span class="err">
          <Icon name="warn" />
          <span class="ell">no result is called {unknown.join(", ")}</span>
        </span>
      )}
      <span class="chips">
        {[...conditions].map(([name, condition]) => {
          const filter = conditionFilter(name, condition);
          const text = filter ? formatFilter(filter) : "not reported";
          const more = filter && condition.kind === "choice" && condition.unreported;
          return (
            <span class="chip" key={name}>
              {text}
              {more && " or not reported"}
              <button
                type="button"
                aria-label={`Remove the condition ${text}`}
                onClick={() => app.setCondition(name, null)}
              >
                <Icon name="close" />
              </button>
            </span>
          );
        })}
      </span>
      {some ? (
        <button type="button" class="btn s quiet" onClick={() => app.clearFilter()}>
          Clear all
        </button>
      ) : null}
    </div>
  );
}
