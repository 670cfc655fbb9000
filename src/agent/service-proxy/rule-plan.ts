import type { RenderedPort } from "./rules.ts";

/** The wanted table, one entry per service port or host port. */
export type RuleSet = ReadonlyMap<string, RenderedPort>;

interface Merged {
  chains: Map<string, readonly string[]>;
  sets: Map<string, string>;
  elements: Map<string, string>;
}

/** Elements may repeat among ports (hairpin pairs): merged, the first writer wins. */
function merge(ports: Iterable<RenderedPort>): Merged {
  const merged: Merged = { chains: new Map(), sets: new Map(), elements: new Map() };
  for (const port of ports) {
    for (const [name, rules] of port.chains) merged.chains.set(name, rules);
    for (const [name, definition] of port.sets) merged.sets.set(name, definition);
    for (const [key, value] of port.elements) {
      if (!merged.elements.has(key)) merged.elements.set(key, value);
    }
  }
  return merged;
}

function sameRules(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && a.length === b.length && a.every((rule, at) => rule === b[at]);
}

function element(verb: string, table: string, [key, value]: readonly [string, string]): string {
  const [name = "", ...rest] = key.split(" ");
  const content = value ? `${rest.join(" ")} : ${value}` : rest.join(" ");
  return `${verb} element ip ${table} ${name} { ${content} }`;
}

/**
 * One transaction that turns the table from `before` into `after`, touching only what differs.
 * Empty when nothing does. What is pointed at is added first and deleted last.
 */
export function planRules(table: string, before: RuleSet, after: RuleSet): string {
  const old = merge(before.values());
  const wanted = merge(after.values());
  const lines: string[] = [];
  for (const [key, value] of old.elements) {
    if (wanted.elements.get(key) !== value) lines.push(element("delete", table, [key, value]));
  }
  for (const [name, definition] of wanted.sets) {
    if (!old.sets.has(name)) lines.push(`add set ip ${table} ${name} ${definition}`);
  }
  const changed = [...wanted.chains].filter(([name, rules]) => {
    return !sameRules(old.chains.get(name), rules);
  });
  for (const [name] of changed) {
    lines.push(`add chain ip ${table} ${name}`);
    if (old.chains.has(name)) lines.push(`flush chain ip ${table} ${name}`);
  }
  for (const [name, rules] of changed) {
    for (const rule of rules) lines.push(`add rule ip ${table} ${name} ${rule}`);
  }
  for (const [key, value] of wanted.elements) {
    if (old.elements.get(key) !== value) lines.push(element("add", table, [key, value]));
  }
  const goneChains = [...old.chains.keys()].filter((name) => !wanted.chains.has(name));
  for (const name of goneChains) lines.push(`flush chain ip ${table} ${name}`);
  for (const name of goneChains) lines.push(`delete chain ip ${table} ${name}`);
  for (const name of old.sets.keys()) {
    if (!wanted.sets.has(name)) lines.push(`delete set ip ${table} ${name}`);
  }
  return lines.length > 0 ? `${lines.join("\n")}\n` : "";
}
