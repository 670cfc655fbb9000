import assert from "node:assert/strict";
import { test } from "node:test";
import type { CriClient } from "../../cri-client.ts";
import type { ContainerSpec, SandboxSpec } from "../contract.ts";
import { containerConfig, sandboxConfig } from "./cri-config.ts";
import { readFacts, socketOf } from "./cri-endpoint.ts";
import { keptOf, ofNode, specOf, statusOf } from "./cri-objects.ts";

const NODE = "/nephos-1a2b3c/0";

const SANDBOX: SandboxSpec = {
  id: "uid-1",
  podName: "web",
  podNamespace: "shop",
  hostname: "web-0",
  networkNamespacePath: "/run/network",
  qosClass: "Burstable",
  resources: {},
};

const CONTAINER: ContainerSpec = {
  id: "c1",
  sandboxId: "uid-1",
  name: "main",
  attempt: 2,
  image: { id: "sha256:1", references: [], sizeBytes: 1, config: {}, layerPaths: [] },
  imageReference: "web:1",
  command: ["serve", "--all"],
  environment: ["A=b=c", "EMPTY="],
  workingDirectory: "/srv",
  mounts: [{ hostPath: "/host", containerPath: "/data", readOnly: true, propagation: "rslave" }],
  logPath: "/var/log/pods/web/main/2.log",
  resources: { memoryLimitBytes: 1024, pidsMax: 10 },
  security: { user: "", allowPrivilegeEscalation: false, seccomp: "runtime-default" },
};

const config = (more: Partial<ContainerSpec> = {}, sandbox: Partial<SandboxSpec> = {}) =>
  containerConfig({
    spec: { ...CONTAINER, ...more },
    sandbox: { ...SANDBOX, ...sandbox },
    targetId: "remote-1",
    node: NODE,
  });

const secured = (more: Partial<ContainerSpec["security"]>) =>
  config({ security: { ...CONTAINER.security, ...more } }).linux?.securityContext ?? {};

test("a sandbox is found again by what it was made from", () => {
  const spec = { ...SANDBOX, sysctls: { "net.core.somaxconn": "5" }, shareProcessNamespace: true };
  const made = sandboxConfig({ spec, attempt: 1, cgroupParent: "/pods/uid-1", node: NODE });
  assert.deepEqual(specOf(made.annotations as Record<string, string>), spec);
  assert.equal(made.labels?.["nephos.io/node"], ofNode(NODE)["nephos.io/node"]);
  assert.equal(made.labels?.["io.kubernetes.pod.name"], "web");
  assert.deepEqual(made.metadata, {
    name: "web",
    namespace: "shop",
    uid: "uid-1",
    attempt: 1,
  });
  assert.deepEqual(made.linux?.securityContext?.namespaceOptions, { network: 0, pid: 0, ipc: 0 });
  const { networkNamespacePath: _, ...rest } = SANDBOX;
  const onNode = { ...rest, hostPid: true, hostIpc: true };
  const shared = sandboxConfig({ spec: onNode, attempt: 0, cgroupParent: "/x", node: NODE });
  assert.deepEqual([made.hostname, shared.hostname], ["web-0", undefined]);
  assert.deepEqual(shared.linux?.securityContext?.namespaceOptions, { network: 2, pid: 2, ipc: 2 });
});

test("a container keeps its command, environment, mounts and log", () => {
  const made = config();
  assert.deepEqual(made.command, ["serve", "--all"]);
  assert.deepEqual(made.envs, [
    { key: "A", value: "b=c" },
    { key: "EMPTY", value: "" },
  ]);
  assert.deepEqual(made.mounts, [
    { hostPath: "/host", containerPath: "/data", readonly: true, propagation: 1 },
  ]);
  assert.equal(made.logPath, "var/log/pods/web/main/2.log");
  assert.equal(made.linux?.resources?.memoryLimitInBytes, 1024);
  const kept = keptOf(made.annotations as Record<string, string>);
  assert.deepEqual([kept?.id, kept?.command, kept?.limits], ["c1", "serve", { pidsMax: 10 }]);
  assert.equal(JSON.stringify(made.annotations).includes("b=c"), false, "no environment is kept");
});

test("a user is named as the interface wants it", () => {
  const { runAsUser, runAsGroup, runAsUsername } = secured({ user: "33:34" });
  assert.deepEqual(
    [runAsUser, runAsGroup, runAsUsername],
    [{ value: 33 }, { value: 34 }, undefined],
  );
  assert.equal(secured({ user: "www" }).runAsUsername, "www");
  assert.equal(secured({ user: "www", group: 5 }).runAsUsername, "www:5");
  const byGroup = secured({ user: "", group: 5 });
  assert.deepEqual([byGroup.runAsUser, byGroup.runAsGroup], [{ value: 0 }, { value: 5 }]);
  assert.equal(secured({ user: "" }).runAsUser, undefined);
});

test("processes of another container are joined unless the pod shares all of them", () => {
  const pid = (sandbox: Partial<SandboxSpec>) =>
    config({}, sandbox).linux?.securityContext?.namespaceOptions;
  assert.deepEqual(pid({}), { network: 0, pid: 3, ipc: 0, targetId: "remote-1" });
  assert.deepEqual(pid({ shareProcessNamespace: true }), { network: 0, pid: 0, ipc: 0 });
});

