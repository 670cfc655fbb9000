import type { GroupFacts } from "./fact.ts";
import { PLURALS, RESOURCE_FACTS, type ResourceFacts } from "./resource-facts.ts";

interface ResourceEntry {
  constant: string;
  type: string;
  file: string;
  literal: string;
}

/** The constants of every built-in resource. */
export function emitResources(groups: readonly GroupFacts[], header: string): string {
  const entries = groups.flatMap((facts) =>
    facts.structs.flatMap((struct) => {
      if (!struct.resource) return [];
      return [entryOf(facts, struct.name, struct.resource.namespaced)];
    }),
  );
  const files = [...new Set(entries.map((entry) => entry.file))];
  return [
    header,
    'import type { Resource } from "../resource.ts";',
    ...files.map((file) => `import type * as ${aliasOf(file)} from "./types/${file}.ts";`),
    "",
    ...entries.map(
      ({ constant, type, file, literal }) =>
        `export const ${constant}: Resource<${aliasOf(file)}.${type}> = ${literal};\n`,
    ),
    "/** Every resource of the API that is not custom, in the order of discovery. */",
    "export const BUILT_IN_RESOURCES: readonly Resource[] = [",
    ...entries.map((entry) => `  ${entry.constant},`),
    "];",
    "",
  ].join("\n");
}

/** "core-v1" becomes `coreV1`. */
function aliasOf(file: string): string {
  return file.replace(/-(\w)/, (_, letter: string) => letter.toUpperCase());
}

function entryOf(facts: GroupFacts, kind: string, namespaced: boolean): ResourceEntry {
  const plural = pluralOf(kind);
  const group = facts.short === "core" ? "" : facts.group;
  const known: ResourceFacts =
    RESOURCE_FACTS[group ? `${plural.toLowerCase()}.${group}` : plural.toLowerCase()] ?? {};
  const resource = {
    group,
    version: facts.version,
    plural: plural.toLowerCase(),
    singular: kind.toLowerCase(),
    kind,
    namespaced,
    ...known,
  };
  const literal = JSON.stringify(resource, undefined, 2).replace(/^( +)"(\w+)":/gm, "$1$2:");
  return {
    constant: constantOf(facts, kind in PLURALS ? kind : plural),
    type: kind,
    file: `${facts.short}-${facts.version}`,
    literal,
  };
}

/** ConfigMap is CONFIG_MAPS; a second resource of a name carries its version. */
function constantOf(facts: GroupFacts, plural: string): string {
  const name = plural
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .toUpperCase();
  const isSecond =
    facts.short === "events" || (facts.short === "autoscaling" && facts.version === "v1");
  return isSecond ? `${name}_V1` : name;
}

function pluralOf(kind: string): string {
  const named = PLURALS[kind];
  if (named) return named;
  if (kind === "Endpoints") return kind;
  if (/(s|x|ch)$/.test(kind)) return `${kind}es`;
  if (/[^aeiou]y$/.test(kind)) return `${kind.slice(0, -1)}ies`;
  return `${kind}s`;
}
