import type { Issue } from "./source-errors.ts";
import { Uint, type Value } from "./values.ts";

/** A piece of an expression. */
export interface Token {
  kind: "end" | "ident" | "literal" | "operator";
  /** The text as written, quotes included. */
  text: string;
  at: number;
  /** Of a literal. */
  value?: Value;
}

/** What ends the reading of an expression. */
export class SyntaxIssue extends Error implements Issue {
  override readonly name = "SyntaxIssue";
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

const SPACE = /(?:[ \t\r\n\f]+|\/\/[^\n]*)+/y;
const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /0x[0-9a-fA-F]+[uU]?|(?:[0-9]+\.[0-9]+|\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?[uU]?/y;
const OPERATOR = /&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()[\]{}]/y;
const STRING = /(?:[rR][bB]?|[bB][rR]?)?(?:"""|'''|"|')/y;

const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;

/** Splits an expression. @throws SyntaxIssue */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  while (at < source.length) {
    const space = match(SPACE);
    if (space) {
      at += space.length;
      continue;
    }
    const token = readText(source, { at, prefix: match(STRING) }) ?? {
      ...plainToken(source, { at, match }),
    };
    tokens.push(token);
    at += token.text.length;
  }
  tokens.push({ kind: "end", text: "<EOF>", at: source.length });
  return tokens;
}

function plainToken(
  source: string,
  { at, match }: { at: number; match: (pattern: RegExp) => string | undefined },
): Token {
  const ident = match(IDENT);
  if (ident) return { kind: "ident", text: ident, at };
  const number = match(NUMBER);
  if (number) return { kind: "literal", text: number, at, value: numberValue(number, at) };
  const operator = match(OPERATOR);
  if (operator) return { kind: "operator", text: operator, at };
  const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
  throw new SyntaxIssue(at, `Syntax error: token recognition error at: '${character}'`);
}

function numberValue(text: string, at: number): Value {
  const unsigned = /u$/i.test(text);
  const digits = unsigned ? text.slice(0, -1) : text;
  if (!unsigned && !digits.startsWith("0x") && /[.eE]/.test(digits)) return Number(digits);
  if (/[.]/.test(digits) || (!digits.startsWith("0x") && /[eE]/.test(digits))) {
    throw new SyntaxIssue(at, "Syntax error: invalid uint literal");
  }
  const value = BigInt(digits);
  if (unsigned) {
    if (value > UINT_MAX) throw new SyntaxIssue(at, "Syntax error: invalid uint literal");
    return new Uint(value);
  }
  // One more than the largest is fine after a minus; the parser looks.
  if (value > INT_MAX + 1n) throw new SyntaxIssue(at, "Syntax error: invalid int literal");
  return value;
}

function readText(
  source: string,
  { at, prefix }: { at: number; prefix: string | undefined },
): Token | undefined {
  if (!prefix) return undefined;
  const quote = /["']+$/.exec(prefix)?.[0] ?? "";
  const flags = prefix.slice(0, prefix.length - quote.length).toLowerCase();
  const raw = flags.includes("r");
  let end = at + prefix.length;
  for (;;) {
    const character = source[end];
    if (character === undefined || (quote.length === 1 && /[\r\n]/.test(character))) {
      const shown = source.slice(at, end);
      throw new SyntaxIssue(at, `Syntax error: token recognition error at: '${shown}'`);
    }
    if (source.startsWith(quote, end)) break;
    end += character === "\\" && !raw ? 2 : 1;
  }
  const text = source.slice(at, end + quote.length);
  const body = source.slice(at + prefix.length, end).replaceAll("\r\n", "\n");
  const bytes = flags.includes("b");
  const value = raw && !bytes ? body : unescape(body, { at, bytes, raw });
  return { kind: "literal", text, at, value };
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "?": "?",
  '"': '"',
  "'": "'",
  "`": "`",
};
const ESCAPE =
  /\\(?:([abfnrtv\\?"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/y;

function unescape(
  body: string,
  { at, bytes, raw }: { at: number; bytes: boolean; raw: boolean },
): string | Uint8Array {
  const encoder = new TextEncoder();
  const out: (string | number)[] = [];
  for (let index = 0; index < body.length; ) {
    if (raw || body[index] !== "\\") {
      const character = String.fromCodePoint(body.codePointAt(index) ?? 0);
      out.push(character);
      index += character.length;
      continue;
    }
    ESCAPE.lastIndex = index;
    const found = ESCAPE.exec(body);
    if (!found) throw new SyntaxIssue(at, "Syntax error: unable to unescape string");
    const [whole, simple, byte, short, long, octal] = found;
    index += whole.length;
    const code = simple ? undefined : codeOf({ byte, short, long, octal });
    const unicode = short ?? long;
    if (code !== undefined && ((unicode && bytes) || !isCharacter(code))) {
      throw new SyntaxIssue(at, "Syntax error: invalid unicode code point");
    }
    if (simple) out.push(SIMPLE_ESCAPES[simple] ?? simple);
    else out.push(bytes ? (code ?? 0) : String.fromCodePoint(code ?? 0));
  }
  if (!bytes) return out.join("");
  return Uint8Array.from(
    out.flatMap((piece) => (typeof piece === "number" ? [piece] : [...encoder.encode(piece)])),
  );
}

function codeOf(of: Record<"byte" | "short" | "long" | "octal", string | undefined>): number {
  if (of.octal) return Number.parseInt(of.octal, 8);
  return Number.parseInt(of.byte ?? of.short ?? of.long ?? "0", 16);
}

function isCharacter(code: number): boolean {
  return code <= 0x10_ffff && !(code >= 0xd800 && code <= 0xdfff);
}
