import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import type { ImageConfig } from "../agent/image/contract.ts";
import type { ContainerSpec } from "../agent/runtime/contract.ts";
import type * as cri from "../format/cri/generated.ts";
import { MESSAGES } from "../format/cri/generated.ts";
import { createMessageCodec, type Outgoing } from "../format/protobuf/message-codec.ts";
import { containerResources, containerSpec } from "./container-spec.ts";

const codec = createMessageCodec(MESSAGES);

function received<T>(type: string, sent: Outgoing<T>): T {
  return codec.decode(type, codec.encode(type, sent as object)) as T;
}

function specOf(
  sent: Outgoing<cri.ContainerConfig>,
  image: ImageConfig = {},
  sandbox: Outgoing<cri.PodSandboxConfig> = {},
): ContainerSpec {
  const config = received<cri.ContainerConfig>("ContainerConfig", {
    metadata: { name: "main", attempt: 2 },
    command: ["run"],
    ...sent,
  });
  return containerSpec(config, {
    id: "c",
    sandbox: {
      id: "s",
      config: received<cri.PodSandboxConfig>("PodSandboxConfig", {
        hostname: "web",
        ...sandbox,
      }),
      runtimeHandler: "",
      createdAtMs: 0,
      ready: true,
      ip: "",
      bootId: "",
    },
    farPaths: new Set(["/far/absent"]),
    image: { id: "sha256:1", references: [], sizeBytes: 1, config: image, layerPaths: [] },
    hostname: "node",
    filesDirectory: "/files",
    logPath: "/logs/0.log",
  });
}

test("the command hides the image's, arguments alone keep its entry point", () => {
  const image = { entrypoint: ["entry"], command: ["usual"] };
  assert.deepEqual(specOf({ command: [] }, image).command, ["entry", "usual"]);
  assert.deepEqual(specOf({ command: [], args: ["a"] }, image).command, ["entry", "a"]);
  assert.deepEqual(specOf({ command: ["x"], args: ["a"] }, image).command, ["x", "a"]);
  assert.throws(() => specOf({ command: [] }), { code: "invalid-argument" });
});

test("variables of the config come after the image's, so that they win", () => {
  const { environment } = specOf({ envs: [{ key: "A", value: "2" }] }, { environment: ["A=1"] });
  assert.deepEqual(environment.slice(1), ["HOSTNAME=web", "A=1", "A=2"]);
});

test("files of /etc are the sandbox's unless a mount takes their place", () => {
  const mounts = [{ hostPath: "/proc/self", containerPath: "/etc//hosts", propagation: 2 }];
  const found = specOf({ mounts }).mounts.map(({ containerPath, propagation }) => [
    containerPath,
    propagation,
  ]);
  assert.deepEqual(found, [
    ["/etc/hostname", undefined],
    ["/etc/resolv.conf", undefined],
    ["/etc/hosts", "rshared"],
  ]);
});

test("a path that may never answer is taken as it is", () => {
  const mounts = [{ hostPath: "/far/absent", containerPath: "/mnt" }];
  assert.equal(specOf({ mounts }).mounts.at(-1)?.hostPath, "/far/absent");
  assert.equal(existsSync("/far/absent"), false);
});

test("users are those of the config, else of the image, else root", () => {
  const context = (securityContext: Outgoing<cri.LinuxContainerSecurityContext>) =>
    specOf({ linux: { securityContext } }, { user: "www" }).security;
  assert.equal(context({ runAsUser: { value: 0 } }).user, "0");
  assert.equal(context({ runAsUsername: "ann" }).user, "ann");
  assert.equal(context({}).user, "www");
  assert.equal(specOf({}).security.user, "0");
  assert.equal(context({ runAsGroup: { value: 0 } }).group, 0);
});

