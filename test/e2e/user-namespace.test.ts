// Pods with user ids of their own (hostUsers: false), on one node in this process.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { CONFIG_MAPS, EVENTS, PODS, RUNTIME_CLASSES } from "../../src/api/generated/resources.ts";
import type { Pod, PodSpec } from "../../src/api/generated/types/core-v1.ts";
import { mountOverlay, unmount } from "../../src/sys/mount.ts";
import { busyboxArchive } from "./busybox-image.ts";
import { eventually } from "./eventually.ts";
import { type NodeUnderTest, startNode } from "./node-under-test.ts";
import { idOf, removePod, runInside, scripted, statusOf } from "./pod-containers.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const FIRST_ID = 0x7000_0000;
let node: NodeUnderTest;

before(async () => {
  if (!skip) node = await startNode();
});
after(async () => {
  await node?.[Symbol.asyncDispose]();
});

const inside = (pod: string, container: string, script: string) =>
  runInside(node, { pod, container }, script);
const remove = (name: string) => removePod(node, name);

async function run(name: string, spec: PodSpec): Promise<Pod | undefined> {
  await node.run(name, { hostUsers: false, terminationGracePeriodSeconds: 0, ...spec });
  return await node.until(name, (pod) =>
    spec.containers.every((one) => statusOf(pod, one.name)?.state?.running !== undefined),
  );
}

test("root of such a pod is nobody on the node, and at home in the pod", { skip }, async () => {
  const data = { key: "value\n" };
  await node.client
    .for(CONFIG_MAPS)
    .create({ metadata: { name: "settings", namespace: "default" }, data });
  const pod = await run("own-users", {
    securityContext: {
      fsGroup: 2000,
      sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "1024" }],
    },
    volumes: [
      { name: "disk", emptyDir: {} },
      { name: "memory", emptyDir: { medium: "Memory" } },
      { name: "settings", configMap: { name: "settings", defaultMode: 0o400 } },
    ],
    containers: [
      scripted("web", "echo out > /dev/stdout; exec httpd -f -p 80 -h /disk", {
        volumeMounts: [
          { name: "disk", mountPath: "/disk" },
          { name: "memory", mountPath: "/memory" },
          { name: "settings", mountPath: "/settings" },
          { name: "settings", mountPath: "/one", subPath: "key" },
        ],
        readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1 },
      }),
      scripted("user", "exec sleep 1000", {
        securityContext: { runAsUser: 1000, runAsGroup: 1000 },
        volumeMounts: [{ name: "disk", mountPath: "/disk" }],
      }),
    ],
  });
  const { pid = 0 } = node.runtime().status(idOf(pod, "web")) ?? {};
  const uid = Number(/^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  assert.ok(uid >= FIRST_ID && uid % 65_536 === 0, `${uid}`);
  const map = await inside("own-users", "web", "cat /proc/self/uid_map");
  assert.deepEqual(map.trim().split(/ +/), ["0", `${uid}`, "65536"]);
  assert.match(await inside("own-users", "web", "id"), /^uid=0/);
  // What belongs to root belongs to it, whichever volume it comes from.
  const files = "/bin/sh /etc/hosts /dev/termination-log /disk /memory /settings/key /one /tmp";
  const owners = await inside("own-users", "web", `stat -c '%u %g %n' ${files}`);
  for (const line of owners.trim().split("\n")) assert.match(line, /^0 (0|2000) /, owners);
  assert.match(owners, /^0 2000 \/disk$/m);
  assert.equal(await inside("own-users", "web", "cat /settings/key /one"), "value\nvalue\n");
  await inside("own-users", "web", "echo hello > /disk/index.html; touch /etc/new");
  assert.match(await inside("own-users", "user", "id -G; cat /disk/index.html"), /2000\nhello/);
  assert.equal(
    await inside("own-users", "user", "touch /disk/theirs; stat -c %u /disk/theirs"),
    "1000\n",
  );
  const layer = node.runtime().writableLayer(idOf(pod, "web"));
  assert.equal(statSync(path.join(layer, "etc/new")).uid, uid);
  await node.until("own-users", (seen) => statusOf(seen, "web")?.ready === true);
  const log = await node
    .agent()
    .streams.logs(
      { namespace: "default", name: "own-users", container: "web" },
      {},
      AbortSignal.timeout(5_000),
    );
  assert.match(Buffer.concat(await log.toArray()).toString(), /out/);
  // It is root over its own network, and over nothing of the node's.
  const settings = "cat /proc/sys/net/ipv4/ip_unprivileged_port_start; dmesg; date -s 2001-01-01";
  const told = await inside("own-users", "web", settings);
  assert.match(told, /^1024$/m);
  assert.match(told, /date: can't set date: Operation not permitted/);
  await remove("own-users");
});

