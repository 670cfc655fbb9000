// What ships logs finds them where it looks on every node of Kubernetes.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { buildDemoImages, importImages } from "./demo-images.ts";
import { eventually } from "./eventually.ts";
import { type InstanceUnderTest, startInstance } from "./instance-under-test.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";

function manifests(directory: string): string {
  const image = { image: "busybox:latest", imagePullPolicy: "Never" };
  const talker = {
    name: "talker",
    ...image,
    command: ["sh", "-c", "echo hello from the talker; sleep 1d"],
  };
  const mount = { name: "logs", mountPath: directory, readOnly: true };
  const shipper = {
    name: "shipper",
    ...image,
    volumeMounts: [mount],
    command: ["sleep", "1d"],
  };
  const volumes = [{ name: "logs", hostPath: { path: directory } }];
  const pod = (name: string, spec: object) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 0, ...spec },
  });
  const items = [
    pod("talker", { containers: [talker] }),
    pod("shipper", { containers: [shipper], volumes }),
  ];
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

/** What a shipper reads that follows all containers' logs, by the names of their files. */
async function shipped(instance: InstanceUnderTest, directory: string): Promise<string[]> {
  const read = `cd ${directory}/containers; for file in *; do echo "$file $(cat "$file")"; done`;
  const text = await instance.ok("exec", "shipper", "--", "sh", "-c", read);
  return text.trim().split("\n");
}

test("a pod that mounts the node's logs reads those of all pods, and they go with their pods", {
  skip,
}, async () => {
  buildDemoImages();
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-logs-"));
  const config = path.join(directory, "agent.yaml");
  const head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
  writeFileSync(config, `${head}podLogsDir: ${directory}/pods\n`);
  try {
    // Another node's, which is nobody's business.
    mkdirSync(path.join(directory, "pods", "default_other_1"), { recursive: true });
    {
      await using instance = await startInstance("--agent-config", config);
      await importImages(instance, ["busybox"]);
      const enforced = "pod-security.kubernetes.io/enforce=privileged";
      await instance.ok("label", "namespace", "default", enforced);
      const applied = await instance.kubectlWith(manifests(directory), "apply", "-f", "-");
      assert.equal(applied.code, 0, applied.stderr);
      await instance.ok("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s");
      const line = /^talker_default_talker-[0-9a-f]{64}\.log \S+ stdout F hello from the talker$/;
      await eventually("the talker's line is shipped", async () =>
        (await shipped(instance, directory)).some((one) => line.test(one)),
      );
      assert.equal(await instance.ok("logs", "talker"), "hello from the talker\n");
      await instance.ok("delete", "pod", "talker", "--now");
      const names = (await shipped(instance, directory)).map((one) => one.split("_", 1)[0]);
      assert.deepEqual(names, ["shipper"]);
    }
    // Purged by now.
    assert.deepEqual(readdirSync(path.join(directory, "pods")), ["default_other_1"]);
    assert.deepEqual(readdirSync(path.join(directory, "containers")), []);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
