/** A status, or a verdict, as a pill: colour, shape and word. */
import type { Verdict } from "../model/document.ts";
import { NOT_REPORTED, VERDICTS, type Report } from "../model/report.ts";
import type { Table } from "../model/table.ts";
import { Icon, type IconName } from "./icons.tsx";

const KNOWN: readonly IconName[] = ["completed", "running", "failed", "waiting", "partial"];
const OTHERS: readonly IconName[] = ["circle", "square", "diamond", "triangle"];

/** The shape of a status: the usual ones have their own, others take turns. */
export function statusIcon(report: Report, status: string): IconName {
  const index = report.statusNames.indexOf(status);
  return KNOWN.find((name) => name === status) ?? OTHERS[Math.max(0, index) % OTHERS.length]!;
}

export function Badge({ report, row }: { report: Report; row: number }) {
  const { samples } = report;
  if (row >= samples.reported) return <UnreportedBadge />;
  const status = samples.status(row);
  if (status === null) return <span class="none">–</span>;
  return <StatusBadge report={report} status={status} />;
}

export function UnreportedBadge() {
  return (
    <span class="st sn">
      <Icon name="dashes" />
      <span class="word">{NOT_REPORTED}</span>
    </span>
  );
}

export function StatusBadge({ report, status }: { report: Report; status: string }) {
  return (
    <span class={`st ${report.statusClass(status)}`}>
      <Icon name={statusIcon(report, status)} />
      <span class="word">{status}</span>
    </span>
  );
}

const VERDICT_LOOKS: Record<Verdict, [className: string, icon: IconName]> = {
  fail: ["vf", "failed"],
  warn: ["vw", "warn"],
  pass: ["vp", "completed"],
  "not judged": ["sx", "dashes"],
};

export function VerdictBadge({ verdict }: { verdict: Verdict }) {
  const [className, icon] = VERDICT_LOOKS[verdict];
  return (
    <span class={`st ${className}`}>
      <Icon name={icon} />
      <span class="word">{verdict}</span>
    </span>
  );
}

export function VerdictCell({ table, row }: { table: Table; row: number }) {
  const verdict = table.verdict(row);
  return verdict === null ? <span class="none">–</span> : <VerdictBadge verdict={verdict} />;
}

/** The reasons of a verdict, a line for each. */
export const reasonsText = (table: Table, row: number): string | undefined =>
  table.reasons(row).map(([severity, text]) => `${severity}: ${text}`).join("\n") || undefined;

/** What the QC rules say of a record: each reason with its severity. */
export function Reasons({ table, row }: { table: Table; row: number }) {
  const reasons = table.reasons(row);
  if (!reasons.length) return null;
  return (
    <ul class="reasons" aria-label="Reasons of the verdict">
      {reasons.map(([severity, text], i) => (
        <li key={i}>
          <VerdictBadge verdict={severity} /> <span>{text}</span>
        </li>
      ))}
    </ul>
  );
}

export function countVerdicts(table: Table, rows: Iterable<number>): [Verdict, number][] {
  const counts = new Map<Verdict | null, number>();
  for (const row of rows) {
    const verdict = table.verdict(row);
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  }
  return VERDICTS.filter((verdict) => counts.has(verdict)).map((one) => [one, counts.get(one)!]);
}

export interface StatusCount {
  label: string;
  /** null: records without a status; undefined: records that reported nothing. */
  status: string | null | undefined;
  count: number;
  className: string;
}

export function countStatuses(report: Report, rows: Iterable<number>): StatusCount[] {
  const counts = new Map<string | null | undefined, number>();
  for (const row of rows) {
    const status = row >= report.samples.reported ? undefined : report.samples.status(row);
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  const known: (string | null | undefined)[] = [...report.statusNames, null, undefined];
  const others = [...counts.keys()].filter((status) => !known.includes(status));
  return [...known, ...others]
    .filter((status) => counts.has(status))
    .map((status) => ({
      label: status === undefined ? NOT_REPORTED : (status ?? "no status"),
      status,
      count: counts.get(status)!,
      className: status === undefined ? "sn" : report.statusClass(status),
    }));
}

export function StatusBar({ counts, className }: { counts: StatusCount[]; className: string }) {
  return (
    <div
      class={className}
      role="img"
      aria-label={counts.map(({ label, count }) => `${label} ${count}`).join(", ") || "no records"}
    >
      {counts.map(({ label, count, className: colour }) => (
        <span key={label} class={colour} style={{ flexGrow: count }} title={`${label}: ${count}`} />
      ))}
    </div>
  );
}