test("a privileged container of such a pod has the usual devices only", { skip }, async () => {
  const privileged = { securityContext: { privileged: true } };
  await run("mighty", { containers: [scripted("web", "exec sleep 1000", privileged)] });
  const look =
    "cd /dev; for file in *; do test -L $file || test -d $file || echo $file; done; true";
  const devices = (await inside("mighty", "web", look)).trim().split("\n");
  const usual = [
    "console",
    "full",
    "null",
    "ptmx",
    "random",
    "tty",
    "urandom",
    "zero",
    "termination-log",
  ];
  assert.deepEqual(
    devices.filter((name) => !usual.includes(name)),
    [],
  );
  assert.ok(devices.includes("null"));
  const make = "echo x > /dev/null && mknod /tmp/disk b 7 0 || echo refused";
  assert.match(await inside("mighty", "web", make), /refused/);
  await remove("mighty");
});

test("a device that its processes share with the node stays the node's", { skip }, async () => {
  await run("null-owner", { containers: [scripted("web", "exec sleep 1000")] });
  const { uid, gid, mode } = statSync("/dev/null");
  assert.deepEqual([uid, gid, mode & 0o777], [0, 0, 0o666]);
  const tries = "chmod 600 /dev/null || chown 5 /dev/null || echo refused";
  assert.match(await inside("null-owner", "web", tries), /refused/);
  assert.equal(statSync("/dev/null").mode & 0o777, 0o666);
  await remove("null-owner");
});

test("its containers may share processes, and come back with the same users", {
  skip,
}, async () => {
  const once = "test -e /disk/seen && exec sleep 1000; touch /disk/seen; exit 3";
  await node.run("own-shared", {
    hostUsers: false,
    shareProcessNamespace: true,
    terminationGracePeriodSeconds: 0,
    volumes: [{ name: "disk", emptyDir: {} }],
    containers: [
      scripted("app", once, { volumeMounts: [{ name: "disk", mountPath: "/disk" }] }),
      scripted("other", "exec sleep 2000"),
    ],
  });
  const pod = await node.until("own-shared", (seen) => {
    const { restartCount = 0, state } = statusOf(seen, "app") ?? {};
    return restartCount > 0 && state?.running !== undefined;
  });
  assert.match(await inside("own-shared", "other", "ps"), /sleep 1000/);
  const maps = ["app", "other"].map((name) => {
    const { pid } = node.runtime().status(idOf(pod, name)) ?? {};
    return readFileSync(`/proc/${pid}/uid_map`, "utf8");
  });
  assert.equal(maps[0], maps[1]);
  await remove("own-shared");
});

