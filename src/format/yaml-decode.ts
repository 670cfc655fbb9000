import {
  type CST,
  Composer,
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
} from "yaml";

/** A YAML document as JSON values. */
export interface DecodedYaml {
  value: unknown;
  /** Keys that a map has twice, as `line 3: key "name" already set in map`; the last wins. */
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
  findDuplicates(document?.contents, { lines, found: duplicates });
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

/** Collects the keys that a map has twice, in the words of upstream's reader and in its order. */
function findDuplicates(node: unknown, to: { lines: LineCounter; found: string[] }): void {
  if (isSeq(node)) for (const item of node.items) findDuplicates(item, to);
  if (!isMap(node)) return;
  const seen = new Set<string>();
  for (const { key, value } of node.items) {
    const name = String(isScalar(key) ? key.value : key);
    findDuplicates(value, to);
    if (seen.has(name) && name !== "<<") to.found.push(repeatedKey(lineAt(value ?? key, to), name));
    seen.add(name);
  }
}

function lineAt(node: unknown, { lines }: { lines: LineCounter }): number {
  return isNode(node) && node.range ? lineOf(node.range[0], lines) : 0;
}

/** What a strict reader of YAML says of a key that is there again. */
export function repeatedKey(line: number, key: string): string {
  return `line ${line}: key ${JSON.stringify(key)} already set in map`;
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
