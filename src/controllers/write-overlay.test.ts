import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiObject } from "./ownership.ts";
import { WriteOverlay } from "./write-overlay.ts";

const object = (uid: string): ApiObject => ({ metadata: { uid } });
const uids = (objects: ApiObject[]) => objects.map(({ metadata }) => metadata?.uid);
const now = () => 0;
const cache = (objects: ApiObject[], revision = "") => ({ ownedBy: () => objects, revision });

test("a created object is in the view until the cache shows it", async () => {
  const overlay = new WriteOverlay<ApiObject>();
  await overlay.create("owner", async () => object("a"), now);
  assert.deepEqual(uids(overlay.view("owner", cache([]), 0)), ["a"]);
  assert.deepEqual(uids(overlay.view("owner", cache([object("a")]), 0)), ["a"]);
});

test("an object that came and went does not linger", async () => {
  const overlay = new WriteOverlay<ApiObject>();
  await overlay.create("owner", async () => object("a"), now);
  overlay.observe("owner", object("a"));
  assert.deepEqual(uids(overlay.view("owner", cache([]), 0)), []);
});

test("the watch may be quicker than the answer to the create", async () => {
  const overlay = new WriteOverlay<ApiObject>();
  const create = async () => {
    overlay.observe("owner", object("a"));
    return object("a");
  };
  await overlay.create("owner", create, now);
  assert.deepEqual(uids(overlay.view("owner", cache([]), 0)), []);
});

test("a deleted object is terminating while the cache still shows it alive", () => {
  const overlay = new WriteOverlay<ApiObject>();
  overlay.deleted("owner", object("a"), 0);
  const view = overlay.view("owner", cache([object("a"), object("b")]), 0);
  assert.deepEqual(uids(view), ["a", "b"]);
  assert.deepEqual(
    view.map(({ metadata }) => metadata?.deletionTimestamp),
    ["1970-01-01T00:00:00Z", undefined],
  );
  const going = { metadata: { uid: "a", deletionTimestamp: "2030-01-01T00:00:00Z" } };
  assert.deepEqual(uids(overlay.view("owner", cache([going]), 0)), ["a"]);
});

test("what came and went unseen is gone once the cache is newer, and is looked for", async () => {
  const overlay = new WriteOverlay<ApiObject>();
  const made = { metadata: { uid: "a", resourceVersion: "7" } };
  await overlay.create("owner", async () => made, now);
  assert.deepEqual(uids(overlay.view("owner", cache([], "6"), 0)), ["a"]);
  assert.equal(overlay.requeueAfterMs("owner", undefined), 5_000);
  assert.deepEqual(uids(overlay.view("owner", cache([], "9"), 0)), []);
  assert.equal(overlay.requeueAfterMs("owner", undefined), undefined);
});

test("what is deleted before the cache shows it is terminating, not gone", async () => {
  const overlay = new WriteOverlay<ApiObject>();
  const made = { metadata: { uid: "a", resourceVersion: "7" } };
  await overlay.create("owner", async () => made, now);
  overlay.deleted("owner", made, 0);
  const [there] = overlay.view("owner", cache([], "6"), 0);
  assert.equal(there?.metadata?.deletionTimestamp, "1970-01-01T00:00:00Z");
  assert.deepEqual(overlay.remaining("owner", cache([], "6"), 0), []);
  assert.equal(overlay.requeueAfterMs("owner", undefined), 5_000);
  const [shown] = overlay.view("owner", cache([made], "8"), 0);
  assert.equal(shown?.metadata?.deletionTimestamp, "1970-01-01T00:00:00Z");
  assert.deepEqual(overlay.view("owner", cache([], "9"), 0), []);
});

test("what the cache never showed is forgotten after five minutes", async () => {
  const overlay = new WriteOverlay<ApiObject>();
  await overlay.create("owner", async () => object("a"), now);
  assert.deepEqual(uids(overlay.view("owner", cache([]), 6 * 60_000)), []);
});

test("a failed create leaves nothing", async () => {
  const overlay = new WriteOverlay<ApiObject>();
  const refused = overlay.create("owner", () => Promise.reject(new Error("quota")), now);
  await assert.rejects(refused, /quota/);
  assert.deepEqual(overlay.view("owner", cache([]), 0), []);
});

test("an update is in the view until the cache moves on", () => {
  const overlay = new WriteOverlay<ApiObject>();
  const at = (resourceVersion: string): ApiObject => ({ metadata: { uid: "a", resourceVersion } });
  const versions = (cached: ApiObject) =>
    overlay.view("owner", cache([cached]), 0).map(({ metadata }) => metadata?.resourceVersion);
  overlay.updated("owner", at("1"), at("5"));
  assert.deepEqual(versions(at("1")), ["5"]);
  assert.deepEqual(versions(at("7")), ["7"]);
});