test("pods come back after a reboot, on their network, with their users and volumes", {
  skip,
}, async () => {
  const again =
    "cat /disk/seen 2>/dev/null || echo before > /disk/seen; exec httpd -f -p 80 -h /disk";
  const spec = {
    terminationGracePeriodSeconds: 0,
    volumes: [{ name: "disk", emptyDir: {} }],
    containers: [scripted("app", again, { volumeMounts: [{ name: "disk", mountPath: "/disk" }] })],
  };
  await node.run("plain", spec);
  await node.run("users", { ...spec, hostUsers: false });
  await node.run("on-node", {
    hostNetwork: true,
    terminationGracePeriodSeconds: 0,
    containers: [scripted("app", "exec sleep 1000")],
  });
  const names = ["plain", "users", "on-node"];
  const runs = (restarts: number) => (pod: Pod | undefined) => {
    const { state, restartCount = 0 } = statusOf(pod, "app") ?? {};
    return state?.running !== undefined && restartCount === restarts;
  };
  for (const name of names) await node.until(name, runs(0));
  const mapOf = () => inside("users", "app", "cat /proc/self/uid_map /disk/seen");
  for (const name of ["plain", "users"]) {
    const seen = () => inside(name, "app", "cat /disk/seen 2>/dev/null");
    await eventually(`${name} has left a mark`, async () => (await seen()) === "before\n");
  }
  const map = await mapOf();
  await node.reboot();
  for (const name of names) await node.until(name, runs(1));
  assert.equal(await mapOf(), map, "the same ids");
  for (const name of ["plain", "users"]) {
    const pod = await node.client.for(PODS).get({ namespace: "default", name });
    await eventually(`${name} answers`, async () => {
      const get = `timeout 2 busybox wget -qO- http://${pod.status?.podIP}/seen`;
      return (await inside("on-node", "app", get)) === "before\n";
    });
  }
  for (const name of names) await remove(name);
});

test("files of an image are its root's too", { skip }, async () => {
  const entries = [
    { name: "data", type: "directory" as const, mode: 0o755 },
    { name: "data/file", type: "file" as const, mode: 0o600, body: Buffer.from("of an image\n") },
    { name: "data/theirs", type: "file" as const, uid: 1000, gid: 1000, body: Buffer.from("x") },
  ];
  await node.importImage(busyboxArchive({ name: "files:1", entries }));
  const spec = {
    volumes: [{ name: "files", image: { reference: "files:1", pullPolicy: "Never" as const } }],
    containers: [
      scripted("app", "exec sleep 1000", {
        volumeMounts: [{ name: "files", mountPath: "/files" }],
      }),
    ],
  };
  await run("own-image", spec);
  const seen = "cat /files/data/file; stat -c '%u %n' /files/data/*";
  assert.deepEqual((await inside("own-image", "app", seen)).trim().split("\n"), [
    "of an image",
    "0 /files/data/file",
    "1000 /files/data/theirs",
  ]);
  const tried = await inside("own-image", "app", "touch /files/new; /files/bin/busybox true");
  assert.match(tried, /Read-only file system/);
  assert.match(tried, /Permission denied/);
  await remove("own-image");
});

test("data that lies on an overlay cannot be shown, and the pod says why", { skip }, async () => {
  const base = path.join(node.directory, "on-overlay");
  const [lower, upper, work, hostPath] = ["lower", "upper", "work", "merged"].map((name) => {
    mkdirSync(path.join(base, name), { recursive: true });
    return path.join(base, name);
  }) as [string, string, string, string];
  mountOverlay({ layers: [lower], upper, work, target: hostPath });
  await node.run("own-overlay", {
    hostUsers: false,
    terminationGracePeriodSeconds: 0,
    volumes: [{ name: "data", hostPath: { path: hostPath } }],
    containers: [
      scripted("app", "exec sleep 1000", { volumeMounts: [{ name: "data", mountPath: "/data" }] }),
    ],
  });
  const pod = await node.until("own-overlay", (seen) =>
    /Error/.test(statusOf(seen, "app")?.state?.waiting?.reason ?? ""),
  );
  const message = statusOf(pod, "app")?.state?.waiting?.message ?? "";
  assert.match(
    message,
    /on-overlay\/merged" to a pod with user ids of its own: .*it is on overlay/,
  );
  await remove("own-overlay");
  unmount(hostPath);
});

test("a handler without user namespaces says so", { skip }, async () => {
  await node.client.for(RUNTIME_CLASSES).create({ metadata: { name: "runc" }, handler: "runc" });
  await node.run("own-runc", {
    hostUsers: false,
    runtimeClassName: "runc",
    containers: [scripted("app", "exec sleep 1000")],
  });
  const message = await eventually("the event", async () => {
    const { items } = await node.client.for(EVENTS).list({ namespace: "default" });
    return items.find(({ reason }) => reason === "FailedCreatePodSandBox")?.message;
  });
  assert.match(message, /"runc" has no user namespaces: leave hostUsers out, or use crun/);
  await remove("own-runc");
});
