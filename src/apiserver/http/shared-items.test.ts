import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { startHttpsServer } from "../api-server-fixture.ts";
import type { ServedResource } from "../resource-registry.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";
import { ListText } from "./list-text.ts";
import { SharedItems } from "./shared-items.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const MIB = 1024 * 1024;
const served = { resource: { kind: "ConfigMap" }, apiVersion: "v1" } as ServedResource;

function itemsOf(sizes: readonly number[]): CachedObject[] {
  return sizes.map((sizeBytes, at) => {
    const text = JSON.stringify({ at, text: "x".repeat(sizeBytes) });
    return new CachedObject(`${at}`, at + 1, Buffer.from(text));
  });
}

test("around shared items a list reads as it does alone", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 12 });
  fc.assert(
    fc.property(sizes, (all) => {
      const list = { items: itemsOf(all), revision: 7 };
      const text = new ListText(served, list);
      const chunks = text.chunks(Buffer.alloc(1_000));
      const alone = Buffer.concat(Array.from(chunks, (bytes) => Buffer.from(bytes)));
      const shared = new SharedItems();
      assert.equal(shared.take(list.items, text.itemsBytes), undefined);
      const taken = shared.take(list.items, text.itemsBytes);
      assert.deepEqual(Buffer.concat(text.around(taken?.pieces ?? [])), alone);
    }),
    { numRuns: 30 },
  );
});

test("lists are shared from the second time on, and no more than a bound are held", () => {
  const shared = new SharedItems();
  const lists = [1, 2, 3].map(() => itemsOf([1]));
  const take = (at: number) => shared.take(lists[at] ?? [], 7 * MIB);
  for (const at of [0, 1, 2]) assert.equal(take(at), undefined);
  const first = take(0);
  assert.ok(first);
  assert.equal(take(0), first);
  assert.ok(take(1));
  assert.equal(take(2), undefined);
  shared.release(first);
  assert.equal(take(2), undefined);
  shared.release(first);
  assert.ok(take(2));
  const tooLong = itemsOf([1]);
  for (const _ of [1, 2, 3]) assert.equal(shared.take(tooLong, 9 * MIB), undefined);
});

test("a collection that is listed again shows what changed in between", async () => {
  await using api = await startHttpsServer(Date.now());
  const data = { text: "x".repeat(2_000) };
  for (let at = 0; at < 40; at++) {
    await api.ask("POST", MAPS, { metadata: { name: `m${at}` }, data });
  }
  const listed = async () => {
    const { headers, bytes, json } = await api.http(MAPS);
    assert.equal(Number(headers["content-length"]), bytes.byteLength);
    return json()["items"];
  };
  const wanted = async () => (await api.ask("GET", MAPS))["items"];
  for (let change = 0; change < 3; change++) {
    for (let time = 0; time < 3; time++) assert.deepEqual(await listed(), await wanted());
    const body = { data: { change: `${change}` } };
    await api.patch(`${MAPS}/m${change}`, { body, type: "merge-patch+json" });
    await api.ask("DELETE", `${MAPS}/m${10 + change}`);
  }
});
