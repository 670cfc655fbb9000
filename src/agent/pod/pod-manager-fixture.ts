import assert from "node:assert/strict";
import { PODS } from "../../api/generated/resources.ts";
import type { Container, Pod, PodSpec } from "../../api/generated/types/core-v1.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { createFakeNode, type FakeNode } from "./fake-parts.ts";
import { createPodManager, type PodManager } from "./pod-manager.ts";

/** The pod of most tests. */
export const AT: { namespace: string; name: string } = { namespace: "default", name: "web" };

/** A node whose parts pretend, with the real manager of its pods. */
export interface Running extends FakeNode {
  manager: PodManager;
  pod(): Promise<Pod>;
  patches(): number;
  reasons(): string[];
}

/** Lends a node to a test. */
export async function startNode(use: (node: Running) => Promise<void>): Promise<void> {
  await using node = createFakeNode();
  await using manager = createPodManager(node.parts);
  await manager.start();
  const { transport } = node;
  await use({
    ...node,
    manager,
    pod: () => node.parts.client.for(PODS).get(AT),
    patches: () => transport.requests.filter(({ method }) => method === "PATCH").length,
    reasons: () => node.events.map(({ reason }) => reason),
  });
}

/** Creates the pod of most tests, with one container, and lets the agent work on it. */
export async function createPod(
  { parts }: FakeNode,
  more: Partial<Container> = {},
  { finalizers, ...spec }: Partial<PodSpec> & { finalizers?: string[] } = {},
): Promise<void> {
  const container = { name: "app", image: "app:1", ...more };
  const metadata = { ...AT, ...(finalizers ? { finalizers } : {}) };
  const pod: Pod = { metadata, spec: { containers: [container], nodeName: "node-1", ...spec } };
  await parts.client.for(PODS).create(pod);
  await settle();
}

/** Waits for work that includes the file system. */
export async function until(done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !done(); turn++) await settle();
  assert.ok(done());
}
