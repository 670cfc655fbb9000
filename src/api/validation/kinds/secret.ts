import { JsonSyntaxError, parseStrictJson } from "../../../format/json-parser.ts";
import type { Secret } from "../../generated/types/core-v1.ts";
import { DATA_SIZE_MAX, base64Size, sizeOf, validateFrozen, validateKeys } from "../data-map.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";

/** Keys that a secret of a known type must have; one of them is enough for "any". */
interface NeededKeys {
  keys: readonly string[];
  any?: boolean;
  /** They must not be empty either. */
  filled?: boolean;
}

const SECRET_KEYS: ReadonlyMap<string, NeededKeys> = new Map(
  Object.entries<NeededKeys>({
    "kubernetes.io/dockerconfigjson": { keys: [".dockerconfigjson"] },
    "kubernetes.io/dockercfg": { keys: [".dockercfg"] },
    "kubernetes.io/basic-auth": { keys: ["username", "password"], any: true },
    "kubernetes.io/ssh-auth": { keys: ["ssh-privatekey"], filled: true },
    "kubernetes.io/tls": { keys: ["tls.crt", "tls.key"] },
  }),
);

export const SECRET: KindRules<Secret> = {
  validate(errors, secret) {
    const { data = {}, type = "Opaque", metadata } = secret;
    validateKeys(errors, "data", data);
    if (sizeOf(data, base64Size) > DATA_SIZE_MAX) errors.tooLong("data", DATA_SIZE_MAX);
    const needed = SECRET_KEYS.get(type);
    const missing = needed?.keys.filter((key) => isMissing(data[key], needed.filled)) ?? [];
    if (!needed?.any || missing.length === needed.keys.length) {
      for (const key of missing) errors.required(`data[${key}]`);
    }
    for (const key of [".dockercfg", ".dockerconfigjson"]) {
      const config = needed?.keys.includes(key) ? data[key] : undefined;
      const detail = config === undefined ? undefined : jsonObjectError(config);
      if (detail) errors.invalid(`data[${key}]`, "<secret contents redacted>", detail);
    }
    const account = "kubernetes.io/service-account.name";
    if (type === "kubernetes.io/service-account-token" && !metadata?.annotations?.[account]) {
      errors.required(`metadata.annotations[${account}]`);
    }
  },
  validateUpdate(errors, secret, old) {
    validateImmutable(errors, "type", {
      now: secret.type ?? "Opaque",
      old: old.type ?? "Opaque",
    });
    validateFrozen(errors, secret, old);
  },
};

function isMissing(value: string | undefined, filled = false): boolean {
  return filled ? !value : value === undefined;
}

/** Why base64 holds no object in JSON, in the words of Go; undefined where it does, or null. */
function jsonObjectError(base64: string): string | undefined {
  try {
    const { value } = parseStrictJson(Buffer.from(base64, "base64").toString());
    const what = Array.isArray(value) ? "array" : typeof value;
    if (what === "object") return undefined;
    const shown = what === "boolean" ? "bool" : what === "bigint" ? "number" : what;
    return `json: cannot unmarshal ${shown} into Go value of type map[string]interface {}`;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error.message;
    throw error;
  }
}
