import {
  type CharacterSet,
  complement,
  PERL_CLASSES,
  POSIX_CLASSES,
  singleton,
} from "./character-set.ts";

/** A pattern as a tree. */
export type Tree =
  | { kind: "set"; set: CharacterSet }
  | { kind: "sequence"; items: Tree[] }
  | { kind: "choice"; items: Tree[] }
  | { kind: "repeat"; item: Tree; min: number; max: number; greedy: boolean }
  | { kind: "assert"; at: Assertion };

export type Assertion = "text-start" | "text-end" | "line-start" | "line-end" | "word" | "no-word";

/** A pattern that RE2 would refuse as well, in its words. */
export class RegexpSyntaxError extends Error {
  override readonly name = "RegexpSyntaxError";

  constructor(what: string, text: string) {
    super(`error parsing regexp: ${what}: \`${text}\``);
  }
}

interface Flags {
  foldCase: boolean;
  multiLine: boolean;
  dotAll: boolean;
  lazy: boolean;
}

const REPEAT_MAX = 1000;
const DEPTH_MAX = 200;
const NEWLINE = 0x0a;
const PLAIN_ESCAPES: Readonly<Record<string, number>> = {
  a: 0x07,
  f: 0x0c,
  t: 0x09,
  n: 0x0a,
  r: 0x0d,
  v: 0x0b,
};

