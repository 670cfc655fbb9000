import type { StatusCause } from "../../../src/api/status.ts";

/** What depends on the moment and on chance, not on the server's rules; by field name. */
const VOLATILE: Readonly<Record<string, string>> = {
  uid: "<uid>",
  resourceVersion: "<version>",
  creationTimestamp: "<time>",
  deletionTimestamp: "<time>",
  time: "<time>",
  lastTransitionTime: "<time>",
  lastUpdateTime: "<time>",
  continue: "<token>",
};
const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const SERVICE_ADDRESS = /\b10\.96\.\d+\.\d+\b/g;
const VERSION_IN_TEXT = /(?<=ResourceVersion in (?:record \(|object meta: ))\d+/g;
const PORT_IN_TEXT = /(?<=:)3[0-2]\d{3}(?=\/)/g;
const GENERATED = /-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g;
const NODE_PORTS = { first: 30_000, last: 32_767 };

/** The same answer with what must differ replaced; `asked` is what the request said itself. */
export function normalise(body: unknown, asked: string): unknown {
  const walk = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) {
      const items = value.map((item) => walk(item, ""));
      if (key === "causes") return byField(items);
      return key === "managedFields" ? inOrder(items) : items;
    }
    if (value !== null && typeof value === "object") {
      const entries = Object.entries(value).map(([name, item]) => [name, walk(item, name)]);
      return Object.fromEntries(entries) as unknown;
    }
    if (typeof value === "string") return normaliseText(value, key);
    if (typeof value === "number" && isChosen(value)) return "<port>";
    return value;
  };
  const normaliseText = (text: string, key: string) => {
    const volatile = VOLATILE[key];
    if (volatile && text) return volatile;
    return text
      .replace(UID, "<uid>")
      .replace(TIME, "<time>")
      .replace(VERSION_IN_TEXT, "<version>")
      .replace(PORT_IN_TEXT, (found) => (asked.includes(found) ? found : "<port>"))
      .replace(SERVICE_ADDRESS, (found) => (asked.includes(found) ? found : "<address>"))
      .replace(GENERATED, (found) => (asked.includes(found) ? found : "-<random>"));
  };
  const isChosen = (value: number) =>
    value >= NODE_PORTS.first && value <= NODE_PORTS.last && !asked.includes(`${value}`);
  return walk(byColumn(byResource(withoutSummary(body))), "");
}

/** What discovery says of each resource: their order is that of Go's maps. */
function byResource(body: unknown): unknown {
  const list = body as { kind?: string; resources?: readonly { name: string }[] } | null;
  if (list?.kind !== "APIResourceList") return body;
  const named = (list.resources ?? []).map(({ name, ...rest }) => [name, rest]);
  return { ...list, resources: Object.fromEntries(named) as unknown };
}

interface Table {
  kind: "Table";
  columnDefinitions: readonly { name: string; type: string; format: string; priority: number }[];
  rows: readonly { cells: readonly unknown[]; object?: unknown }[];
}

/** The cells of a table by column; what columns mean is described in each server's own words. */
function byColumn(body: unknown): unknown {
  const table = body as Table | null;
  if (table?.kind !== "Table") return body;
  const columns = table.columnDefinitions.map(({ name, type, format, priority }, at) => {
    const cells = table.rows.map((row) => (isAge(row.cells[at]) ? "<age>" : row.cells[at]));
    return [name, { type, format, priority, cells }];
  });
  return {
    kind: table.kind,
    names: table.columnDefinitions.map(({ name }) => name).join(", "),
    columns: Object.fromEntries(columns) as unknown,
    rows: table.rows.map(({ object }) => object),
  };
}

function isAge(cell: unknown): boolean {
  return typeof cell === "string" && /^(\d+[smhdy])+$/.test(cell);
}

/** A message that only repeats the causes repeats their order too. */
function withoutSummary(body: unknown): unknown {
  const { details, message } = (body ?? {}) as { details?: { causes?: unknown }; message?: string };
  if (!details?.causes || !message) return body;
  return { ...(body as object), message: message.replace(/ is invalid: [^]*/, " is invalid") };
}

/** Upstream lists managers by the second of their last change. */
function inOrder(items: readonly unknown[]): unknown[] {
  return items.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
}

function orderOf(item: unknown): string {
  const { manager, operation, apiVersion } = item as Record<string, string>;
  return `${manager} ${operation} ${apiVersion}`;
}

/** Upstream lists causes in the order of Go's maps, one for each of its checks that finds it. */
function byField(causes: readonly unknown[]): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  for (const { field = "", reason, message } of causes as readonly StatusCause[]) {
    const said = (fields[field] ??= []);
    const text = `${reason}: ${message}`;
    if (!said.includes(text)) said.push(text);
  }
  for (const said of Object.values(fields)) said.sort();
  return fields;
}