test("what the interface cannot say is refused", () => {
  const refused = (more: Partial<ContainerSpec>, code: string, message: RegExp) =>
    assert.throws(() => config(more), { code, message });
  const { security } = CONTAINER;
  const mount = { hostPath: "/x", containerPath: "/image", readOnly: true, noExec: true };
  refused({ mounts: [mount] }, "runtime-failed", /"\/image"/);
  refused({ command: [] }, "command-not-found", /no command/);
  refused({ workingDirectory: "/proc/self/fd/7" }, "permission-denied", /working directory/);
  const strict = { ...security, supplementalGroupsPolicy: "Strict" as const };
  refused({ security: strict }, "runtime-failed", /Strict/);
  for (const [user, why] of [
    ["", /will run as root/],
    ["root", /will run as root/],
    ["00", /will run as root/],
    ["www", /non-numeric user \(www\)/],
  ] as const) {
    refused({ security: { ...security, runAsNonRoot: true, user } }, "runs-as-root", why);
  }
  config({ security: { ...security, runAsNonRoot: true, user: "33" } });
});

test("a privileged container hides nothing of the node, another one does unless it says so", () => {
  assert.ok(secured({}).maskedPaths?.includes("/proc/kcore"));
  assert.equal(secured({ procMount: "Unmasked" }).maskedPaths, undefined);
  const privileged = secured({ privileged: true });
  assert.deepEqual([privileged.maskedPaths, privileged.seccomp], [undefined, { profileType: 1 }]);
  assert.deepEqual(secured({ seccomp: "/profiles/one.json" }).seccomp, {
    profileType: 2,
    localhostRef: "/profiles/one.json",
  });
});

test("a status has the times that are known, and says when nobody knows the end", () => {
  const kept = keptOf(config().annotations as Record<string, string>);
  assert.ok(kept);
  const found = {
    id: "remote-1",
    metadata: { name: "main", attempt: 2 },
    imageRef: "",
    imageId: "",
    reason: "",
    message: "",
    labels: {},
    annotations: {},
    mounts: [],
    logPath: "/log",
    createdAt: 1e15,
    startedAt: 0,
    finishedAt: 0,
    exitCode: 0,
    state: 0,
  };
  const created = statusOf(found, kept);
  assert.deepEqual([created.state, created.startedAtMs], ["created", undefined]);
  const oom = statusOf({ ...found, state: 2, exitCode: 137, reason: "OOMKilled" }, kept);
  assert.deepEqual([oom.state, oom.exitCode, oom.oomKilled], ["exited", 137, true]);
  const short = statusOf({ ...found, state: 2, startedAt: 3e15, finishedAt: 2.9e15 }, kept);
  assert.deepEqual([short.startedAtMs, short.finishedAtMs], [3e9, 3e9]);
  const unknown = statusOf({ ...found, state: 3 }, kept);
  assert.deepEqual([unknown.state, unknown.exitCode], ["exited", 137]);
  assert.match(unknown.lost ?? "", /does not know/);
});

test("an endpoint is a socket of this machine", () => {
  assert.equal(
    socketOf("unix:///run/containerd/containerd.sock"),
    "/run/containerd/containerd.sock",
  );
  assert.equal(socketOf("/run/crio.sock"), "/run/crio.sock");
  for (const wrong of ["tcp://10.0.0.1:10000", "containerd", "unix://"]) {
    assert.throws(() => socketOf(wrong), { name: "RangeError", message: /write it like "unix:/ });
  }
});

/** Answers as a runtime does that has this configuration. */
function runtimeWith(configuration: object, isReady = true): CriClient {
  const condition = {
    type: "RuntimeReady",
    status: isReady,
    reason: "",
    message: "still starting",
  };
  const answers: Record<string, object> = {
    "RuntimeService/Version": { runtimeName: "containerd", runtimeVersion: "1.6.20" },
    "RuntimeService/Status": {
      status: { conditions: [condition] },
      info: { config: JSON.stringify(configuration) },
    },
  };
  return {
    call: (method: string) => Promise.resolve(answers[method] as never),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  } as CriClient;
}

test("what a runtime tells of itself decides whether it can be used", async () => {
  const runtimes = {
    runc: { runtimeType: "io.containerd.runc.v2", options: { SystemdCgroup: false } },
    gvisor: { runtimeType: "io.containerd.runsc.v1", options: null },
  };
  const containerd = { defaultRuntimeName: "runc", runtimes };
  const facts = await readFacts(runtimeWith({ containerd, sandboxImage: "pause:1" }));
  assert.deepEqual(
    facts.handlers.map(({ name, isDefault, hasOwnKernel }) => [name, isDefault, hasOwnKernel]),
    [
      ["runc", true, false],
      ["gvisor", false, true],
    ],
  );
  assert.equal(facts.sandboxImage, "pause:1");
  const bySystemd = { runc: { ...runtimes.runc, options: { SystemdCgroup: true } } };
  await assert.rejects(
    readFacts(runtimeWith({ containerd: { ...containerd, runtimes: bySystemd } })),
    /set SystemdCgroup of its runtime "runc" to false/,
  );
  await assert.rejects(readFacts(runtimeWith({}, false)), /not ready: still starting/);
});