/** Reads a pattern in the syntax of RE2. @throws RegexpSyntaxError */
export function parseRegexp(pattern: string): Tree {
  return new Parser(pattern).whole();
}

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #flags: Flags = { foldCase: false, multiLine: false, dotAll: false, lazy: false };

  constructor(pattern: string) {
    this.#text = pattern;
  }

  whole(): Tree {
    const tree = this.#choice();
    if (this.#at < this.#text.length) throw new RegexpSyntaxError("unexpected )", this.#text);
    return tree;
  }

  #rest(): string {
    return this.#text.slice(this.#at);
  }

  #eat(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text) ?? undefined;
    if (found) this.#at += found[0].length;
    return found;
  }

  #choice(): Tree {
    if (++this.#depth > DEPTH_MAX) {
      throw new RegexpSyntaxError("expression nests too deeply", this.#text);
    }
    const before = this.#flags;
    const items = [this.#sequence()];
    while (this.#eat("|")) items.push(this.#sequence());
    this.#flags = before;
    this.#depth--;
    return items.length === 1 ? (items[0] as Tree) : { kind: "choice", items };
  }

  #sequence(): Tree {
    const items: Tree[] = [];
    while (this.#at < this.#text.length && !/[|)]/.test(this.#text[this.#at] ?? "")) {
      const atom = this.#atom();
      if (atom) items.push(this.#repeated(atom));
    }
    return { kind: "sequence", items };
  }

  #repeated(atom: Tree): Tree {
    let tree = atom;
    for (let count = 0; ; count++) {
      const start = this.#at;
      const bounds = this.#bounds();
      if (!bounds) return tree;
      const [min, max] = bounds;
      const lazy = this.#eat("?");
      if (count > 0) {
        const text = this.#text.slice(start - 1, this.#at);
        throw new RegexpSyntaxError("invalid nested repetition operator", text);
      }
      const inner = repeatsOf(atom) * Math.max(min, Number.isFinite(max) ? max : 0);
      if (inner > REPEAT_MAX) {
        throw new RegexpSyntaxError("invalid repeat count", this.#text.slice(start, this.#at));
      }
      tree = { kind: "repeat", item: tree, min, max, greedy: lazy === this.#flags.lazy };
    }
  }

  #bounds(): [number, number] | undefined {
    if (this.#eat("*")) return [0, Infinity];
    if (this.#eat("+")) return [1, Infinity];
    if (this.#eat("?")) return [0, 1];
    const start = this.#at;
    const found = this.#match(/\{(\d+)(?:(,)(\d*))?\}/y);
    if (!found) return undefined;
    const [text, least, comma, most] = found;
    const min = Number(least);
    const max = comma ? (most ? Number(most) : Infinity) : min;
    if (min > REPEAT_MAX || (Number.isFinite(max) && max > REPEAT_MAX) || max < min) {
      this.#at = start;
      throw new RegexpSyntaxError("invalid repeat count", text);
    }
    return [min, max];
  }

  /** One item, or nothing where only flags were set. */
  #atom(): Tree | undefined {
    const { foldCase, multiLine, dotAll } = this.#flags;
    const character = this.#text[this.#at] ?? "";
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return { kind: "set", set: this.#class() };
      case ".": {
        this.#at++;
        const ranges = dotAll ? [] : [[NEWLINE, NEWLINE] as const];
        return { kind: "set", set: { ranges, classes: [], negated: true, foldCase: false } };
      }
      case "^":
        this.#at++;
        return { kind: "assert", at: multiLine ? "line-start" : "text-start" };
      case "$":
        this.#at++;
        return { kind: "assert", at: multiLine ? "line-end" : "text-end" };
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw new RegexpSyntaxError("missing argument to repetition operator", character);
    }
    if (character === "{" && /^\{\d+(,\d*)?\}/.test(this.#rest())) {
      const [text] = /^\{[^}]*\}/.exec(this.#rest()) ?? [""];
      throw new RegexpSyntaxError("missing argument to repetition operator", text);
    }
    return { kind: "set", set: singleton(this.#codePoint(), foldCase) };
  }

  #codePoint(): number {
    const code = this.#text.codePointAt(this.#at) ?? 0;
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  #group(): Tree | undefined {
    const start = this.#at;
    this.#at++;
    const before = this.#flags;
    if (this.#eat("?")) {
      const named = this.#match(/P?<([^>]*)>/y);
      if (named && !/^\w+$/.test(named[1] ?? "")) {
        throw new RegexpSyntaxError("invalid named capture", this.#text.slice(start, this.#at));
      }
      if (!named && this.#setFlags(start)) return undefined;
    }
    const inner = this.#choice();
    this.#flags = before;
    if (!this.#eat(")")) throw new RegexpSyntaxError("missing closing )", this.#text);
    return inner;
  }

  /** Flags of `(?i)` and `(?i:...)`; true for the former. */
  #setFlags(start: number): boolean {
    const found = this.#match(/([imsU]*)(?:(-)([imsU]+))?([:)])/y);
    const [, on = "", minus, off = "", end] = found ?? [];
    if (!found || (end === ")" && on + off === "") || (minus && off === "")) {
      const text = this.#text.slice(start, Math.max(this.#at, start + 3));
      throw new RegexpSyntaxError("invalid or unsupported Perl syntax", text);
    }
    const flags = { ...this.#flags };
    const names = { i: "foldCase", m: "multiLine", s: "dotAll", U: "lazy" } as const;
    for (const letter of on) flags[names[letter as "i"]] = true;
    for (const letter of off) flags[names[letter as "i"]] = false;
    this.#flags = flags;
    return end === ")";
  }

  #escape(): Tree {
    const quoted = this.#match(/\\Q([\s\S]*?)(?:\\E|$)/y);
    const { foldCase } = this.#flags;
    if (quoted) {
      const items = Array.from(quoted[1] ?? "", (character): Tree => {
        return { kind: "set", set: singleton(character.codePointAt(0) ?? 0, foldCase) };
      });
      return { kind: "sequence", items };
    }
    const assertion = ASSERTIONS[this.#text.slice(this.#at, this.#at + 2)];
    if (assertion) {
      this.#at += 2;
      return { kind: "assert", at: assertion };
    }
    const named = this.#namedClass();
    const none = { ranges: [], classes: [], negated: false, foldCase };
    if (named) return { kind: "set", set: { ...none, ...named } };
    return { kind: "set", set: singleton(this.#escapedCode(), foldCase) };
  }

  /** `\d`, `\pL`, `\p{Greek}` and their negations. */
  #namedClass(): Partial<CharacterSet> | undefined {
    const perl = this.#match(/\\([dswDSW])/y)?.[1];
    if (perl) {
      const ranges = PERL_CLASSES[perl.toLowerCase()] ?? [];
      return { ranges: perl >= "a" ? ranges : complement(ranges) };
    }
    const unicode = this.#match(/\\([pP])(?:\{(\^?)(\w+)\}|(\w))/y);
    if (!unicode) return undefined;
    const [text, letter, caret, long, short] = unicode;
    const negated = (letter === "P") !== (caret === "^");
    return { classes: [{ pattern: unicodeClass(long ?? short ?? "", text), negated }] };
  }

  #escapedCode(): number {
    const start = this.#at;
    const hex = this.#match(/\\x(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/y);
    if (hex) {
      const code = Number.parseInt(hex[1] ?? hex[2] ?? "0", 16);
      if (code <= 0x10_ffff) return code;
      throw new RegexpSyntaxError("invalid escape sequence", hex[0]);
    }
    const octal = this.#match(/\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/y)?.[1];
    if (octal) return Number.parseInt(octal, 8);
    this.#at++;
    if (this.#at >= this.#text.length) {
      throw new RegexpSyntaxError("trailing backslash at end of expression", "");
    }
    const code = this.#codePoint();
    const character = String.fromCodePoint(code);
    const plain = PLAIN_ESCAPES[character];
    if (plain !== undefined) return plain;
    if (code < 0x80 && /[^A-Za-z0-9]/.test(character)) return code;
    throw new RegexpSyntaxError("invalid escape sequence", this.#text.slice(start, this.#at));
  }

  #class(): CharacterSet {
    const start = this.#at++;
    const { foldCase } = this.#flags;
    const negated = this.#eat("^");
    const ranges: [number, number][] = [];
    const classes: { pattern: RegExp; negated: boolean }[] = [];
    for (let first = true; first || this.#text[this.#at] !== "]"; first = false) {
      if (this.#at >= this.#text.length) {
        throw new RegexpSyntaxError("missing closing ]", this.#text.slice(start));
      }
      const named = this.#posixClass() ?? this.#namedClass();
      if (named) {
        for (const [low, high] of named.ranges ?? []) ranges.push([low, high]);
        classes.push(...(named.classes ?? []));
      } else ranges.push(this.#range());
    }
    this.#at++;
    return { ranges, classes, negated, foldCase };
  }

  #posixClass(): Partial<CharacterSet> | undefined {
    const found = this.#match(/\[:(\^?)(\w+):\]/y);
    if (!found) return undefined;
    const [text, caret, name = ""] = found;
    const ranges = POSIX_CLASSES[name];
    if (!ranges) throw new RegexpSyntaxError("invalid character class range", text);
    return { ranges: caret ? complement(ranges) : ranges };
  }

  #range(): [number, number] {
    const start = this.#at;
    const low = this.#classCode();
    if (!/^-[^\]]/s.test(this.#rest())) return [low, low];
    this.#at++;
    const high = this.#classCode();
    if (high < low) {
      const text = this.#text.slice(start, this.#at);
      throw new RegexpSyntaxError("invalid character class range", text);
    }
    return [low, high];
  }

  #classCode(): number {
    return this.#text[this.#at] === "\\" ? this.#escapedCode() : this.#codePoint();
  }
}

const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  "\\A": "text-start",
  "\\z": "text-end",
  "\\b": "word",
  "\\B": "no-word",
};

function unicodeClass(name: string, text: string): RegExp {
  for (const property of [name, `Script=${name}`]) {
    try {
      return new RegExp(`^\\p{${property}}$`, "u");
    } catch {
      // The other spelling may be known; if not, the pattern is refused below.
    }
  }
  throw new RegexpSyntaxError("invalid character class range", text);
}

/** How often the counted repetitions inside multiply what they hold. */
function repeatsOf(tree: Tree): number {
  switch (tree.kind) {
    case "repeat": {
      const count = Number.isFinite(tree.max) ? tree.max : tree.min;
      return Math.max(1, count) * repeatsOf(tree.item);
    }
    case "sequence":
    case "choice":
      return Math.max(1, ...tree.items.map(repeatsOf));
    default:
      return 1;
  }
}
