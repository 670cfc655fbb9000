import type { EnumFact, FieldFact, GroupFacts, StructFact } from "./fact.ts";

/** Spells facts as `src/api/schema/facts.ts` says. */
export function writeFacts(facts: GroupFacts): string {
  const lines: string[] = [];
  for (const { name, values } of facts.enums) {
    if (values.some((value) => !/^[^|\n]*$/.test(value))) {
      throw new Error(`Cannot spell the values of ${name}: ${JSON.stringify(values)}`);
    }
    lines.push(`enum ${name} ${values.join("|")}`);
  }
  for (const struct of facts.structs) {
    const flags = [
      ...(struct.root ? ["root"] : []),
      ...(struct.atomic ? ["atomic"] : []),
      ...(struct.resource ? [struct.resource.namespaced ? "namespaced" : "cluster"] : []),
    ];
    lines.push(["struct", struct.name, ...flags].join(" "));
    for (const field of struct.fields) {
      lines.push(` ${[field.name, field.type, ...field.flags].join(" ")}`);
    }
  }
  return lines.join("\n");
}

/** The inverse of `writeFacts`. */
export function readFacts(text: string): { structs: StructFact[]; enums: EnumFact[] } {
  const structs: StructFact[] = [];
  const enums: EnumFact[] = [];
  for (const line of text.split("\n")) {
    const words = line.trim().split(" ");
    const [first = "", name = "", ...rest] = words;
    if (line.startsWith(" ")) structs.at(-1)?.fields.push(fieldOf(words));
    else if (first === "enum") enums.push({ name, values: rest.join(" ").split("|") });
    else if (first === "struct") structs.push(structOf(name, rest));
  }
  return { structs, enums };
}

function fieldOf([name = "", type = "", ...flags]: string[]): FieldFact {
  return { name, type, flags };
}

function structOf(name: string, flags: readonly string[]): StructFact {
  const scope = flags.find((flag) => flag === "namespaced" || flag === "cluster");
  const resource = scope ? { resource: { namespaced: scope === "namespaced" } } : {};
  const root = flags.includes("root");
  return { name, root, atomic: flags.includes("atomic"), fields: [], ...resource };
}
