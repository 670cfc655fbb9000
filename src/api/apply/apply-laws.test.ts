import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StatusError } from "../errors.ts";
import { podLikeModel } from "../schema/sample-model.ts";
import { appliedFields, compareFields } from "./field-changes.ts";
import { type FieldSet, formatPaths, unionOf } from "./field-set.ts";
import { fieldsOfEntry, managedFieldsOf, UNMANAGED_FIELDS } from "./managed-fields.ts";
import { applyServerSide } from "./server-side-apply.ts";
import type { Json } from "./shape.ts";

const model = podLikeModel();
const struct = model.struct("Pod");
const typed = { model, struct };
const HEAD = { apiVersion: "v1", kind: "Pod" };

interface Config extends Json {
  metadata: { labels?: Record<string, string> };
  spec: {
    nodeName?: string;
    replicas?: number;
    selector?: Record<string, string>;
    containers?: { name: string; image?: string; args?: string[] }[];
  };
}

const texts = fc.constantFrom("1", "2");
const labels = fc.dictionary(fc.constantFrom("x", "y", "z"), texts, {
  noNullPrototype: true,
  minKeys: 1,
});
const container = fc.record(
  { name: fc.constantFrom("a", "b", "c"), image: texts, args: fc.array(texts, { minLength: 1 }) },
  { requiredKeys: ["name"], noNullPrototype: true },
);
const containers = fc.uniqueArray(container, { selector: ({ name }) => name, minLength: 1 });
const spec = fc.record(
  { nodeName: texts, replicas: fc.integer({ min: 1, max: 3 }), selector: labels, containers },
  { requiredKeys: [], noNullPrototype: true },
);
const metadata = fc.record({ labels }, { requiredKeys: [], noNullPrototype: true });
const config: fc.Arbitrary<Config> = fc.record({ metadata, spec }, { noNullPrototype: true });

function apply(live: Json | undefined, wanted: Config, manager: string, force = false): Json {
  const applied = { ...HEAD, ...wanted, metadata: { name: "web", ...wanted.metadata } };
  const timeText = "2026-01-01T00:00:00Z";
  return applyServerSide({ live, applied, manager, force, timeText, ...typed });
}

/** The object after an apply; `undefined` when it was refused for what others own. */
function tried(live: Json | undefined, wanted: Config, manager: string): Json | undefined {
  try {
    return apply(live, wanted, manager);
  } catch (error) {
    assert.ok(error instanceof StatusError && error.reason === "Conflict", String(error));
    return undefined;
  }
}

function ownedBy(object: Json | undefined, manager: string): FieldSet {
  const entries = managedFieldsOf(object).filter((entry) => entry.manager === manager);
  return entries.map(fieldsOfEntry).reduce(unionOf, {});
}

/** Parts of one configuration, so that nobody says what another contradicts. */
const parts = config.chain((whole) => {
  const bits = fc.array(fc.boolean(), { minLength: 12, maxLength: 12 });
  return fc
    .tuple(bits, bits, bits)
    .map((choices) => choices.map((chosen) => partOf(whole, chosen)));
});

function partOf(whole: Config, chosen: readonly boolean[]): Config {
  let at = 0;
  const pick = () => chosen[at++ % chosen.length] === true;
  const part: Config = { metadata: {}, spec: {} };
  const { labels: all = {} } = whole.metadata;
  const some = Object.entries(all).filter(pick);
  if (some.length > 0) part.metadata.labels = Object.fromEntries(some);
  const { nodeName, replicas, selector, containers: list = [] } = whole.spec;
  if (nodeName !== undefined && pick()) part.spec.nodeName = nodeName;
  if (replicas !== undefined && pick()) part.spec.replicas = replicas;
  if (selector !== undefined && pick()) part.spec.selector = selector;
  const kept = list.filter(pick).map(({ name, image, args }) => ({
    name,
    ...(image !== undefined && pick() ? { image } : {}),
    ...(args !== undefined && pick() ? { args } : {}),
  }));
  if (kept.length > 0) part.spec.containers = kept;
  return part;
}

/** Without the order of containers and managers, which tells who came first. */
function unordered(object: Json): Json & { managers: Record<string, string[]> } {
  const { spec = {}, metadata: meta = {} } = object as Json & Partial<Config>;
  const { containers: list = [], ...rest } = spec;
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  const managers = Object.fromEntries(
    ["a", "b", "c"].map((manager) => [manager, formatPaths(ownedBy(object, manager))]),
  );
  return { labels: meta.labels, rest, list: list.toSorted(byName), managers };
}

test("law: managers who agree come to the same object in any order", () => {
  fc.assert(
    fc.property(parts, fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), (configs, order) => {
      const names = ["a", "b", "c"];
      const after = (turns: readonly number[]) => {
        let live: Json | undefined;
        for (const turn of turns) {
          const wanted = configs[turn];
          if (wanted) live = apply(live, wanted, names[turn] ?? "");
        }
        return unordered(live ?? {});
      };
      assert.deepEqual(after(order), after([0, 1, 2]));
    }),
  );
});

test("law: an apply changes nothing but what the manager says, or said before and owned", () => {
  fc.assert(
    fc.property(config, config, config, (first, second, third) => {
      const live = tried(apply(undefined, first, "a"), second, "b") ?? apply(undefined, first, "a");
      const after = tried(live, third, "b");
      if (!after) return;
      const { changed, removed } = compareFields(live, after, { ...typed, skip: UNMANAGED_FIELDS });
      const wanted = appliedFields({ ...HEAD, ...third }, typed);
      const allowed = new Set(formatPaths(unionOf(wanted, ownedBy(live, "b"))));
      for (const path of formatPaths(unionOf(changed, removed))) {
        const within = [...allowed].some((own) => path === own || path.startsWith(own));
        const above = [...allowed].some((own) => own.startsWith(path));
        assert.ok(within || above, `${path} is neither said nor owned`);
      }
      for (const path of formatPaths(ownedBy(live, "a"))) {
        assert.ok(formatPaths(ownedBy(after, "a")).includes(path), `a lost ${path}`);
      }
    }),
  );
});

test("law: what is refused would have taken something from another, and force takes it", () => {
  fc.assert(
    fc.property(config, config, (first, second) => {
      const live = apply(undefined, first, "a");
      if (tried(live, second, "b")) return;
      const forced = apply(live, second, "b", true);
      const before = formatPaths(ownedBy(live, "a"));
      assert.ok(formatPaths(ownedBy(forced, "a")).length < before.length);
      assert.equal(apply(forced, second, "b"), forced);
    }),
  );
});

test("law: a manager who applies nothing leaves what others own, and nothing else of its own", () => {
  fc.assert(
    fc.property(config, config, (first, second) => {
      const live = tried(apply(undefined, first, "a"), second, "b");
      if (!live) return;
      const after = unordered(apply(live, { metadata: {}, spec: {} }, "b"));
      const alone = unordered(apply(undefined, first, "a"));
      assert.deepEqual(
        { ...after, managers: after.managers["a"] },
        {
          ...alone,
          managers: alone.managers["a"],
        },
      );
    }),
  );
});
