// Our API server beside kube-apiserver 1.20 with etcd, each alone in processes of its own.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { benchServer } from "../../bench/compare-apiserver.ts";
import { exploringCases, sampleOf, settledCases } from "../peers/differential/all-cases.ts";
import { compareServers } from "../peers/differential/compare.ts";
import { MUTATION_DIFFERENCES } from "../peers/differential/mutation-differences.ts";
import { readDefinitions } from "../peers/differential/peer-definitions.ts";
import { kubeApiServerSkip } from "../peers/kube-apiserver.ts";
import { type ServerPair, startPair } from "../peers/server-pair.ts";

const skip = kubeApiServerSkip();
let pair: ServerPair;

before(async () => {
  if (!skip) pair = await startPair();
});
after(() => pair?.[Symbol.asyncDispose]());

test("both answer the same requests alike, but for a written list", { skip }, async () => {
  const { unexplained, unused } = await compareServers(pair, Object.values(settledCases()).flat());
  assert.deepEqual(Object.fromEntries(unexplained), {});
  assert.deepEqual(
    unused.filter((entry) => !MUTATION_DIFFERENCES.includes(entry)).map(({ reason }) => reason),
    [],
    "entries that cover nothing must go",
  );
});

test("manifests that are wrong in one place are refused and changed alike", { skip }, async () => {
  const cases = Object.values(exploringCases(await readDefinitions(pair.theirs))).flat();
  const { unexplained } = await compareServers(pair, sampleOf(cases));
  assert.deepEqual(Object.fromEntries(unexplained), {});
});

test("the comparison of both API servers still runs", { skip }, async () => {
  const sizes = { clients: 2, objects: 40, listers: 2, watchers: 3, warmUpWrites: 1, writes: 5 };
  const options = { ...sizes, seconds: 0.1, warmUpSeconds: 0 };
  for (const server of [pair.ours, pair.theirs]) {
    for (const [name, figure] of Object.entries(await benchServer(server, options))) {
      assert.ok(figure > 0, `${name} of ${server.name}`);
    }
  }
});
