import type { Field, FieldType, ListType, ScalarType, StructType } from "./model.ts";

/** Values of an enum type; `null` when the name is not that of an enum. */
export type EnumValues = readonly string[] | null;

/** What names in the lines of a struct refer to. */
export interface FactsScope {
  /** Group-version of the struct, as "core/v1". */
  home: string;
  /** @param name qualified, as "core/v1.RestartPolicy" */
  enumOf(name: string): EnumValues;
}

const SCALARS: ReadonlyMap<string, ScalarType> = new Map(
  (
    [
      "string",
      "int32",
      "int64",
      "float64",
      "boolean",
      "bytes",
      "time",
      "microTime",
      "duration",
      "quantity",
      "intOrString",
      "any",
    ] as const
  ).map((kind) => [kind, { kind }]),
);

const TYPE_META: readonly Field[] = ["apiVersion", "kind"].map((name) => ({
  name,
  type: { kind: "string" },
  required: false,
  omitEmpty: true,
}));

/** Reads the lines of one struct; `facts.ts` says how they are spelled. */
export function parseStruct(lines: readonly string[], scope: FactsScope): StructType {
  const [head = "", ...rest] = lines;
  const [, name = "", ...flags] = head.split(" ");
  const fields = new Map<string, Field>();
  if (flags.includes("root")) for (const field of TYPE_META) fields.set(field.name, field);
  for (const line of rest) {
    const field = parseField(line, scope);
    fields.set(field.name, field);
  }
  return {
    name: `${scope.home}.${name}`,
    fields,
    ...(flags.includes("atomic") ? { atomic: true } : {}),
  };
}

function parseField(line: string, scope: FactsScope): Field {
  const [name = "", typeText = "", ...flags] = line.slice(1).split(" ");
  const scalar = SCALARS.get(typeText);
  const field: Field = {
    name,
    type: scalar ?? parseType(typeText, scope),
    required: flags.includes("!"),
    omitEmpty: !flags.includes("+"),
  };
  const values = scalar ? null : scope.enumOf(qualify(typeText.replace("[]", ""), scope));
  if (values) field.enum = values;
  for (const flag of flags) applyFlag(field, flag);
  return field;
}

function applyFlag(field: Field, flag: string): void {
  const rest = flag.slice(1);
  if (flag === "*") field.pointer = true;
  else if (flag === "%") field.protobufWrapped = true;
  else if (flag.startsWith("#")) {
    const numbers = rest.split(".").map(Number);
    field.protobufNumber = numbers.pop() ?? 0;
    if (numbers.length > 0) field.protobufPath = numbers;
  } else if (flag.startsWith("=")) applyTopology(field, rest);
  else if (flag.startsWith("~")) {
    const [strategy = "", key] = rest.split(":");
    field.patchStrategy = strategy;
    if (key) field.patchMergeKey = key;
  } else if (flag.startsWith("default:")) {
    field.default = JSON.parse(flag.slice("default:".length)) as unknown;
  }
}

/** `=set`, `=atomic`, `=granular`, `=map:a,b`. */
function applyTopology(field: Field, text: string): void {
  const { type } = field;
  if (type.kind === "map") type.atomic = true;
  else if (type.kind !== "list") field.atomic = text === "atomic";
  else if (text.startsWith("map:")) {
    type.listType = "map";
    type.mapKeys = text.slice("map:".length).split(",");
  } else type.listType = text as NonNullable<ListType["listType"]>;
}

function parseType(text: string, scope: FactsScope): FieldType {
  if (text.startsWith("[]")) return { kind: "list", of: parseType(text.slice(2), scope) };
  if (text.startsWith("{}")) return { kind: "map", of: parseType(text.slice(2), scope) };
  const scalar = SCALARS.get(text);
  if (scalar) return scalar;
  const name = qualify(text, scope);
  if (scope.enumOf(name)) return { kind: "string" };
  return { kind: "struct", struct: name };
}

function qualify(name: string, scope: FactsScope): string {
  return name.includes(".") ? name : `${scope.home}.${name}`;
}
