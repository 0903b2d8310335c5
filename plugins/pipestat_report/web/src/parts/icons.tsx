/** Drawings of 14 by 14, for what is always said in text as well. */
import type { ComponentChildren } from "preact";

const PATHS = {
  completed: "m2.5 7.5 3 3 6-7",
  running: "M4 2.500v9l7-4.500z",
  failed: "m3 3 8 8M11 3l-8 8",
  waiting: "M12 7A5 5 0 1 1 2 7a5 5 0 0 1 10 0M7 4v3l2 1.5",
  partial: "M12 7A5 5 0 1 1 2 7a5 5 0 0 1 10 0M7 2v10M9 3v8M11 5v4",
  circle: "M11 7A4 4 0 1 1 3 7a4 4 0 0 1 8 0",
  square: "M3.5 3.500h7v7h-7z",
  diamond: "M7 2.5 11.5 7 7 11.5 2.5 7z",
  triangle: "M7 3l4.5 8h-9z",
  dashes: "M3 7h1.500M6.3 7h1.400M9.5 7H11",
  warn: "M7 1.8 13 12.200H1zM7 5.800v2.800M7 10.400v.1",
  search: "M10 6A4 4 0 1 1 2 6a4 4 0 0 1 8 0M9 9l3.5 3.5",
  close: "m3.5 3.5 7 7M10.5 3.500l-7 7",
  left: "M9 3 5 7l4 4",
  right: "m5 3 4 4-4 4",
  up: "m3 9 4-4 4 4",
  down: "m3 5 4 4 4-4",
  facets: "M2 3.500h10M4 7h6M5.5 10.500h3",
  columns: "M2 2.500h10v9H2zM5.5 2.500v9M9 2.500v9",
  rows: "M2 3h10M2 5.700h10M2 8.300h10M2 11h10",
  export: "M7 2v7M4 6.5 7 9.500l3-3M2.5 12h9",
  copy: "M5 5h7v7H5zM9 5V2H2v7h3",
  light:
    "M9.6 7A2.6 2.6 0 1 1 4.4 7a2.6 2.6 0 0 1 5.2 0M7 1v1.400M7 11.600V13M1 7h1.400M11.6 7H13" +
    "M2.8 2.800l1 1M10.2 10.200l1 1M2.8 11.200l1-1M10.2 3.800l1-1",
  dark: "M11.8 8.600A5 5 0 0 1 5.4 2.200a5 5 0 1 0 6.4 6.400z",
  auto: "M12 7A5 5 0 1 1 2 7a5 5 0 0 1 10 0M7 2v10M5.5 2.500v9M4 3.200v7.6",
  help:
    "M12.5 7A5.5 5.5 0 1 1 1.5 7a5.5 5.5 0 0 1 11 0" +
    "M5.4 5.600a1.6 1.6 0 1 1 2.3 1.500c-.5.3-.7.5-.7 1.100M7 10v.1",
  file: "M3.5 1.500h5l2.5 2.500v8.500h-7.500zM8.5 1.500V4H11",
  star: "M7 1.5 8.7 5l3.8.5-2.8 2.6.7 3.800L7 10.100l-3.4 1.8.7-3.800L1.5 5.5 5.3 5z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, className = "" }: { name: IconName; className?: string }) {
  return (
    <svg class={`i ${className}`} viewBox="0 0 14 14" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A button that is only a drawing; `label` says what it does. */
export function IconButton(props: {
  icon: IconName;
  label: string;
  onClick: (event: MouseEvent) => void;
  className?: string;
  disabled?: boolean;
  id?: string;
}) {
  return (
    <button
      type="button"
      id={props.id}
      class={`btn ic ${props.className ?? "quiet s"}`}
      aria-label={props.label}
      title={props.label}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}

export function Empty(props: { title: string; children: ComponentChildren }) {
  return (
    <div class="empty">
      <svg class="big" viewBox="0 0 56 40" aria-hidden="true">
        <rect x="4" y="6" width="48" height="28" rx="4" />
        <path d="M4 14h48M16 14v20M22 20h18M22 26h12" />
      </svg>
      <h2>{props.title}</h2>
      {props.children}
    </div>
  );
}