test("seccomp is named in the new way or the old, and off when it is not", () => {
  const seccomp = (securityContext: Outgoing<cri.LinuxContainerSecurityContext>) =>
    specOf({ linux: { securityContext } }).security.seccomp;
  assert.equal(seccomp({}), "unconfined");
  assert.equal(seccomp({ seccomp: {} }), "runtime-default");
  assert.equal(seccomp({ seccomp: { profileType: 2, localhostRef: "/p.json" } }), "/p.json");
  assert.equal(seccomp({ seccompProfilePath: "runtime/default" }), "runtime-default");
  assert.equal(seccomp({ seccompProfilePath: "localhost//p.json" }), "/p.json");
  assert.equal(seccomp({ seccomp: {}, privileged: true }), "unconfined");
});

test("/proc is uncovered only when nothing is to be masked", () => {
  const procMount = (securityContext: Outgoing<cri.LinuxContainerSecurityContext>) =>
    specOf({ linux: { securityContext } }).security.procMount;
  assert.equal(procMount({}), "Unmasked");
  assert.equal(procMount({ maskedPaths: ["/proc/kcore"] }), "Default");
  assert.equal(specOf({}).security.procMount, "Default");
});

test("limits that are zero are none", () => {
  const sent = { cpuShares: 512, memoryLimitInBytes: 0, unified: { "pids.max": "99" } };
  const resources = received<cri.LinuxContainerResources>("LinuxContainerResources", sent);
  assert.deepEqual(containerResources(resources), { cpuShares: 512, pidsMax: 99, oomScoreAdj: 0 });
});

test("AppArmor and SELinux are named in the new way or the old, else the runtime's", () => {
  const security = (securityContext: Outgoing<cri.LinuxContainerSecurityContext>) => {
    const { appArmorProfile, selinuxLabel } = specOf({ linux: { securityContext } }).security;
    return [appArmorProfile, selinuxLabel];
  };
  assert.deepEqual(security({}), [undefined, undefined]);
  assert.deepEqual(security({ apparmor: { profileType: 1 } }), ["unconfined", undefined]);
  const localhost = { profileType: 2, localhostRef: "mine" };
  assert.deepEqual(security({ apparmor: localhost }), ["mine", undefined]);
  assert.deepEqual(security({ apparmorProfile: "localhost/mine" }), ["mine", undefined]);
  assert.deepEqual(security({ apparmorProfile: "runtime/default" }), [
    "runtime-default",
    undefined,
  ]);
  const level = "s0:c1,c2";
  assert.deepEqual(security({ selinuxOptions: { level } }), [
    undefined,
    `system_u:system_r:container_t:${level}`,
  ]);
});

test("groups of the image are left out when the policy is strict, huge pages are limited", () => {
  const securityContext = { supplementalGroups: [5], supplementalGroupsPolicy: 1 };
  const { security, resources } = specOf({
    linux: { securityContext, resources: { hugepageLimits: [{ pageSize: "2MB", limit: 4096 }] } },
  });
  assert.equal(security.supplementalGroupsPolicy, "Strict");
  assert.deepEqual(resources.hugePages, { "2MB": 4096 });
});

test("mounts are mapped as the sandbox's users are, or not at all", () => {
  const range = { hostId: 131_072_000, containerId: 0, length: 65_536 };
  const mount = { hostPath: "/proc", containerPath: "/data" };
  const mapped = { ...mount, uidMappings: [range], gidMappings: [range] };
  const code = "invalid-argument";
  assert.throws(() => specOf({ mounts: [mapped] }), { code });
  assert.throws(() => specOf({ mounts: [{ ...mount, recursiveReadOnly: true }] }), { code });
  const usernsOptions = { mode: 0, uids: [range], gids: [range] };
  const linux = { securityContext: { namespaceOptions: { usernsOptions } } };
  const keeps = (...mounts: Outgoing<cri.Mount>[]) =>
    specOf({ mounts }, {}, { linux })
      .mounts.filter(({ containerPath }) => containerPath === "/data")
      .map(({ keepsOwners = false }) => keepsOwners);
  assert.deepEqual(keeps(mapped), [false]);
  assert.deepEqual(keeps(mount), [true]);
});
