import type { AttributesOf, CachedObject } from "./cached-object.ts";

/** Decides on the attributes of an object. */
export type AttributeMatcher = (attributes: {
  labels: Readonly<Record<string, string>>;
  fields: Readonly<Record<string, string>>;
}) => boolean;

/** Which objects of a resource a list or watch wants. */
export class Selection {
  /** Keys start so: "namespace/" or "" for all. */
  readonly prefix: string;
  /** Exactly this key, when a field selector names the object. */
  readonly key: string | undefined;
  /** Keys end so: "/name" when a field selector names objects of every namespace. */
  readonly suffix: string;
  readonly #matcher: AttributeMatcher | undefined;
  readonly #attributesOf: AttributesOf;

  constructor(of: {
    prefix: string;
    key?: string | undefined;
    suffix?: string;
    matcher?: AttributeMatcher | undefined;
    attributesOf: AttributesOf;
  }) {
    this.prefix = of.prefix;
    this.key = of.key;
    this.suffix = of.suffix ?? "";
    this.#matcher = of.matcher;
    this.#attributesOf = of.attributesOf;
  }

  /** The prefix, or the one key, decides. */
  get byKeyOnly(): boolean {
    return this.#matcher === undefined && this.suffix === "";
  }

  coversKey(key: string): boolean {
    if (this.key !== undefined) return key === this.key;
    return key.startsWith(this.prefix) && key.endsWith(this.suffix);
  }

  matches(object: CachedObject): boolean {
    return this.#matcher === undefined || this.#matcher(object.attributes(this.#attributesOf));
  }
}
