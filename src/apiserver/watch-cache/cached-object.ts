import {
  decodeCanonical,
  hasLongNumber,
  replaceResourceVersion,
} from "../../format/json-canonical.ts";
import { deepFreeze, type KubeObject } from "../kube-object.ts";
import type { Kin } from "./kin.ts";

/** What selectors look at. */
export interface Attributes {
  labels: Readonly<Record<string, string>>;
  fields: Readonly<Record<string, string>>;
}

/** Reads the attributes of a parsed object of one kind. */
export type AttributesOf = (object: KubeObject) => Attributes;

/** One state of one object: bytes ready for the wire, parsed only when somebody needs it. */
export class CachedObject {
  readonly key: string;
  readonly revision: number;
  /** JSON with `metadata.resourceVersion` spliced in. */
  readonly bytes: Uint8Array;
  /** Weak, as the bytes are all that must stay: whoever needs the object often keeps it alive. */
  #object: WeakRef<KubeObject> | undefined;
  #attributes: Attributes | undefined;
  #hasLongNumber: boolean | undefined;

  readonly #kin: Kin | undefined;

  constructor(key: string, revision: number, bytes: Uint8Array, kin?: Kin) {
    this.key = key;
    this.revision = revision;
    this.bytes = bytes;
    this.#kin = kin;
  }

  /** Takes over what the bytes read as, from their writer; it is frozen but for its revision. */
  know(object: KubeObject): void {
    const metadata = Object.freeze({ ...object.metadata, resourceVersion: String(this.revision) });
    this.#object = new WeakRef(Object.freeze({ ...object, metadata }));
  }

  /** The shared frozen object. */
  object(): KubeObject {
    const known = this.#object?.deref();
    if (known) return known;
    const parsed = this.#parse();
    const object = this.#kin?.freeze(parsed) ?? deepFreeze(parsed);
    this.#object = new WeakRef(object);
    return object;
  }

  /**
   * The same for whoever writes it again: an int64 that a number cannot hold is a `bigint`, which
   * readers do not expect.
   */
  exact(): KubeObject {
    this.#hasLongNumber ??= hasLongNumber(this.bytes);
    if (!this.#hasLongNumber) return this.object();
    return deepFreeze(decodeCanonical(this.bytes) as KubeObject);
  }

  /** Parsed anew for a caller that wants to change it. */
  copy(): KubeObject {
    return this.#parse();
  }

  /** Labels and selectable fields; the parsed object is not kept for them. */
  attributes(of: AttributesOf): Attributes {
    this.#attributes ??= of(this.#object?.deref() ?? this.#parse());
    return this.#attributes;
  }

  /** The same content as of a later revision, such as the one of its removal. */
  atRevision(revision: number): CachedObject {
    return new CachedObject(this.key, revision, replaceResourceVersion(this.bytes, revision));
  }

  #parse(): KubeObject {
    const { buffer, byteOffset, byteLength } = this.bytes;
    return JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString()) as KubeObject;
  }
}
