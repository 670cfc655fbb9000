import {
  type Allocate,
  decodeCanonical,
  replaceResourceVersion,
} from "../../format/json-canonical.ts";
import { isJson, mayHoldInt64 } from "../../lib/json-value.ts";
import { deepFreeze, type KubeObject } from "../kube-object.ts";
import type { Kin } from "./kin.ts";

/** What selectors look at. */
export interface Attributes {
  labels: Readonly<Record<string, string>>;
  fields: Readonly<Record<string, string>>;
}

/** Reads the attributes of a parsed object of one kind. */
export type AttributesOf = (object: KubeObject) => Attributes;

/** Puts together what bytes read as: frozen throughout, what parsing their JSON would give. */
export type ReadAs = (resourceVersion: string) => KubeObject;

/** What bytes were made from. */
export type Written =
  /**
   * Its resourceVersion counts for nothing. Once the bytes are written it must not change. `plain`
   * are those of its parts that JSON can say.
   */
  | { object: KubeObject; readAs?: undefined; plain?: readonly object[] | undefined }
  /** Nobody has to look whether JSON can say it. */
  | { readAs: ReadAs };

/** One state of one object: bytes ready for the wire, parsed only when somebody needs it. */
export class CachedObject {
  readonly key: string;
  readonly revision: number;
  /** JSON with `metadata.resourceVersion` spliced in. */
  readonly bytes: Uint8Array;
  /** Weak, as the bytes are all that must stay: whoever needs the object often keeps it alive. */
  #object: WeakRef<KubeObject> | undefined;
  /** What it was written from, until somebody asks what it reads as. */
  #written: Written | undefined;
  /** What it reads as, while the change is handed out. */
  #passing: KubeObject | undefined;
  #attributes: Attributes | undefined;
  #hasLongNumber: boolean | undefined;

  readonly #kin: Kin | undefined;

  constructor(key: string, revision: number, bytes: Uint8Array, kin?: Kin) {
    this.key = key;
    this.revision = revision;
    this.bytes = bytes;
    this.#kin = kin;
  }

  /** Takes over what the bytes were written from, until `passed`. */
  know(written: Written): void {
    this.#written = written;
  }

  /** Everybody has been told: what nobody kept may go. */
  passed(): void {
    this.#passing = undefined;
    this.#written = undefined;
  }

  /** The shared frozen object. */
  object(): KubeObject {
    const known = this.#object?.deref();
    if (known) return known;
    const own = this.glance();
    const object = Object.isFrozen(own) ? own : (this.#kin?.freeze(own) ?? deepFreeze(own));
    if (this.#passing) this.#passing = object;
    this.#object = new WeakRef(object);
    return object;
  }

  /** The same for whoever takes some of it and keeps nothing: perhaps neither frozen nor shared. */
  glance(): KubeObject {
    if (this.#written) {
      this.#passing = this.#fromWritten(this.#written);
      this.#written = undefined;
    }
    return this.#passing ?? this.#object?.deref() ?? this.#parse();
  }

  /** A writer may have what JSON cannot say, or says otherwise. */
  #fromWritten(written: Written): KubeObject {
    if (written.readAs) return written.readAs(String(this.revision));
    const { object, plain } = written;
    if (!isJson(object, plain)) return this.#parse();
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.revision) } };
  }

  /**
   * The same for whoever writes it again: an int64 that a number cannot hold is a `bigint`, which
   * readers do not expect.
   */
  exact(): KubeObject {
    const object = this.object();
    return this.#isExact(object) ? object : deepFreeze(decodeCanonical(this.bytes) as KubeObject);
  }

  /**
   * The same for one write that rests on it and keeps nothing: perhaps neither frozen nor shared.
   * It must not be changed all the same: `frozen-state.test.ts` writes every kind with it frozen.
   */
  exactGlance(): KubeObject {
    const object = this.glance();
    return this.#isExact(object) ? object : (decodeCanonical(this.bytes) as KubeObject);
  }

  /** Parsed anew for a caller that wants to change it. */
  copy(): KubeObject {
    return JSON.parse(this.#text()) as KubeObject;
  }

  /** Labels and selectable fields; the parsed object is not kept for them. */
  attributes(of: AttributesOf): Attributes {
    this.#attributes ??= of(this.glance());
    return this.#attributes;
  }

  /** The same state with memory of its own; itself where nothing shares its memory. */
  apart(allocate: Allocate): CachedObject {
    const { byteLength } = this.bytes;
    if (byteLength === this.bytes.buffer.byteLength) return this;
    const bytes = allocate(byteLength);
    bytes.set(this.bytes);
    const apart = new CachedObject(this.key, this.revision, bytes, this.#kin);
    apart.#object = this.#object;
    apart.#attributes = this.#attributes;
    apart.#hasLongNumber = this.#hasLongNumber;
    return apart;
  }

  /** The same content as of a later revision, such as the one of its removal. */
  atRevision(revision: number): CachedObject {
    return new CachedObject(this.key, revision, replaceResourceVersion(this.bytes, revision));
  }

  #isExact(object: KubeObject): boolean {
    this.#hasLongNumber ??= holdsLongNumber(object);
    return !this.#hasLongNumber;
  }

  #parse(): KubeObject {
    const text = this.#text();
    return this.#kin?.managers.parse(text) ?? (JSON.parse(text) as KubeObject);
  }

  #text(): string {
    return Buffer.prototype.utf8Slice.call(this.bytes, 0, this.bytes.byteLength);
  }
}

/** There are no numbers in what managers own, which is often half of an object. */
function holdsLongNumber(object: KubeObject): boolean {
  for (const name in object) {
    const part = object[name];
    if (name === "metadata" ? mayMetaHoldInt64(object) : mayHoldInt64(part)) return true;
  }
  return false;
}

function mayMetaHoldInt64({ metadata }: KubeObject): boolean {
  for (const name in metadata) {
    if (name !== "managedFields" && mayHoldInt64(metadata[name as keyof typeof metadata])) {
      return true;
    }
  }
  return false;
}
