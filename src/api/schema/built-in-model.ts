import { GROUP_VERSION_FACTS } from "../generated/facts.ts";
import { currentVersionOf } from "../legacy-versions.ts";
import type { GroupVersionFacts } from "./facts.ts";
import { type EnumValues, parseStruct } from "./facts-reader.ts";
import type { GroupVersionKind, SchemaModel, StructType } from "./model.ts";

/** Kinds of meta/v1 that every group-version has. */
const EVERYWHERE: ReadonlySet<string> = new Set([
  "CreateOptions",
  "DeleteOptions",
  "GetOptions",
  "ListOptions",
  "PatchOptions",
  "UpdateOptions",
]);

/** Kinds of meta/v1 that travel as `apiVersion: v1`. */
const AS_CORE: ReadonlySet<string> = new Set([
  "APIGroup",
  "APIGroupList",
  "APIResourceList",
  "APIVersions",
  "Status",
]);

/**
 * The model of every built-in kind. Types are read from the facts when first asked for, so a
 * process pays only for the kinds it uses; share one model.
 */
export function builtInModel(): SchemaModel {
  return new BuiltInModel(GROUP_VERSION_FACTS);
}

class BuiltInModel implements SchemaModel {
  readonly #facts = new Map<string, GroupVersionFacts>();
  readonly #byGroupVersion = new Map<string, GroupVersionFacts>();
  readonly #structs = new Map<string, StructType | undefined>();
  readonly #enums = new Map<string, EnumValues>();
  #kinds: readonly GroupVersionKind[] | undefined;

  constructor(facts: readonly GroupVersionFacts[]) {
    for (const each of facts) {
      this.#facts.set(`${each.short}/${each.version}`, each);
      this.#byGroupVersion.set(`${each.group}/${each.version}`, each);
    }
  }

  struct(name: string): StructType {
    const struct = this.#find(name);
    if (!struct) throw new RangeError(`Cannot find the type "${name}" in the built-in schemas`);
    return struct;
  }

  root(gvk: GroupVersionKind): StructType | undefined {
    const { group, version, kind } = gvk;
    const facts = this.#factsOf(group, version);
    if (!facts || !/^\w+$/.test(kind)) return undefined;
    const isMeta = EVERYWHERE.has(kind) || (group === "" && AS_CORE.has(kind));
    const home = isMeta ? "meta/v1" : `${facts.short}/${facts.version}`;
    const struct = this.#find(`${home}.${kind}`);
    return struct?.fields.has("apiVersion") && isRootIn(this.#facts.get(home), kind)
      ? struct
      : undefined;
  }

  kinds(): readonly GroupVersionKind[] {
    this.#kinds ??= [...this.#facts.values()].flatMap(({ group, version, text }) =>
      [...text.matchAll(/^struct (\w+) root/gm)].map(([, kind = ""]) => ({ group, version, kind })),
    );
    return this.#kinds;
  }

  /** Where an older version has no facts of its own, those of the current one are its. */
  #factsOf(group: string, version: string): GroupVersionFacts | undefined {
    return (
      this.#byGroupVersion.get(`${group}/${version}`) ??
      this.#byGroupVersion.get(`${group}/${currentVersionOf(group, version)}`)
    );
  }

  #find(name: string): StructType | undefined {
    if (!this.#structs.has(name)) this.#structs.set(name, this.#read(name));
    return this.#structs.get(name);
  }

  #read(name: string): StructType | undefined {
    const dot = name.indexOf(".");
    const home = name.slice(0, dot);
    const facts = this.#facts.get(home);
    const lines = facts && linesOf(facts.text, `struct ${name.slice(dot + 1)}`);
    return lines && parseStruct(lines, { home, enumOf: (type) => this.#enum(type) });
  }

  #enum(name: string): EnumValues {
    let values = this.#enums.get(name);
    if (values === undefined) {
      const dot = name.indexOf(".");
      const text = this.#facts.get(name.slice(0, dot))?.text ?? "";
      const head = `enum ${name.slice(dot + 1)}`;
      const line = linesOf(text, head)?.[0];
      values = line === undefined ? null : line.slice(head.length + 1).split("|");
      this.#enums.set(name, values);
    }
    return values;
  }
}

function isRootIn(facts: GroupVersionFacts | undefined, kind: string): boolean {
  return facts?.text.includes(`\nstruct ${kind} root`) ?? false;
}

/** The line that begins with `head` as whole words, and the indented lines after it. */
function linesOf(text: string, head: string): string[] | undefined {
  const start = startOf(text, head);
  if (start < 0) return undefined;
  const lines: string[] = [];
  for (let at = start; at < text.length; ) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end);
    if (lines.length > 0 && !line.startsWith(" ")) break;
    lines.push(line);
    at = end + 1;
  }
  return lines;
}

function startOf(text: string, head: string): number {
  for (let at = text.indexOf(`\n${head}`); at >= 0; at = text.indexOf(`\n${head}`, at + 1)) {
    const after = text[at + 1 + head.length];
    if (after === "\n" || after === " ") return at + 1;
  }
  return -1;
}
