import type { AskedSpec, CommonSpec } from "../../api/common-spec.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import { copyJson } from "../../lib/json-copy.ts";
import { freezeSharing } from "../../lib/json-share.ts";
import { isJson } from "../../lib/json-value.ts";
import { PassingMap } from "../../lib/passing-map.ts";
import { originOf } from "../watch-cache/kin.ts";
import type { KubeObject } from "../kube-object.ts";

/** Of so many origins the latest spec is remembered. */
const ORIGINS_MAX = 128;

/** Those parts of new objects that are in common and need not be looked at again (`isJson`). */
export function plainParts(common: CommonSpec): readonly object[] {
  const { spec, fields } = common;
  common.plain ??= [spec, ...(fields ? [fields] : [])].filter((part) => isJson(part));
  return common.plain;
}

/** The spec of a new object before admission. */
interface Asked extends AskedSpec {
  /** A copy that admission does not change. */
  readonly copy: object;
}

/** What the latest object of an origin was like. */
interface Latest {
  asked: Asked | undefined;
  common: CommonSpec;
}

/** The specs of new objects of one kind: those of one template are one, and judged once. */
export class CommonSpecs {
  readonly #latest = new PassingMap<string, Latest>();

  /** What is known of the spec of a new object, which admission has not yet seen. */
  ask(object: KubeObject): Asked | undefined {
    const spec = object["spec"];
    if (typeof spec !== "object" || spec === null) return undefined;
    const known = this.#latest.get(originOf(object))?.asked;
    if (!known || !deepEqual(spec, known.copy)) return { spec, copy: copyJson(spec) };
    return { spec, copy: known.copy, fields: known.fields };
  }

  /**
   * Freezes the spec of a new object that nobody changes any more, and replaces it by that of the
   * object of the same origin before when both are equal and were asked for alike. Returns what is
   * known of it.
   */
  share(object: KubeObject, asked?: Asked): CommonSpec | undefined {
    const spec = object["spec"];
    if (typeof spec !== "object" || spec === null) return undefined;
    const origin = originOf(object);
    const known = this.#latest.get(origin)?.common;
    const shared = freezeSharing(spec, known?.spec);
    object["spec"] = shared;
    if (known?.spec === shared && known.fields === asked?.fields) return known;
    const common: CommonSpec = { spec: shared, fields: asked?.fields };
    this.#latest.set(origin, { asked, common });
    const oldest = this.#latest.size > ORIGINS_MAX ? this.#latest.oldest() : undefined;
    if (oldest !== undefined) this.#latest.delete(oldest);
    return common;
  }
}
