/** The part of Go that gofmt-formatted `types.go` files use, read line by line. */
export interface GoPackage {
  structs: Map<string, GoStruct>;
  /** Named types that are not structs, such as `type Verbs []string`. */
  named: Map<string, GoNamed>;
  /** Typed string constants by type name, in declaration order. */
  constants: Map<string, string[]>;
  /** Constant values by constant name. */
  values: Map<string, string>;
}

export interface GoStruct {
  name: string;
  markers: Markers;
  fields: GoField[];
  imports: ReadonlyMap<string, string>;
}

export interface GoNamed {
  type: string;
  markers: Markers;
  imports: ReadonlyMap<string, string>;
}

export interface GoField {
  /** Empty for an embedded struct. */
  name: string;
  type: string;
  tags: ReadonlyMap<string, string>;
  markers: Markers;
}

/** `+key=value` lines of a comment; a key may repeat. */
export type Markers = ReadonlyMap<string, readonly string[]>;

export function emptyPackage(): GoPackage {
  return { structs: new Map(), named: new Map(), constants: new Map(), values: new Map() };
}

/** Adds the declarations of one file. */
export function parseGo(source: string, into: GoPackage): void {
  new Parser(source, into).run();
}

const FIELD = /^\t(?:(\w+)\s+)?([\w.*[\]{}]+)\s*(?:`(.*)`)?(?:\s*\/\/.*)?$/;
const CONSTANT = /^\t?(?:const )?(\w+)(?:\s+([\w.]+))?\s*=\s*(?:[\w.]+\()?"([^"]*)"\)?/;
const IMPORT = /^\t(?:(\w+)\s+)?"([^"]+)"$/;

class Parser {
  readonly #lines: string[];
  readonly #into: GoPackage;
  readonly #imports = new Map<string, string>();
  #at = 0;
  #comment: string[] = [];

  constructor(source: string, into: GoPackage) {
    this.#lines = source.split("\n");
    this.#into = into;
  }

  run(): void {
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at] ?? "";
      if (line === "") continue;
      if (line.startsWith("//")) this.#comment.push(line);
      else {
        this.#declaration(line);
        this.#comment = [];
      }
    }
  }

  #declaration(line: string): void {
    if (line === "import (") this.#block((inner) => this.#import(inner));
    else if (line === "const (") this.#block((inner) => this.#constant(inner));
    else if (line.startsWith("const ")) this.#constant(line);
    else if (line.startsWith("type ")) this.#type(line);
  }

  #block(each: (line: string) => void): void {
    for (this.#at++; this.#lines[this.#at] !== ")"; this.#at++) each(this.#lines[this.#at] ?? "");
  }

  #import(line: string): void {
    const match = IMPORT.exec(line);
    const path = match?.[2];
    if (path) this.#imports.set(match[1] ?? path.slice(path.lastIndexOf("/") + 1), path);
  }

  #constant(line: string): void {
    const match = CONSTANT.exec(line);
    if (!match) return;
    const [, name = "", type, value = ""] = match;
    this.#into.values.set(name, value);
    if (!type) return;
    const known = this.#into.constants.get(type);
    if (known) known.push(value);
    else this.#into.constants.set(type, [value]);
  }

  #type(line: string): void {
    const match = /^type (\w+) (?:= )?(.+)$/.exec(line);
    const [, name = "", type = ""] = match ?? [];
    const markers = markersOf(this.#comment);
    if (type === "struct {") {
      const fields = this.#fields();
      this.#into.structs.set(name, { name, markers, fields, imports: this.#imports });
    } else if (!/^(struct|interface|func)/.test(type)) {
      this.#into.named.set(name, { type, markers, imports: this.#imports });
    }
  }

  #fields(): GoField[] {
    const fields: GoField[] = [];
    let comment: string[] = [];
    for (this.#at++; this.#lines[this.#at] !== "}"; this.#at++) {
      const line = this.#lines[this.#at] ?? "";
      if (line === "") continue;
      if (line.startsWith("\t//")) {
        comment.push(line.slice(1));
        continue;
      }
      if (line.startsWith("\t/*")) {
        while (!this.#lines[this.#at]?.includes("*/")) this.#at++;
        continue;
      }
      const match = FIELD.exec(line);
      if (!match) throw new Error(`Cannot parse the Go field ${JSON.stringify(line)}`);
      const [, name = "", type = "", tag = ""] = match;
      fields.push({ name, type, tags: tagsOf(tag), markers: markersOf(comment) });
      comment = [];
    }
    return fields;
  }
}

function markersOf(comment: readonly string[]): Markers {
  const markers = new Map<string, string[]>();
  for (const line of comment) {
    const match = /^\/\/\s*\+([\w:.-]+)(?:=(.*))?$/.exec(line);
    if (!match) continue;
    const [, key = "", value = ""] = match;
    markers.set(key, [...(markers.get(key) ?? []), value.trim()]);
  }
  return markers;
}

function tagsOf(tag: string): Map<string, string> {
  const tags = new Map<string, string>();
  for (const [, key = "", value = ""] of tag.matchAll(/(\w+):"([^"]*)"/g)) tags.set(key, value);
  return tags;
}
