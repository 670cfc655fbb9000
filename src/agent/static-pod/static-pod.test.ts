import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { silentLogger } from "../../lib/logger.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { followManifests } from "./manifest-directory.ts";
import { ManifestError, staticPodOf } from "./static-pod.ts";

const MANIFEST = `apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec: { containers: [{ name: app, image: "app:1" }] }
`;
const OF = { file: "web.yaml", nodeName: "node-1", nowMs: 0 };

test("a manifest becomes a pod of the node, with the API's defaults", () => {
  const pod = staticPodOf(MANIFEST, OF);
  assert.equal(pod.metadata?.name, "web-node-1");
  assert.equal(pod.metadata.namespace, "default");
  assert.equal(pod.spec?.nodeName, "node-1");
  assert.equal(pod.spec.restartPolicy, "Always");
  assert.equal(pod.metadata.annotations?.["kubernetes.io/config.hash"], pod.metadata.uid);
  assert.equal(staticPodOf(MANIFEST, OF).metadata?.uid, pod.metadata.uid);
  assert.notEqual(staticPodOf(`${MANIFEST}#`, OF).metadata?.uid, pod.metadata.uid);
});

test("what is no pod is refused with what is wrong", () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(
      () => staticPodOf(text, OF),
      (error) => error instanceof ManifestError && message.test(error.message),
    );
  refused("a: [", /flow|yaml/i);
  refused("kind: Deployment", /one Pod of v1/);
  refused(MANIFEST.replace("image", "imag"), /imag/);
  refused(MANIFEST.replace("name: web,", "name: Web_,"), /metadata.name/);
});

test("a directory is read again as it changes; a broken file keeps its pod", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-manifests-"));
  const clock = new VirtualClock();
  try {
    const file = path.join(directory, "web.yaml");
    writeFileSync(file, MANIFEST);
    writeFileSync(path.join(directory, ".web.yaml.swp"), "x");
    const options = { directory, nodeName: "node-1", clock, logger: silentLogger };
    using followed = followManifests(options);
    let changes = 0;
    followed.onChange(() => changes++);
    const names = () => followed.list().map(({ metadata }) => metadata?.name);
    assert.deepEqual(names(), ["web-node-1"]);
    writeFileSync(file, MANIFEST.slice(0, 30));
    await clock.advance(20_000);
    assert.deepEqual([names(), changes], [["web-node-1"], 0]);
    writeFileSync(file, MANIFEST.replace("name: web,", "name: other,"));
    await clock.advance(20_000);
    assert.deepEqual([names(), changes], [["other-node-1"], 1]);
    rmSync(file);
    await clock.advance(20_000);
    assert.deepEqual([names(), changes], [[], 2]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
