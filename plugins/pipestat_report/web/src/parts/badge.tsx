/** A status as a pill: colour, shape and word. */
import { NOT_REPORTED, type Report } from "../model/report.ts";
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
