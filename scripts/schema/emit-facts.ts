import type { GroupFacts } from "./fact.ts";
import { writeFacts } from "./facts-text.ts";

/** A module with the facts of one group-version as text. */
export function emitFacts(facts: GroupFacts, header: string): string {
  const group = facts.short === "core" ? "" : facts.group;
  const text = writeFacts(facts).replace(/[\\`$]/g, "\\$&");
  return [
    header,
    'import type { GroupVersionFacts } from "../../schema/facts.ts";',
    "",
    `export const ${constantOf(facts)}: GroupVersionFacts = {`,
    `  short: ${JSON.stringify(facts.short)},`,
    `  group: ${JSON.stringify(group)},`,
    `  version: ${JSON.stringify(facts.version)},`,
    `  text: \`\n${text}\n\`,`,
    "};",
    "",
  ].join("\n");
}

/** A module that lists the facts of every group-version. */
export function emitFactsIndex(groups: readonly GroupFacts[], header: string): string {
  return [
    header,
    ...groups.map(
      (facts) =>
        `import { ${constantOf(facts)} } from "./facts/${facts.short}-${facts.version}.ts";`,
    ),
    'import type { GroupVersionFacts } from "../schema/facts.ts";',
    "",
    "export const GROUP_VERSION_FACTS: readonly GroupVersionFacts[] = [",
    ...groups.map((facts) => `  ${constantOf(facts)},`),
    "];",
    "",
  ].join("\n");
}

function constantOf(facts: GroupFacts): string {
  return `${facts.short}_${facts.version}`.toUpperCase();
}
