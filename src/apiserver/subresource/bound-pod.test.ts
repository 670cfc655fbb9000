import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  encodeCanonical,
  resourceVersionSpan,
  spliceResourceVersion,
} from "../../format/json-canonical.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";
import { deepFreeze, fieldOf, type KubeObject } from "../kube-object.ts";
import { boundFromServed, boundPod } from "./bound-pod.ts";
import { type BoundStatus, BoundStatuses } from "./bound-status.ts";

const TIME = "2025-01-01T00:00:00Z";
const CLOCK = { now: () => Date.parse(TIME) };
const SCHEDULED = {
  type: "PodScheduled",
  status: "True",
  lastProbeTime: null,
  lastTransitionTime: TIME,
};

function podOf(parts: Record<string, unknown>, metadata: object = {}): KubeObject {
  return deepFreeze({
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name: "a", resourceVersion: "7", ...metadata },
    ...parts,
  });
}

const spec = { containers: [{ name: "c", env: [{ name: "X", value: '},"status":{"phase":"' }] }] };

const PODS: readonly { title: string; pod: KubeObject; annotations?: object }[] = [
  { title: "a new pod", pod: podOf({ spec, status: { phase: "Pending" } }) },
  { title: "one with an odd name", pod: podOf({ spec, status: { message: '\u2028 ü "}' } }) },
  {
    title: "one that had no place before",
    pod: podOf({
      spec,
      status: {
        phase: "Pending",
        conditions: [
          { type: "PodScheduled", status: "False", reason: "Unschedulable" },
          { type: "Ready", status: "False" },
        ],
      },
    }),
  },
  { title: "one without a status", pod: podOf({ spec }) },
  { title: "one with fields in another order", pod: podOf({ status: {}, spec }) },
  { title: "one with an empty place", pod: podOf({ spec: { ...spec, nodeName: "" }, status: {} }) },
  {
    title: "one that gets annotations",
    pod: podOf({ spec, status: {} }, { annotations: { a: "1", b: "2" } }),
    annotations: { b: "3" },
  },
];

for (const { title, pod, annotations } of PODS) {
  test(`the bytes of a bound pod are those of its object: ${title}`, () => {
    const facts = { node: 'n"1', annotations, time: TIME };
    const { bytes, object } = boundPod(pod, encodeCanonical(pod), facts);
    const expected = {
      ...pod,
      metadata: {
        ...pod.metadata,
        ...(annotations ? { annotations: { ...pod.metadata.annotations, ...annotations } } : {}),
      },
      spec: { ...(pod["spec"] as object), nodeName: 'n"1' },
      status: {
        ...(pod["status"] as object | undefined),
        conditions: [
          ...(((pod["status"] as KubeObject | undefined)?.["conditions"] as [] | undefined) ?? []),
        ]
          .filter(({ type }) => type !== "PodScheduled")
          .concat(SCHEDULED as never),
      },
    };
    delete expected.metadata.resourceVersion;
    assert.deepEqual(JSON.parse(Buffer.from(bytes).toString()), expected);
    assert.deepEqual(object, expected);
    assert.ok(Object.isFrozen(object["status"]));
  });
}

const text = fc.oneof(
  fc.string(),
  fc.constantFrom("", '},"status":{', '"resourceVersion":"1",', "ü\u2028"),
);
const member = fc.oneof(text, fc.integer(), fc.constant(2n ** 60n), fc.constant(null));
const anyPod = fc.record(
  {
    metadata: fc.record(
      { name: text, namespace: text, labels: fc.dictionary(text, text), generation: member },
      { requiredKeys: [] },
    ),
    spec: fc.record(
      { containers: fc.array(fc.record({ name: text, env: text })), nodeName: text, odd: member },
      { requiredKeys: [] },
    ),
    status: fc.record(
      {
        phase: text,
        observed: member,
        conditions: fc.array(
          fc.record({ type: fc.constantFrom("PodScheduled", "Ready"), message: text }),
        ),
      },
      { requiredKeys: [] },
    ),
    other: member,
  },
  { requiredKeys: ["metadata"] },
);

