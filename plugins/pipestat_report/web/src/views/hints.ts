/** What the filter box offers at the caret: names, operators, values. */
import { expectedAt } from "../filter/hints.ts";
import { formatLiteral, formatPath, formatSegment } from "../filter/syntax.ts";
import { plural } from "../model/numbers.ts";
import { filterName, ID, STATUS, VERDICTS, type Report } from "../model/report.ts";

export interface Hint {
  text: string;
  about: string;
  insert: string;
  from: number;
}

type Draft = Omit<Hint, "from">;
const MOST = 12;

export function hintsFor(report: Report, text: string, caret: number): Hint[] {
  const expected = expectedAt(text, caret);
  if (!expected) return [];
  const { kind, path, prefix, from } = expected;
  const drafts: Record<typeof kind, () => Draft[]> = {
    field: () => fieldHints(report, prefix, text.trim()),
    operator: () => starting(operatorHints(isText(report, path)), prefix),
    value: () => valueHints(report, path, prefix),
    joint: () => starting([draft("and", "both"), draft("or", "either")], prefix),
  };
  const found = drafts[kind]();
  if (found.length === 1 && found[0]!.text === prefix) return [];
  return found.slice(0, MOST).map((hint) => ({ ...hint, from }));
}

const draft = (text: string, about: string, insert = `${text} `): Draft => ({
  text,
  about,
  insert,
});

const starting = (drafts: Draft[], prefix: string): Draft[] =>
  drafts.filter((hint) => hint.text.toLowerCase().startsWith(prefix.toLowerCase()));

function fieldHints(report: Report, prefix: string, whole: string): Draft[] {
  const fields = report.samples.fields
    .filter((field) => !["file", "image"].includes(field.data.kind))
    .flatMap(({ name, data }) => {
      const own = filterName(name);
      const about = data.description ?? data.title ?? data.kind;
      if (!data.keys) return [draft(own, about)];
      const keys = Object.entries(data.keys);
      const inner = keys.map(([key, kind]) => draft(formatPath([name, key]), String(kind ?? "")));
      return prefix.includes(".") ? inner : [draft(`${own}.`, about, `${own}.`)];
    });
  const special = report.samples.specialFields.map((name) =>
    draft(
      name,
      name === ID
        ? "the record's identifier"
        : name === STATUS
          ? report.statusNames.join(", ")
          : name === report.samples.verdictField
            ? VERDICTS.join(", ")
            : "text such as 2026-01-31T12:00:00.000000Z",
    ),
  );
  const everything = [...fields, ...special];
  const low = prefix.toLowerCase();
  const begins = starting(everything, prefix);
  const holds = everything.filter((hint) => low && hint.text.toLowerCase().indexOf(low) > 0);
  const found = [...begins, ...holds];
  if (found.length || prefix.length < 2 || whole !== prefix) return found;
  const search = `record_identifier like ${formatLiteral(`%${prefix}%`)}`;
  return [draft(search, "ids that contain it")];
}

function isText(report: Report, path: readonly string[]): boolean {
  if (path.length === 1 && report.samples.specialFields.includes(path[0]!)) return true;
  const field = report.samples.byName.get(path[0] ?? "");
  const kind = path.length > 1 ? field?.data.keys?.[path[1]!] : field?.data.kind;
  return kind !== "integer" && kind !== "number";
}

const operatorHints = (text: boolean): Draft[] => [
  ...(text
    ? [
        draft("=", "equal"),
        draft("!=", "not equal, or no value"),
        draft("in (", "one of several", "in ("),
        draft("like", "% is any text, _ one character"),
      ]
    : [
        draft(">", "greater"),
        draft(">=", "greater or equal"),
        draft("<", "less"),
        draft("<=", "less or equal"),
        draft("=", "equal"),
        draft("!=", "not equal, or no value"),
      ]),
  draft("is null", "no value"),
  draft("is not null", "has a value"),
];

function valueHints(report: Report, path: readonly string[], prefix: string): Draft[] {
  const field = path.length === 1 ? report.samples.byName.get(path[0]!) : undefined;
  if (field?.data.kind === "boolean") {
    return starting([draft("true", ""), draft("false", "")], prefix);
  }
  if (field?.numeric) {
    const summary = field.summary;
    if (!summary || prefix) return [];
    const round = (value: number) => String(Number(value.toPrecision(4)));
    return [
      draft(round(summary.median), "median"),
      draft(round(summary.quarter), "lowest quarter"),
      draft(round(summary.threeQuarters), "highest quarter"),
    ];
  }
  const read = report.samples.reader(path);
  const counts = new Map<string, number>();
  for (let row = 0; row < report.samples.reported; row++) {
    const value = read(row);
    if (typeof value === "string") counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const quoted = prefix.startsWith("'") ? prefix : prefix && `'${formatSegment(prefix)}`;
  return starting(
    [...counts]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 500)
      .map(([value, count]) => draft(formatLiteral(value), plural(count, "record"))),
    quoted,
  );
}
