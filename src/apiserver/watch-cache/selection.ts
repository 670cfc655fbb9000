import type { Attributes, AttributesOf, CachedObject } from "./cached-object.ts";
import type { Pin } from "./pin.ts";

/** Decides on the attributes of an object. */
export type AttributeMatcher = (attributes: Attributes) => boolean;

/** Which objects of a resource a list or watch wants. */
export class Selection {
  /** Keys start so: "namespace/" or "" for all. */
  readonly prefix: string;
  /** Exactly this key, when a field selector names the object. */
  readonly key: string | undefined;
  /** Keys end so: "/name" when a field selector names objects of every namespace. */
  readonly suffix: string;
  /** Values that every selected object has; the matcher checks them, too. */
  readonly pins: readonly Pin[];
  readonly #matcher: AttributeMatcher | undefined;
  readonly #attributesOf: AttributesOf;

  constructor(of: {
    prefix: string;
    key?: string | undefined;
    suffix?: string;
    pins?: readonly Pin[];
    matcher?: AttributeMatcher | undefined;
    attributesOf: AttributesOf;
  }) {
    this.prefix = of.prefix;
    this.key = of.key;
    this.suffix = of.suffix ?? "";
    this.pins = of.pins ?? [];
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
