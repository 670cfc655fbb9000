// Attacks of a pod on its node. Each has a name under which it was found elsewhere, and an oracle:
// what must still be true of the node afterwards.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { bindSubPath } from "../../src/agent/pod/sub-path.ts";
import { CONFIG_MAPS, PODS } from "../../src/api/generated/resources.ts";
import type { PodSpec } from "../../src/api/generated/types/core-v1.ts";
import { unmount } from "../../src/sys/mount.ts";
import { appOf, isRunning, type NodeUnderTest, shell, startNode } from "../e2e/node-under-test.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
let node: NodeUnderTest;

before(async () => {
  if (!skip) node = await startNode();
});
after(async () => {
  await node?.[Symbol.asyncDispose]();
});

async function inside(name: string, script: string): Promise<string> {
  const pod = await node.client.for(PODS).get({ namespace: "default", name });
  const id = appOf(pod)?.containerID?.replace("nephos://", "") ?? "";
  const { stdout, stderr } = await node.runtime().execSync(id, ["sh", "-c", script], 10_000);
  return stdout + stderr;
}

/** Runs a pod for as long as `use` takes. */
async function withPod(
  spec: Partial<PodSpec>,
  use: (name: string) => Promise<void>,
): Promise<void> {
  const name = `attack-${createHash("md5").update(JSON.stringify(spec)).digest("hex").slice(0, 8)}`;
  await node.run(name, { terminationGracePeriodSeconds: 0, ...spec });
  try {
    await node.until(name, isRunning);
    await use(name);
  } finally {
    await node.client.for(PODS).delete({ namespace: "default", name });
    await node.until(name, (pod) => pod === undefined);
  }
}

const hashOf = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

test("CVE-2020-8557: a pod that fills its /etc/hosts fills only its own megabyte", { skip }, () =>
  withPod({ containers: [shell("sleep 1000")] }, async (name) => {
    const told = await inside(name, "busybox head -c 9000000 /dev/zero >> /etc/hosts; echo $?");
    assert.match(told, /^1$/m, told);
    const size = Number(await inside(name, "busybox stat -c %s /etc/hosts"));
    assert.ok(size <= 1 << 20, `${size} bytes`);
    await withPod({ containers: [shell("sleep 2000")] }, async (other) => {
      assert.match(await inside(other, "cat /etc/hosts"), new RegExp(other));
    });
  }),
);

test("CVE-2020-8557: pods that fill a volume, or their own files, end at their limits", {
  skip,
}, async () => {
  const fill = (file: string) => `busybox head -c 8000000 /dev/zero > ${file}; sleep 1000`;
  const terminationGracePeriodSeconds = 0;
  await node.run("fills-volume", {
    terminationGracePeriodSeconds,
    volumes: [{ name: "small", emptyDir: { sizeLimit: "1Mi" } }],
    containers: [
      shell(fill("/small/file"), { volumeMounts: [{ name: "small", mountPath: "/small" }] }),
    ],
  });
  const limits = { "ephemeral-storage": "2Mi" };
  await node.run("fills-files", {
    terminationGracePeriodSeconds,
    containers: [shell(fill("/tmp/file"), { resources: { limits } })],
  });
  const wanted = [
    ["fills-volume", /^Usage of EmptyDir volume "small" exceeds the limit "1Mi"/],
    ["fills-files", /ephemeral local storage usage exceeds the total limit of containers 2Mi/],
  ] as const;
  for (const [name, message] of wanted) {
    const pod = await node.until(name, (seen) => seen?.status?.phase === "Failed");
    assert.equal(pod?.status?.reason, "Evicted");
    assert.match(pod?.status?.message ?? "", message);
    await node.client.for(PODS).delete({ namespace: "default", name });
    await node.until(name, (seen) => seen === undefined);
  }
});

test("CVE-2021-25741: a subPath never leads out of its volume, however its links change", {
  skip,
}, async () => {
  const base = mkdtempSync(path.join(tmpdir(), "nephos-attack-"));
  const [volume, outside, target] = ["volume", "outside", "target"].map((name) =>
    path.join(base, name),
  ) as [string, string, string];
  for (const directory of [volume, outside]) mkdirSync(directory);
  writeFileSync(path.join(outside, "secret"), "");
  const swap = `cd ${volume}; while :; do mkdir a 2>/dev/null; rmdir a; ln -s ${outside} a; rm a; done`;
  const attacker = spawn("/bin/busybox", ["sh", "-c", swap], { stdio: "ignore" });
  try {
    let bound = 0;
    for (let round = 0; round < 3_000; round++) {
      try {
        bindSubPath(volume, { subPath: "a", target });
        bound++;
      } catch {
        continue; // refused, or gone in that moment
      }
      assert.equal(statSync(path.join(target, "secret"), { throwIfNoEntry: false }), undefined);
    }
    assert.ok(bound > 0, "the attack left room for what is allowed");
  } finally {
    const ended = new Promise((resolve) => attacker.once("close", resolve));
    attacker.kill("SIGKILL");
    await ended;
    unmount(target);
    rmSync(base, { recursive: true, force: true });
  }
});

