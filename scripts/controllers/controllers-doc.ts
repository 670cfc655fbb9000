import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Resource } from "../../src/api/resource.ts";
import type { ControllerDefinition, Output } from "../../src/client/controller.ts";
import { roleOf } from "../../src/client/controller-role.ts";
import { type BuiltInOptions, builtInControllers } from "../../src/controllers/built-in.ts";

const HEADER = `# Controllers

Generated from the declarations in \`src/controllers/\` by \`npm run generate:controllers\`; do not
edit. A controller sees the kinds that it declares as inputs, wakes up when one of their objects
changes, and may write its outputs and nothing else: its ClusterRole \`system:controller:NAME\` is
generated from the same declaration. The garbage collector and the scheduler are not in this list:
the first follows every kind that discovery names, the second is \`src/scheduler/\`.
`;

/** Every controller that may run; what they would sign or serve does not matter here. */
export function allControllers(): ControllerDefinition[] {
  const unused = () => {
    throw new Error("Cannot act: declarations are read only");
  };
  const options: BuiltInOptions = {
    client: { for: unused, transport: { request: unused, watch: unused } } as never,
    caPem: "",
    loadBalancer: { from: "nodes" },
    ingress: { http: 80, https: 443 },
    credentials: { signToken: unused, signCertificate: unused, legacyTokens: true },
  };
  return builtInControllers(options).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The page, given the definitions and the folder of their sources. */
export function controllersDoc(
  definitions: readonly ControllerDefinition[],
  sourceFolder: string,
): string {
  const purposes = readPurposes(sourceFolder);
  const sections = [HEADER, graphOf(definitions), kindsOf(definitions), "## Each of them\n"];
  for (const definition of definitions) {
    const purpose = purposes.get(definition.name);
    if (!purpose) throw new Error(`Cannot describe "${definition.name}": no doc comment found`);
    sections.push(sectionOf(definition, purpose));
  }
  return sections.join("\n");
}

/** First sentences of the doc comments above the functions that define controllers, by name. */
function readPurposes(folder: string): Map<string, string> {
  const purposes = new Map<string, string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
    const text = readFileSync(path.join(folder, name), "utf8");
    for (const [, comment = "", body = ""] of text.matchAll(DEFINITION)) {
      const plain = comment
        .replaceAll(/^\s*\*? ?/gm, "")
        .replaceAll("\n", " ")
        .trim();
      const [sentence = ""] = plain.split(/(?<=\.)\s/);
      for (const [, named = ""] of body.matchAll(/"([a-z][a-z-]*)"/g)) {
        if (!purposes.has(named)) purposes.set(named, sentence);
      }
    }
  }
  return purposes;
}

const DEFINITION =
  /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport function \w+Controller\(([\s\S]*?\n)\}/g;

/** Controllers, and whose objects they create. */
function graphOf(definitions: readonly ControllerDefinition[]): string {
  const lines: string[] = [];
  for (const { name, outputs } of definitions) {
    for (const { resource, verbs } of outputs) {
      if (!verbs.includes("create")) continue;
      for (const other of definitions) {
        const [main] = Object.values(other.inputs);
        if (main?.resource.plural !== resource.plural || other.name === name) continue;
        lines.push(`  ${name} -- ${resource.plural} --> ${other.name}`);
      }
    }
  }
  return [
    "## Who creates whose objects\n",
    "```mermaid",
    "flowchart LR",
    ...new Set(lines),
    "```\n",
  ].join("\n");
}

/** For each kind, who writes it and whom it wakes. */
function kindsOf(definitions: readonly ControllerDefinition[]): string {
  const kinds = new Map<string, { writers: Set<string>; readers: Set<string> }>();
  const of = (resource: Resource) => {
    const known = kinds.get(kindText(resource)) ?? { writers: new Set(), readers: new Set() };
    kinds.set(kindText(resource), known);
    return known;
  };
  for (const { name, inputs, outputs } of definitions) {
    for (const { resource } of Object.values(inputs)) of(resource).readers.add(name);
    for (const { resource } of outputs) of(resource).writers.add(name);
  }
  const list = (names: ReadonlySet<string>) => [...names].join(", ") || "–";
  const rows = [...kinds]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, { readers, writers }]) => `| ${kind} | ${list(writers)} | ${list(readers)} |`);
  const title = "## The graph, kind by kind\n\n| Kind | Written by | Seen by |\n|---|---|---|\n";
  return `${title}${rows.join("\n")}\n`;
}

function sectionOf(definition: ControllerDefinition, purpose: string): string {
  const inputs = Object.values(definition.inputs).map(({ resource }) => kindText(resource));
  const outputs = definition.outputs.map(outputText);
  const rules = (roleOf(definition).rules ?? []).map(
    ({ apiGroups = [], resources = [], verbs, resourceNames }) => {
      const group = apiGroups.map((one) => one || "core").join(", ");
      const named = resourceNames ? ` named ${resourceNames.join(", ")}` : "";
      return `${group}/${resources.join(", ")}${named}: ${verbs.join(", ")}`;
    },
  );
  return [
    `### ${definition.name}\n`,
    `${purpose}\n`,
    `- Sees ${[...new Set(inputs)].join(", ")}.`,
    `- Writes ${outputs.join("; ") || "nothing"}.`,
    `- Role: ${rules.join("; ")}.\n`,
  ].join("\n");
}

function outputText({ resource, verbs, subresources }: Output): string {
  const below = subresources ? ` (also ${subresources.join(", ")})` : "";
  return `${kindText(resource)}${below}: ${verbs.join(", ")}`;
}

function kindText({ group, plural }: Resource): string {
  return group ? `${plural}.${group}` : plural;
}
