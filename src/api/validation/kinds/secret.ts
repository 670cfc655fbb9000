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
      if (config !== undefined && !isJsonObject(config)) {
        const detail = "unexpected end of JSON input";
        errors.invalid(`data[${key}]`, "<secret contents redacted>", detail);
      }
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

/** Whether base64 holds an object in JSON, or none. */
function isJsonObject(base64: string): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, "base64").toString());
    return typeof value === "object" && !Array.isArray(value);
  } catch {
    return false;
  }
}