test("property: a pod bound from the cache is the pod that is bound from the store", () => {
  fc.assert(
    fc.property(anyPod, fc.nat(), text, (parts, revision, node) => {
      const stored = encodeCanonical({ kind: "Pod", apiVersion: "v1", ...parts });
      const cached = new CachedObject("a", revision, spliceResourceVersion(stored, revision));
      const facts = { node, annotations: undefined, time: TIME };
      const old = cached.object();
      const status = new BoundStatuses(CLOCK).of(old["status"]);
      const lean = boundFromServed(old, cached.bytes, { node, status });
      const spec = fieldOf(parts, "spec");
      const isUsual =
        Object.keys(parts).length === 3 &&
        Object.keys(parts).at(-2) === "spec" &&
        Object.keys(parts).at(-1) === "status" &&
        !("nodeName" in spec) &&
        Object.keys(spec).length > 0 &&
        Object.keys(parts.metadata).length > 0;
      if (!lean) {
        assert.ok(!isUsual || hasBigInt(parts.status));
        return;
      }
      const general = boundPod(cached.exact(), stored, facts);
      assert.deepEqual(Buffer.from(lean.bytes), Buffer.from(general.bytes));
      const read = new CachedObject("a", 9, spliceResourceVersion(lean.bytes, 9));
      const known = new CachedObject("a", 9, read.bytes);
      known.know({ readAs: lean.readAs });
      assert.deepEqual(known.object(), read.object());
      assert.deepEqual(Object.keys(known.object().metadata), Object.keys(read.object().metadata));
      assert.ok(Object.isFrozen(fieldOf(known.object(), "status")["conditions"]));
    }),
  );
});

test("a new pod is bound from the cache", () => {
  const pod = podOf({ spec, status: { phase: "Pending" } });
  const served = spliceResourceVersion(encodeCanonical(pod), 7);
  const facts = { node: "n", time: TIME, annotations: undefined };
  const { bytes } = boundPod(pod, encodeCanonical(pod), facts);
  const status = new BoundStatuses(CLOCK).of(pod["status"]);
  const lean = boundFromServed(pod, served, { node: "n", status });
  assert.deepEqual(Buffer.from(lean?.bytes ?? []), Buffer.from(bytes));
});

test("a burst shares statuses while neither the second nor the status changes", () => {
  let nowMs = 1_000;
  const statuses = new BoundStatuses({ now: () => nowMs });
  const timeOf = ({ value }: BoundStatus) =>
    (value["conditions"] as { lastTransitionTime: string }[])[0]?.lastTransitionTime;
  const [pending, other] = [Object.freeze({ phase: "Pending" }), Object.freeze({ phase: "Odd" })];
  const first = statuses.of(pending);
  nowMs = 1_999;
  assert.equal(statuses.of(pending), first);
  assert.equal(timeOf(first), "1970-01-01T00:00:01Z");
  assert.equal(statuses.of(other).value["phase"], "Odd");
  nowMs = 2_000;
  assert.equal(timeOf(statuses.of(other)), "1970-01-01T00:00:02Z");
  assert.equal(statuses.of(pending).value["phase"], "Pending");
});

test("a resourceVersion is found only where it was put", () => {
  const canonical = encodeCanonical({ kind: "Pod", apiVersion: "v1", metadata: { name: "a" } });
  const served = spliceResourceVersion(canonical, 12);
  const { start = 0, end = 0 } = resourceVersionSpan(served) ?? {};
  assert.equal(served.toString("utf8", start, end), '"resourceVersion":"12",');
  assert.equal(resourceVersionSpan(canonical), undefined);
  const bare = encodeCanonical({ kind: "Pod", apiVersion: "v1", metadata: {} });
  assert.equal(resourceVersionSpan(spliceResourceVersion(bare, 12)), undefined);
});

function hasBigInt(value: unknown): boolean {
  if (typeof value === "bigint") return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasBigInt);
}
