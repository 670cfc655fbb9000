import type { ProtoFacts, ProtoField } from "./proto-facts.ts";

const SCALARS: Readonly<Record<string, string>> = {
  string: "string",
  bool: "boolean",
  bytes: "Uint8Array",
  int32: "number",
  int64: "number",
  uint32: "number",
  uint64: "number",
};

/** The TypeScript module that holds the facts. */
export function factsText(facts: ProtoFacts): string {
  return [
    "// Facts of the Container Runtime Interface (k8s.io/cri-api), written by scripts/cri/generate.ts.",
    'import type { MessageTable } from "../protobuf/message-codec.ts";',
    "",
    ...[...facts.enums].map(
      ([name, constants]) =>
        `export const ${name} = { ${constants.map(([key, value]) => `${key}: ${value}`).join(", ")} } as const;\n`,
    ),
    ...[...facts.messages].map(
      ([name, fields]) =>
        `export interface ${name} {\n${fields.map((field) => `${field.name}${typeText(field, facts)};`).join("\n")}\n}\n`,
    ),
    ...[...facts.services].map(
      ([name, methods]) =>
        `export interface ${name}Methods {\n${methods.map((method) => `${method.name}: { request: ${method.request}; response: ${method.response}; streams: ${method.streams} };`).join("\n")}\n}\n`,
    ),
    "/** Field name to its number, label and type. */",
    `export const MESSAGES: MessageTable = {\n${[...facts.messages].map(([name, fields]) => `${name}: { ${fields.map((field) => `${field.name}: "${layoutText(field, facts)}"`).join(", ")} },`).join("\n")}\n};\n`,
    "/** Method name to the messages that it takes and gives. */",
    `export const SERVICES: Readonly<Record<string, Readonly<Record<string, string>>>> = {\n${[...facts.services].map(([name, methods]) => `${name}: {\n${methods.map((method) => `${method.name}: "${method.request} ${method.streams ? "stream " : ""}${method.response}",`).join("\n")}\n},`).join("\n")}\n};\n`,
  ].join("\n");
}

/** Colon and type; absent messages are undefined, absent scalars zero. */
function typeText({ type, label }: ProtoField, facts: ProtoFacts): string {
  const scalar = SCALARS[type] ?? (facts.enums.has(bare(type)) ? "number" : undefined);
  if (!scalar && !facts.messages.has(type)) throw new Error(`Cannot find the type "${type}"`);
  const one = scalar ?? type;
  if (label === "map") return `: Record<string, ${one}>`;
  if (label === "repeated") return `: ${one}[]`;
  return scalar ? `: ${one}` : `?: ${one} | undefined`;
}

function layoutText({ number, type, label }: ProtoField, facts: ProtoFacts): string {
  const layout = facts.enums.has(bare(type)) ? "int32" : type;
  return [number, label, layout].filter(Boolean).join(" ");
}

/** Without the message around it. */
function bare(type: string): string {
  return type.split(".").at(-1) ?? type;
}
