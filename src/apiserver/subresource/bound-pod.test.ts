import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCanonical } from "../../format/json-canonical.ts";
import { deepFreeze, type KubeObject } from "../kube-object.ts";
import { boundPod } from "./bound-pod.ts";

const TIME = "2025-01-01T00:00:00Z";
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
