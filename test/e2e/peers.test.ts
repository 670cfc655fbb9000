// Our API server beside kube-apiserver 1.20 with etcd, each alone in processes of its own.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { benchServer } from "../../bench/compare-apiserver.ts";
import { Cleanup } from "../../src/lib/cleanup.ts";
import { kubeApiServerSkip, startKubeApiServer } from "../peers/kube-apiserver.ts";
import { startNephosApiServer } from "../peers/nephos-apiserver.ts";
import type { ServerUnderTest } from "../peers/server-under-test.ts";

const skip = kubeApiServerSkip();
const running = new Cleanup();
let ours: ServerUnderTest;
let theirs: ServerUnderTest;

before(async () => {
  if (skip) return;
  const starting = [startNephosApiServer(), startKubeApiServer()] as const;
  for (const server of starting) running.use(await server);
  [ours, theirs] = await Promise.all(starting);
});
after(() => running[Symbol.asyncDispose]());

test("the comparison of both API servers still runs", { skip }, async () => {
  const sizes = { clients: 2, objects: 40, listers: 2, watchers: 3, writes: 5 };
  const options = { ...sizes, seconds: 0.1, warmUpSeconds: 0 };
  for (const server of [ours, theirs]) {
    for (const [name, figure] of Object.entries(await benchServer(server, options))) {
      assert.ok(figure > 0, `${name} of ${server.name}`);
    }
  }
});
