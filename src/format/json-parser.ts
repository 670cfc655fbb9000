/** Malformed JSON; the message is worded as Go's `encoding/json` words it. */
export class JsonSyntaxError extends Error {
  /** Index of the offending character. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = "JsonSyntaxError";
    this.offset = offset;
  }
}

/** Parses, reporting the paths of repeated keys and keeping int64 beyond 2^53 as `bigint`. */
export function parseStrictJson(text: string): { value: unknown; duplicates: string[] } {
  const parser = new JsonParser(text);
  return { value: parser.document(), duplicates: parser.duplicates };
}

/** A key that a strict reader objects to. */
export interface KeyRemark {
  kind: "duplicate" | "unknown";
  key: string;
  path: string;
  /** Line on which its value begins; the first is 1. */
  line: number;
}

/**
 * Keys that stand twice, and those whose paths are `unknown`, each path once for either and in the
 * order of the text. Nothing is said of what is inside an unknown one. @throws JsonSyntaxError
 */
export function remarkKeys(text: string, unknown: ReadonlySet<string>): KeyRemark[] {
  const parser = new JsonParser(text, unknown);
  parser.document();
  let [line, from] = [1, 0];
  return parser.remarks.map(({ at, ...remark }) => {
    for (; from < at; from++) if (text.charCodeAt(from) === 0x0a) line++;
    return { ...remark, line };
  });
}

/** More are no int64, and reading very many of them exactly would take long. */
const INT64_CHARACTERS_MAX = 20;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class JsonParser {
  readonly duplicates: string[] = [];
  readonly remarks: (Omit<KeyRemark, "line"> & { at: number })[] = [];
  readonly #text: string;
  readonly #unknown: ReadonlySet<string>;
  readonly #lengths: ReadonlySet<number>;
  readonly #said = new Set<string>();
  /** Grows and shrinks by parts, and is put together only where it is asked for. */
  #path = "";
  #insideUnknown = false;
  #at = 0;

  constructor(text: string, unknown: ReadonlySet<string> = new Set()) {
    this.#text = text;
    this.#unknown = unknown;
    this.#lengths = new Set([...unknown].map(({ length }) => length));
  }

  document(): unknown {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected("after top-level value");
    return value;
  }

  #value(): unknown {
    this.#space();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object();
      case "[":
        return this.#array();
      case '"':
        return this.#string();
      case "t":
        return this.#literal("true", true);
      case "f":
        return this.#literal("false", false);
      case "n":
        return this.#literal("null", null);
      default:
        return this.#number();
    }
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === "}") {
      this.#at++;
      return object;
    }
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') {
        throw this.#unexpected("looking for beginning of object key string");
      }
      this.#member(object);
      this.#space();
      const next = this.#text[this.#at];
      if (next !== "," && next !== "}") throw this.#unexpected("after object key:value pair");
      this.#at++;
      if (next === "}") return object;
    }
  }

  #member(object: Record<string, unknown>): void {
    const key = this.#string();
    this.#space();
    if (this.#text[this.#at] !== ":") throw this.#unexpected("after object key");
    this.#at++;
    const [outer, wasInside] = [this.#path, this.#insideUnknown];
    this.#path = outer === "" ? key : `${outer}.${key}`;
    this.#space();
    this.#remark(key, Object.hasOwn(object, key));
    const value = this.#value();
    this.#path = outer;
    this.#insideUnknown = wasInside;
    const property = { value, writable: true, enumerable: true, configurable: true };
    if (key === "__proto__") Object.defineProperty(object, key, property);
    else object[key] = value;
  }

  #remark(key: string, isRepeated: boolean): void {
    if (isRepeated) this.duplicates.push(this.#path);
    if (this.#insideUnknown) return;
    const isUnknown = this.#lengths.has(this.#path.length) && this.#unknown.has(this.#path);
    this.#insideUnknown = isUnknown;
    if (!isUnknown && !isRepeated) return;
    const [kind, path] = [isUnknown ? "unknown" : "duplicate", this.#path] as const;
    if (this.#said.has(path)) return;
    this.#said.add(path);
    this.remarks.push({ kind, key, path, at: this.#at });
  }

  #array(): unknown[] {
    const array: unknown[] = [];
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === "]") {
      this.#at++;
      return array;
    }
    for (;;) {
      const outer = this.#path;
      this.#path = `${outer}[${array.length}]`;
      array.push(this.#value());
      this.#path = outer;
      this.#space();
      const next = this.#text[this.#at];
      if (next !== "," && next !== "]") throw this.#unexpected("after array element");
      this.#at++;
      if (next === "]") return array;
    }
  }

  #string(): string {
    this.#at++;
    let result = "";
    for (let from = this.#at; ; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) {
        result += this.#text.slice(from, this.#at++);
        return result;
      }
      if (Number.isNaN(code) || code < 0x20) throw this.#unexpected("in string literal");
      if (code === 0x5c) {
        result += this.#text.slice(from, this.#at) + this.#escape();
        from = this.#at + 1;
      }
    }
  }

  /** Leaves the position on the last character of the escape. */
  #escape(): string {
    this.#at++;
    const letter = this.#text[this.#at] ?? "";
    if (letter === "u") {
      const digits = /[0-9a-fA-F]{0,4}/y;
      digits.lastIndex = this.#at + 1;
      const hex = digits.exec(this.#text)?.[0] ?? "";
      this.#at += hex.length;
      if (hex.length === 4) return String.fromCharCode(Number.parseInt(hex, 16));
      this.#at++;
      throw this.#unexpected("in \\u hexadecimal character escape");
    }
    const escaped = ESCAPES[letter];
    if (escaped === undefined) throw this.#unexpected("in string escape code");
    return escaped;
  }

  #literal<T>(word: string, value: T): T {
    for (const letter of word) {
      if (this.#text[this.#at] !== letter) {
        throw this.#unexpected(`in literal ${word} (expecting '${letter}')`);
      }
      this.#at++;
    }
    return value;
  }

  #number(): number | bigint {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (!match) {
      if (this.#text[this.#at] !== "-") throw this.#unexpected("looking for beginning of value");
      this.#at++;
      throw this.#unexpected("in numeric literal");
    }
    const [literal, fraction, exponent] = match;
    this.#at += literal.length;
    const number = Number(literal);
    if (fraction || exponent || Number.isSafeInteger(number)) return number;
    if (literal.length > INT64_CHARACTERS_MAX) return number;
    const exact = BigInt(literal);
    return BigInt.asIntN(64, exact) === exact ? exact : number;
  }

  #space(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    }
  }

  #unexpected(where: string): JsonSyntaxError {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) {
      return new JsonSyntaxError("unexpected end of JSON input", this.#text.length);
    }
    return new JsonSyntaxError(`invalid character ${quote(code)} ${where}`, this.#at);
  }
}

/** As Go prints a character: `'x'`, `'\''`, `'"'`, `'\n'`. */
function quote(code: number): string {
  if (code === 0x27) return "'\\''";
  if (code === 0x22) return "'\"'";
  return `'${JSON.stringify(String.fromCodePoint(code)).slice(1, -1)}'`;
}
