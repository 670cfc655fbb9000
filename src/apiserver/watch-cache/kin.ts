import { freezeSharing } from "../../lib/json-share.ts";
import { PassingMap } from "../../lib/passing-map.ts";
import type { KubeObject } from "../kube-object.ts";
import { KnownManagers } from "./known-managers.ts";

/** Of so many origins an object is remembered. */
const ORIGINS_MAX = 128;

/**
 * Freezes objects of one kind as they are parsed, and lets those of one origin share what they
 * have in common: pods of one template differ in a name and a few numbers.
 */
export class Kin {
  readonly managers: KnownManagers = new KnownManagers();
  readonly #latest = new PassingMap<string, KubeObject>();

  freeze(object: KubeObject): KubeObject {
    const origin = originOf(object);
    const frozen = freezeSharing(object, this.#latest.get(origin));
    this.#latest.set(origin, frozen);
    const oldest = this.#latest.size > ORIGINS_MAX ? this.#latest.oldest() : undefined;
    if (oldest !== undefined) this.#latest.delete(oldest);
    return frozen;
  }
}

/** What several objects were made by or for; "" for those of nobody. */
export function originOf({ metadata }: KubeObject): string {
  return metadata.generateName ?? metadata.ownerReferences?.[0]?.uid ?? "";
}
