import assert from "node:assert/strict";
import { copyJson } from "../../lib/json-copy.ts";
import type { Resource } from "../resource.ts";
import { validateObject } from "./validate-object.ts";

/** Values by path ("spec.containers[0].image"); `undefined` takes the field away. */
export type Changes = Readonly<Record<string, unknown>>;

/** What is changed, and every complaint about it as "field: message". */
export type RuleCase = readonly [changes: Changes, ...complaints: string[]];

/** An object that is fine and what becomes of it, as data. */
export interface RuleCases {
  base: object;
  /** New objects: the base with changes. */
  create?: readonly RuleCase[];
  /** Updates of the base. */
  update?: readonly RuleCase[];
  /** Updates of the base through a subresource. */
  subresources?: Readonly<Record<string, readonly RuleCase[]>>;
}

/** Checks that the base is fine and that each case is complained about just so. */
export function checkRuleCases<T>(resource: Resource<T>, cases: RuleCases): void {
  const space = resource.namespaced ? { namespace: "default" } : {};
  const { metadata } = cases.base as { metadata?: object };
  const base = { ...cases.base, metadata: { name: "web", ...space, ...metadata } };
  const check = (ruleCase: RuleCase, options: { old?: object; subresource?: string }) => {
    const [changes, ...wanted] = ruleCase;
    const object = changed(base, changes);
    const causes = validateObject(resource, object, options);
    const got = causes.map(({ field, message }) => `${field}: ${message}`);
    const title = `${options.subresource ?? (options.old ? "update" : "create")} ${JSON.stringify(changes)}`;
    assert.deepEqual(got, wanted, title);
  };
  check([{}], {});
  check([{}], { old: base });
  for (const one of cases.create ?? []) check(one, {});
  for (const one of cases.update ?? []) check(one, { old: base });
  for (const [subresource, list] of Object.entries(cases.subresources ?? {})) {
    for (const one of list) check(one, { old: base, subresource });
  }
}

type Node = Record<string | number, unknown>;

/** A copy with values at paths; what is missing on the way is made. */
export function changed<T extends object>(base: T, changes: Changes): T {
  const copy = copyJson(base);
  for (const [path, value] of Object.entries(changes)) {
    const steps = path.match(/[^.[\]]+(?:\/[^.[\]]+)*|\[[^\]]*\]/g) ?? [];
    const keys = steps.map((step) => {
      const inner = step.startsWith("[") ? step.slice(1, -1) : step;
      return /^\d+$/.test(inner) ? Number(inner) : inner;
    });
    let at = copy as unknown as Node;
    for (const [index, key] of keys.slice(0, -1).entries()) {
      at[key] ??= typeof keys[index + 1] === "number" ? [] : {};
      at = at[key] as Node;
    }
    const last = keys.at(-1) ?? "";
    if (value === undefined) delete at[last];
    else at[last] = copyJson({ value }).value;
  }
  return copy;
}
