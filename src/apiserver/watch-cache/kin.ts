import { freezeSharing } from "../../lib/json-share.ts";
import type { KubeObject } from "../kube-object.ts";

/** Of so many origins an object is remembered. */
const ORIGINS_MAX = 128;

/**
 * Freezes objects of one kind as they are parsed, and lets those of one origin share what they
 * have in common: pods of one template differ in a name and a few numbers.
 */
export class Kin {
  readonly #latest = new Map<string, KubeObject>();

  freeze(object: KubeObject): KubeObject {
    const origin = originOf(object);
    const frozen = freezeSharing(object, this.#latest.get(origin));
    this.#latest.delete(origin);
    this.#latest.set(origin, frozen);
    if (this.#latest.size > ORIGINS_MAX) {
      const [oldest] = this.#latest.keys();
      if (oldest !== undefined) this.#latest.delete(oldest);
    }
    return frozen;
  }
}

function originOf({ metadata }: KubeObject): string {
  return metadata.generateName ?? metadata.ownerReferences?.[0]?.uid ?? "";
}
