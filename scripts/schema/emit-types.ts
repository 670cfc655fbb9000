import type { FieldFact, GroupFacts, StructFact } from "./fact.ts";

const SCALARS: Readonly<Record<string, string>> = {
  string: "string",
  int32: "number",
  int64: "number",
  float64: "number",
  boolean: "boolean",
  bytes: "string",
  time: "string",
  microTime: "string",
  duration: "string",
  quantity: "string",
  intOrString: "number | string",
  any: "unknown",
};

/** Fields whose JSON is freer than a fact can say. */
const OVERRIDES: Readonly<Record<string, string>> = {
  "JSONSchemaProps.items": "JSONSchemaProps | JSONSchemaProps[]",
  "JSONSchemaProps.additionalProperties": "JSONSchemaProps | boolean",
  "JSONSchemaProps.additionalItems": "JSONSchemaProps | boolean",
  "JSONSchemaProps.dependencies": "{ [key: string]: JSONSchemaProps | string[] }",
  "ManagedFieldsEntry.fieldsV1": "{ [key: string]: unknown }",
};

/** Kinds of meta/v1 that travel as `v1`, as every group serves them. */
const CORE_IN_META = new Set([
  "Status",
  "APIVersions",
  "APIGroupList",
  "APIGroup",
  "APIResourceList",
]);

/** TypeScript interfaces of a group-version. */
export function emitTypes(facts: GroupFacts, header: string): string {
  const imports = new Set<string>();
  const body: string[] = [];
  for (const { name, values } of facts.enums) {
    body.push(`export type ${name} = ${values.map((value) => JSON.stringify(value)).join(" | ")};`);
  }
  for (const struct of facts.structs) body.push(emitStruct(facts, struct, imports));
  const importLines = [...imports]
    .sort()
    .map((name) => `import type * as ${aliasOf(name)} from "./${name.replace("/", "-")}.ts";`);
  return [header, ...importLines, "", body.join("\n\n"), ""].join("\n");
}

function emitStruct(facts: GroupFacts, struct: StructFact, imports: Set<string>): string {
  const lines = [`export interface ${struct.name} {`];
  if (struct.root) {
    const [apiVersion, kind] = typeMetaOf(facts, struct.name);
    lines.push(`  apiVersion?: ${apiVersion};`, `  kind?: ${kind};`);
  }
  for (const field of struct.fields) {
    const optional = isOptional(field) ? "?" : "";
    const type = OVERRIDES[`${struct.name}.${field.name}`] ?? tsType(field.type, imports);
    lines.push(`  ${propertyName(field.name)}${optional}: ${type};`);
  }
  lines.push("}");
  return lines.join("\n");
}

function isOptional(field: FieldFact): boolean {
  return field.name === "metadata" || !field.flags.includes("!");
}

function typeMetaOf(facts: GroupFacts, name: string): [apiVersion: string, kind: string] {
  if (facts.short === "meta" && name.endsWith("Options")) return ["string", `"${name}"`];
  const isCore = facts.short === "core" || (facts.short === "meta" && CORE_IN_META.has(name));
  return [`"${isCore ? "v1" : `${facts.group}/${facts.version}`}"`, `"${name}"`];
}

function propertyName(name: string): string {
  return /^\w+$/.test(name) ? name : JSON.stringify(name);
}

function tsType(type: string, imports: Set<string>): string {
  if (type.startsWith("[]")) {
    const of = tsType(type.slice(2), imports);
    return of.includes(" ") ? `(${of})[]` : `${of}[]`;
  }
  if (type.startsWith("{}")) return `{ [key: string]: ${tsType(type.slice(2), imports)} }`;
  const scalar = SCALARS[type];
  if (scalar) return scalar;
  const [home, name] = type.split(".");
  if (!home || !name) return type;
  imports.add(home);
  return `${aliasOf(home)}.${name}`;
}

/** "core/v1" becomes `core`; only one version of a group is ever referred to. */
function aliasOf(home: string): string {
  return home.slice(0, home.indexOf("/"));
}
