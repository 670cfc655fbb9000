/** A field as the interface declares it. */
export interface ProtoField {
  /** In lower camel case. */
  name: string;
  number: number;
  /** A scalar type, or the name of a message or enum; of a map, the type of its values. */
  type: string;
  label?: "repeated" | "map";
}

/** A remote procedure; `streams` when it answers with any number of messages. */
export interface ProtoMethod {
  name: string;
  request: string;
  response: string;
  streams: boolean;
}

/** What a .proto file declares; nested enums count like others. */
export interface ProtoFacts {
  messages: ReadonlyMap<string, readonly ProtoField[]>;
  enums: ReadonlyMap<string, readonly (readonly [name: string, value: number])[]>;
  services: ReadonlyMap<string, readonly ProtoMethod[]>;
}

const FIELD =
  /^(?:(repeated)\s+)?(?:map\s*<\s*string\s*,\s*([\w.]+)\s*>|([\w.]+))\s+(\w+)\s*=\s*(\d+)/;
const METHOD = /^rpc\s+(\w+)\s*\(\s*(\w+)\s*\)\s*returns\s*\(\s*(stream\s+)?(\w+)\s*\)/;
const STATEMENT = /\s*(message|enum|service)\s+(\w+)\s*\{|([^{};]+)(?:;|\{\s*\})|\}/g;

/** Reads the subset of proto3 that the Container Runtime Interface uses: no oneof, no packages. */
export function interfaceFacts(text: string): ProtoFacts {
  const messages = new Map<string, ProtoField[]>();
  const enums = new Map<string, (readonly [string, number])[]>();
  const services = new Map<string, ProtoMethod[]>();
  const open: { kind: string; name: string }[] = [];
  const bare = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
  for (const [whole, kind, name = "", statement = ""] of bare.matchAll(STATEMENT)) {
    if (kind) {
      open.push({ kind, name });
      if (kind === "message") messages.set(name, []);
      else if (kind === "enum") enums.set(name, []);
      else services.set(name, []);
    } else if (whole.trim() === "}") open.pop();
    else declare(statement.trim());
  }
  return { messages, enums, services };

  function declare(statement: string): void {
    const { kind, name = "" } = open.at(-1) ?? {};
    if (kind === "message") messages.get(name)?.push(fieldOf(statement));
    if (kind === "service") services.get(name)?.push(methodOf(statement));
    if (kind !== "enum") return;
    const [constant = "", value = ""] = statement.split("=");
    enums.get(name)?.push([constant.trim(), Number(value)]);
  }
}

function fieldOf(statement: string): ProtoField {
  const [, repeated, valueType, type, name, number] = FIELD.exec(statement) ?? [];
  if (!name) throw new Error(`Cannot read the field "${statement}"`);
  return {
    name: name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    number: Number(number),
    type: valueType ?? type ?? "",
    ...(repeated && { label: "repeated" as const }),
    ...(valueType && { label: "map" as const }),
  };
}

function methodOf(statement: string): ProtoMethod {
  const [, name, request, streams, response] = METHOD.exec(statement) ?? [];
  if (!name || !request || !response) throw new Error(`Cannot read the method "${statement}"`);
  return { name, request, response, streams: streams !== undefined };
}
