import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import type { Client } from "../../client/client.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { createSliceMemory, sliceWriter } from "./slice-writer.ts";

function slice(version: string, conditions: object): EndpointSlice {
  return {
    metadata: { name: "web-1", namespace: "default", uid: "u", resourceVersion: version },
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.0.0.1"], conditions }],
  };
}

test("an update that the server does not keep is not repeated", async () => {
  let updates = 0;
  const resource = {
    // Knows "ready" only.
    update: () => Promise.resolve(slice(`${++updates + 1}`, { ready: true })),
  };
  const client = { for: () => resource } as unknown as Client;
  const clock = new VirtualClock();
  const write = sliceWriter(createSliceMemory(), {
    owner: "o",
    isOwnerThere: () => Promise.resolve(true),
    client,
    clock,
  });
  const wanted = { ready: true, serving: true };
  const next = (version: string, conditions = wanted) =>
    write({
      do: "update",
      slice: slice(version, conditions),
      before: slice(version, { ready: true }),
    });
  await next("1");
  assert.equal(updates, 1);
  await next("2");
  assert.equal(updates, 1, "the answer to the first one shows that it is in vain");
  await next("2", { ready: false, serving: false });
  assert.equal(updates, 2, "something else is tried");
  await next("9");
  assert.equal(updates, 3, "somebody else changed it");
});
