import { deepFreeze, type KubeObject } from "../kube-object.ts";

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

  constructor(key: string, revision: number, bytes: Uint8Array) {
    this.key = key;
    this.revision = revision;
    this.bytes = bytes;
  }

  /** The shared frozen object. */
  object(): KubeObject {
    const known = this.#object?.deref();
    if (known) return known;
    const object = deepFreeze(this.#parse());
    this.#object = new WeakRef(object);
    return object;
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
    const object = this.copy();
    object.metadata.resourceVersion = String(revision);
    return new CachedObject(this.key, revision, Buffer.from(JSON.stringify(object)));
  }

  #parse(): KubeObject {
    const { buffer, byteOffset, byteLength } = this.bytes;
    return JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString()) as KubeObject;
  }
}
