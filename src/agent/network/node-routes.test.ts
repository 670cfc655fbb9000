import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../../api/generated/types/core-v1.ts";
import { nodeRoutesOf } from "./node-routes.ts";

const node = (name: string, podCIDR?: string, address?: string): Node => ({
  metadata: { name },
  spec: podCIDR ? { podCIDR } : {},
  status: address ? { addresses: [{ type: "InternalIP", address }] } : {},
});

test("a node routes to all others that have an address and a pod range", () => {
  const nodes = [
    node("self", "10.244.0.0/24", "192.0.2.1"),
    node("other", "10.244.1.0/24", "192.0.2.2"),
    node("no-address", "10.244.2.0/24"),
    node("no-range", undefined, "192.0.2.4"),
  ];
  assert.deepEqual(nodeRoutesOf(nodes, "self"), [
    { podCidr: "10.244.1.0/24", nodeIp: "192.0.2.2" },
  ]);
});
