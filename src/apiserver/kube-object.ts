import type { ObjectMeta } from "../api/generated/types/meta-v1.ts";

/** Any object of the API. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** Key in the store: "namespace/name", or "name" for cluster-scoped kinds. */
export function keyOf(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name;
}

/** Freezes `value` and everything below it, and returns it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

/** A value with metadata, be it empty. The value itself gets it. */
export function asObject(value: Record<string, unknown>): KubeObject {
  value["metadata"] ??= {};
  return value as KubeObject;
}

/** `object[field]` when that is an object, else an empty one that is not attached. */
export function fieldOf(object: Record<string, unknown>, field: string): Record<string, unknown> {
  const value = object[field];
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/**
 * A frozen copy of a frozen object in which a field has another value, or comes last. Much cheaper
 * than spreading, which of frozen objects is slow.
 */
export function withField<T extends object>(object: T, field: string, value: unknown): T {
  const copy: Record<string, unknown> = {};
  for (const name in object) {
    if (name === "__proto__") return Object.freeze({ ...object, [field]: value });
    copy[name] = object[name];
  }
  copy[field] = value;
  return Object.freeze(copy) as T;
}

/** The text that `value` is; "" for everything that is not text. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
