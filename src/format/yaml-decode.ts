import {
  type CST,
  Composer,
  type Document,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
} from "yaml";

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

const MAX_DEPTH = 200;
const MAX_ALIASES = 100;

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
  const lines = new LineCounter();
  const composer = new Composer({
    version: "1.1",
    merge: true,
    uniqueKeys: false,
    intAsBigInt: true,
    logLevel: "error",
    customTags: (tags) =>
      tags.filter(
        (tag) =>
          typeof tag === "string" ||
          !(STRINGS_TO_KUBERNETES.has(tag.tag) || ("format" in tag && tag.format === "TIME")),
      ),
  });
  let document: Document | undefined;
  for (const each of composer.compose(tokensOf(text, lines), true, text.length)) {
    if (document) throw new YamlSyntaxError("yaml: the body must be a single document");
    document = each;
  }
  const [error] = document?.errors ?? [];
  if (error)
    throw new YamlSyntaxError(`yaml: line ${lineOf(error.pos[0], lines)}: ${error.message}`);
  const duplicates: string[] = [];
  findDuplicates(document?.contents, "", duplicates);
  return { value: valueOf(document), duplicates };
}

/** The library composes nested nodes by recursion, so the depth is bounded before it does. */
function* tokensOf(text: string, lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > MAX_DEPTH) {
      const line = lineOf(parser.offset, lines);
      throw new YamlSyntaxError(`yaml: line ${line}: exceeded max depth of ${MAX_DEPTH}`);
    }
  }
  yield* parser.end();
}

function lineOf(offset: number, lines: LineCounter): number {
  return lines.linePos(offset).line;
}

/** @throws YamlSyntaxError for aliases that lead nowhere or expand without end, merges of text */
function valueOf(document: Document | undefined): unknown {
  try {
    return narrow(document?.toJS({ maxAliasCount: MAX_ALIASES }) ?? null);
  } catch (error) {
    // The library has no class of its own for what it refuses here.
    if (error instanceof Error) throw new YamlSyntaxError(`yaml: ${error.message}`);
    throw error;
  }
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
