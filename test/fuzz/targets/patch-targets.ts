import assert from "node:assert/strict";
import { StatusError } from "../../../src/api/errors.ts";
import {
  applyPatch,
  JSON_PATCH,
  MERGE_PATCH,
  STRATEGIC_MERGE_PATCH,
} from "../../../src/api/patch/apply-patch.ts";
import { builtInModel } from "../../../src/api/schema/built-in-model.ts";
import { type AnyTarget, jsonTarget } from "../fuzz-target.ts";
import { SAMPLE_OBJECTS } from "./sample-objects.ts";

type Json = Record<string, unknown>;

/** An input of these targets: an object, and a patch that was written for one like it. */
interface Case {
  object: Json;
  patch: unknown;
}

const JSON_PATCHES: readonly unknown[] = [
  [
    { op: "add", path: "/metadata/labels/x", value: "y" },
    { op: "remove", path: "/spec" },
    { op: "replace", path: "/metadata/name", value: { a: [1] } },
    { op: "move", from: "/metadata", path: "/other" },
    { op: "copy", from: "/other", path: "/spec" },
    { op: "test", path: "/kind", value: "Pod" },
  ],
  [{ op: "add", path: "/spec/containers/-", value: {} }],
  [{ op: "add", path: "/metadata/annotations/a~1b~0c", value: null }],
];

const MERGE_PATCHES: readonly unknown[] = [
  { metadata: { labels: { app: null, x: "y" } }, spec: null },
  { spec: { replicas: 5, template: { spec: { containers: [] } } } },
  { data: { a: null } },
];

const STRATEGIC_PATCHES: readonly unknown[] = [
  {
    spec: {
      containers: [
        { name: "c", image: "b" },
        { $patch: "delete", name: "d" },
      ],
      "$setElementOrder/containers": [{ name: "c" }],
      tolerations: [{ $patch: "replace" }],
    },
  },
  {
    metadata: { "$deleteFromPrimitiveList/finalizers": ["example.com/keep"], labels: null },
    spec: { volumes: [{ name: "v", $retainKeys: ["name", "emptyDir"], emptyDir: {} }] },
  },
  { spec: { nodeSelector: { $patch: "replace", a: "b" } } },
];

function casesOf(patches: readonly unknown[]): readonly Case[] {
  return SAMPLE_OBJECTS.flatMap((object) => patches.map((patch) => ({ object, patch })));
}

/** A mutated case may have lost its object. */
function caseOf(input: unknown): Case {
  const { object, patch } = (input ?? {}) as Partial<Case>;
  const isObject = typeof object === "object" && object !== null && !Array.isArray(object);
  return { object: isObject ? object : {}, patch };
}

/** Applies it to an object that must not change. */
function patched(type: string, { object, patch }: Case): Json {
  const before = JSON.stringify(object);
  const model = builtIn;
  const struct = model.struct("core/v1.Pod");
  const result = applyPatch({ type, object, patch, model, struct });
  assert.equal(JSON.stringify(object), before, "the object that was patched has changed");
  assert.doesNotThrow(() => JSON.stringify(result));
  return result;
}

const builtIn = builtInModel();

/** RFC 7386, section 2, word for word: the other implementation. */
function referenceMerge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === "object" && target !== null && !Array.isArray(target);
  const result = new Map(Object.entries(isObject ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, referenceMerge(result.get(name), value));
  }
  return Object.fromEntries(result);
}

/** The three kinds of patches. */
export function patchTargets(): readonly AnyTarget[] {
  return [
    jsonTarget({
      name: "JSON patches",
      seeds: casesOf(JSON_PATCHES),
      refusals: [StatusError],
      run: (input) => void patched(JSON_PATCH, caseOf(input)),
    }),
    jsonTarget({
      name: "merge patches",
      seeds: casesOf(MERGE_PATCHES),
      refusals: [StatusError],
      run: (input) => {
        const { object, patch } = caseOf(input);
        const result = patched(MERGE_PATCH, { object, patch });
        assert.deepEqual(plain(result), plain(referenceMerge(object, patch)));
        assert.deepEqual(plain(patched(MERGE_PATCH, { object: result, patch })), plain(result));
      },
    }),
    jsonTarget({
      name: "strategic merge patches",
      seeds: casesOf(STRATEGIC_PATCHES),
      refusals: [StatusError],
      run: (input) => void patched(STRATEGIC_MERGE_PATCH, caseOf(input)),
    }),
  ];
}

/** Without the difference between own and inherited "__proto__", which `deepEqual` trips over. */
function plain(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
