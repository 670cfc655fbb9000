import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";

/** A YAML document as JSON values. */
export interface DecodedYaml {
  value: unknown;
  /** Paths of keys that a map has twice, such as "spec.containers[0].name"; the last wins. */
  duplicates: readonly string[];
}

/** Malformed YAML. */
export class YamlSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "YamlSyntaxError";
  }
}

/** Tags of YAML 1.1 that the Kubernetes reader leaves as plain strings. */
const STRINGS_TO_KUBERNETES = new Set([
  "tag:yaml.org,2002:timestamp",
  "tag:yaml.org,2002:set",
  "tag:yaml.org,2002:omap",
  "tag:yaml.org,2002:pairs",
]);

/**
 * Decodes one YAML 1.1 document as Kubernetes does: `yes` and `on` are booleans, `0755` is octal,
 * dates and `12:30:45` stay strings, keys become strings. @throws YamlSyntaxError
 */
export function decodeYaml(text: string): DecodedYaml {
  const document = parseDocument(text, {
    version: "1.1",
    merge: true,
    uniqueKeys: false,
    intAsBigInt: true,
    lineCounter: new LineCounter(),
    customTags: (tags) =>
      tags.filter(
        (tag) =>
          typeof tag === "string" ||
          !(STRINGS_TO_KUBERNETES.has(tag.tag) || ("format" in tag && tag.format === "TIME")),
      ),
  });
  const [error] = document.errors;
  if (error) {
    const line = error.linePos?.[0].line ?? 0;
    throw new YamlSyntaxError(`yaml: line ${line}: ${error.message.split("\n", 1)[0] ?? ""}`);
  }
  const value = narrow(document.toJS({ maxAliasCount: 100 }));
  const duplicates: string[] = [];
  findDuplicates(document.contents, "", duplicates);
  return { value, duplicates };
}

/** Collects the paths of keys that a map has twice. */
function findDuplicates(node: unknown, path: string, found: string[]): void {
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      findDuplicates(item, `${path}[${index}]`, found);
    }
  }
  if (!isMap(node)) return;
  const seen = new Set<string>();
  for (const { key, value } of node.items) {
    const name = String(isScalar(key) ? key.value : key);
    const at = path ? `${path}.${name}` : name;
    if (seen.has(name) && name !== "<<") found.push(at);
    seen.add(name);
    findDuplicates(value, at, found);
  }
}

/** Integers arrive as `bigint`; those that a number holds exactly become numbers. */
function narrow(value: unknown): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(narrow);
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object)) object[key] = narrow(object[key]);
  return object;
}
