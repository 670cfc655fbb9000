import { parse } from "yaml";

/** Why a test of 1.20 fails that is right to fail, by its name. */
const REASONS: Readonly<Record<string, string>> = {
  "[sig-instrumentation] Events API should ensure that an event can be fetched, patched, deleted, and listed [Conformance]":
    "it changes the note of an Event through events.k8s.io/v1, which is immutable: 1.20 compared new " +
    "Events with themselves, later versions compare them with the old ones",
};

const OUTCOMES = ["passed", "failed", "not run"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Names in logs and in lists differ in their spaces only. */
function normal(name: string): string {
  return name.replace(/\s+/g, " ").trim();
}

/** Names of the conformance tests, from the list in Kubernetes' source. */
export function testNames(conformanceYaml: string): string[] {
  const list = parse(conformanceYaml) as readonly { codename: string }[];
  return list.map(({ codename }) => normal(codename)).sort();
}

/** What the end-to-end tests said in their log; of several runs of a test, the last. */
export function outcomesIn(log: string): Map<string, Outcome> {
  const found = log.matchAll(/\{"msg":"(PASSED|FAILED) ((?:[^"\\]|\\.)*)"/g);
  return new Map(
    [...found].map(([, word, name = ""]) => [
      normal(JSON.parse(`"${name}"`) as string),
      word === "PASSED" ? "passed" : "failed",
    ]),
  );
}

const ROW = /^\| (.*?) +\| (passed|failed|not run) +\|$/gm;

/** The outcomes of a record that was written before. */
export function readRecord(markdown: string): Map<string, Outcome> {
  const rows = [...markdown.matchAll(ROW)];
  return new Map(rows.map(([, name = "", outcome]) => [unescape(name), outcome as Outcome]));
}

/** A table of all tests by area, with the numbers in front. */
export function writeRecord(
  names: readonly string[],
  outcomes: ReadonlyMap<string, Outcome>,
): string {
  const outcomeOf = (name: string) => outcomes.get(name) ?? "not run";
  const areaOf = (name: string) => /^\[([^\]]+)\]/.exec(name)?.[1] ?? "other";
  const areas = [...new Set(names.map(areaOf))].sort();
  const count = (of: readonly string[], wanted: Outcome) =>
    of.filter((name) => outcomeOf(name) === wanted).length;
  const line = (title: string, of: readonly string[]) => [
    title,
    ...OUTCOMES.map((outcome) => String(count(of, outcome))),
  ];
  const inArea = (area: string) => names.filter((name) => areaOf(name) === area);
  return [
    "# Kubernetes 1.20 conformance",
    "",
    "Written by `npm run conformance`: the last outcome of each test, not of one run.",
    "",
    ...table([
      ["Area", "Passed", "Failed", "Not run"],
      ...areas.map((area) => line(area, inArea(area))),
      line("All", names),
    ]),
    ...reasonsOf(names.filter((name) => outcomeOf(name) === "failed")),
    ...areas.flatMap((area) => [
      "",
      `## ${area}`,
      "",
      ...table([
        ["Test", "Outcome"],
        ...inArea(area).map((name) => [escape(name), outcomeOf(name)]),
      ]),
    ]),
    "",
  ].join("\n");
}

function reasonsOf(failed: readonly string[]): string[] {
  if (failed.length === 0) return [];
  const lines = failed.map((name) => `- ${escape(name)}: ${REASONS[name] ?? "not explained yet"}.`);
  return ["", "Failed:", "", ...lines];
}

/** Lines of a table, padded as the formatter pads them; the first row is its head. */
function table([head = [], ...rows]: readonly (readonly string[])[]): string[] {
  const width = (at: number) => Math.max(...[head, ...rows].map((row) => row[at]?.length ?? 0));
  const widths = head.map((_, at) => width(at));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [head, widths.map((each) => "-".repeat(each)), ...rows].map(line);
}

function escape(name: string): string {
  return name.replace(/[|*]/g, "\\$&");
}

function unescape(name: string): string {
  return name.replace(/\\([|*])/g, "$1");
}