test("CVE-2017-1002102: a pod cannot plant links where the node writes its volumes", {
  skip,
}, async () => {
  const metadata = { name: "planted", namespace: "default" };
  await node.client.for(CONFIG_MAPS).create({ metadata, data: { key: "one" } });
  const volumes = [{ name: "map", configMap: { name: "planted" } }];
  const volumeMounts = [{ name: "map", mountPath: "/map" }];
  await withPod({ volumes, containers: [shell("sleep 1000", { volumeMounts })] }, async (name) => {
    const planted = "ln -sfn / /map/..data; ln -s / /map/root; rm -rf /map/key; echo x > /map/key";
    assert.match(await inside(name, planted), /Read-only file system/);
    assert.equal(await inside(name, "cat /map/key"), "one");
  });
});

test("CVE-2024-10220: a gitRepo volume is refused by name", { skip }, async () => {
  const volumes = [{ name: "code", gitRepo: { repository: "https://example.com/x.git" } }];
  const refused = await node
    .run("git", { volumes, containers: [shell("true")] })
    .then(() => undefined)
    .catch((error: unknown) => String(error));
  if (refused === undefined) {
    const pod = await node.until("git", (seen) => appOf(seen)?.state?.waiting !== undefined);
    assert.equal(isRunning(pod), false);
    await node.client.for(PODS).delete({ namespace: "default", name: "git" });
    await node.until("git", (seen) => seen === undefined);
  } else assert.match(refused, /gitRepo/);
});

test("CVE-2023-2431: an empty seccomp profile is refused, and none means the default", {
  skip,
}, async () => {
  const seccompProfile = { type: "Localhost" as const, localhostProfile: "" };
  await node.run("empty", { securityContext: { seccompProfile }, containers: [shell("true")] });
  const pod = await node.until("empty", (seen) => {
    return appOf(seen)?.state?.waiting?.reason === "CreateContainerConfigError";
  });
  assert.match(appOf(pod)?.state?.waiting?.message ?? "", /localhostProfile must be set/);
  await node.client.for(PODS).delete({ namespace: "default", name: "empty" });
  await node.until("empty", (seen) => seen === undefined);
  await withPod({ containers: [shell("sleep 1001")] }, async (name) => {
    assert.match(await inside(name, "grep Seccomp: /proc/1/status"), /2$/m);
  });
});

test("CVE-2019-5736: a process cannot write to the runtime that starts it", { skip }, async () => {
  const runtime = "/usr/bin/crun";
  const before = hashOf(runtime);
  const overwrite = "for f in /proc/[0-9]*/exe /proc/self/exe; do echo x >> $f; done";
  await withPod(
    { containers: [shell(`while :; do ${overwrite}; sleep 0.1; done`)] },
    async (name) => {
      for (let round = 0; round < 5; round++) await inside(name, `${overwrite} 2>/dev/null; true`);
      const pod = await node.client.for(PODS).get({ namespace: "default", name });
      const id = appOf(pod)?.containerID?.replace("nephos://", "") ?? "";
      await node.runtime().execSync(id, ["/proc/self/exe", "--version"], 5_000);
    },
  );
  assert.equal(hashOf(runtime), before);
});

test("CVE-2024-21626: a working directory among the runtime's descriptors is refused", {
  skip,
}, async () => {
  await node.run("leaked", {
    terminationGracePeriodSeconds: 0,
    containers: [shell("sleep 1000", { workingDir: "/proc/self/fd/8" })],
  });
  await node.until("leaked", (seen) => {
    const state = appOf(seen);
    return (state?.lastState?.terminated ?? state?.state?.terminated) !== undefined;
  });
  await node.client.for(PODS).delete({ namespace: "default", name: "leaked" });
  await node.until("leaked", (seen) => seen === undefined);
  await withPod({ containers: [shell("sleep 1002")] }, async (name) => {
    const descriptors = await inside(name, "ls /proc/self/fd | wc -l; ls -l /proc/1/fd");
    assert.doesNotMatch(descriptors, /\/(run|tmp|sys)\//, "nothing of the node is open");
  });
});

test("CVE-2025-31133: masked files stay masked, and /dev is the container's own", { skip }, () =>
  withPod({ containers: [shell("sleep 1003", { tty: true })] }, async (name) => {
    const facts = await inside(
      name,
      "grep ' /dev ' /proc/mounts; echo 1 > /proc/sys/kernel/core_pattern;" +
        "busybox wc -c < /proc/timer_list; umount /proc/timer_list",
    );
    assert.match(facts, /^tmpfs \/dev tmpfs/m);
    assert.match(facts, /Read-only file system/);
    assert.match(facts, /^0$/m);
    assert.match(facts, /umount: .*Operation not permitted/);
  }),
);

test("CVE-2022-27650: no capability is inheritable", { skip }, () =>
  withPod({ containers: [shell("sleep 1004")] }, async (name) => {
    assert.match(await inside(name, "grep CapInh /proc/self/status"), /0000000000000000$/m);
  }),
);

test("CVE-2022-0492: a pod mounts no control groups and sets no release agent", { skip }, () =>
  withPod({ containers: [shell("sleep 1005")] }, async (name) => {
    const told = await inside(
      name,
      "mkdir -p /tmp/cg; busybox unshare -UrmC sh -c 'mount -t cgroup -o rdma c /tmp/cg'; echo $?;" +
        "for f in $(find /sys/fs/cgroup -name release_agent); do echo /x > $f; done; echo done;" +
        "mkdir /sys/fs/cgroup/own; ls /sys/fs/cgroup",
    );
    assert.doesNotMatch(told, /^own$/m, told);
    assert.match(told, /^1$/m, told);
    assert.match(told, /done$/m);
    const agents = await inside(name, "cat $(find /sys/fs/cgroup -name release_agent) /dev/null");
    assert.doesNotMatch(agents, /\/x/);
  }),
);
