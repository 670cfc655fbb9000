// What becomes of each field of the interface (1.32) that says how a sandbox or a container is to be
// made: a field that a later version adds has to be given a row.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MESSAGES } from "../format/cri/generated.ts";

/** Reaches the kernel, or what answers for it. */
const DONE = "carried out";
/** Only some values are, the others are refused with INVALID_ARGUMENT. */
const PARTLY = "in part, else refused";
const NO_PAUSE = "nothing to do: a sandbox has no process of the caller's";
const PARENT = "nothing to do: the caller has limited the cgroup that it names";
const UNHEARD = "without effect";

const FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  LinuxPodSandboxConfig: {
    cgroupParent: DONE,
    securityContext: DONE,
    sysctls: `${DONE}; gVisor refuses them`,
    overhead: PARENT,
    resources: PARENT,
  },
  LinuxSandboxSecurityContext: {
    namespaceOptions: DONE,
    selinuxOptions: NO_PAUSE,
    runAsUser: NO_PAUSE,
    runAsGroup: NO_PAUSE,
    readonlyRootfs: NO_PAUSE,
    supplementalGroups: NO_PAUSE,
    supplementalGroupsPolicy: NO_PAUSE,
    privileged: NO_PAUSE,
    seccomp: NO_PAUSE,
    apparmor: NO_PAUSE,
    seccompProfilePath: NO_PAUSE,
  },
  NamespaceOption: {
    network: DONE,
    pid: DONE,
    ipc: DONE,
    targetId: DONE,
    usernsOptions: PARTLY,
  },
  UserNamespace: { mode: DONE, uids: PARTLY, gids: PARTLY },
  LinuxContainerSecurityContext: {
    capabilities: DONE,
    privileged: DONE,
    namespaceOptions: `${DONE}: "pid"; the others are the sandbox's`,
    selinuxOptions: `${DONE} on a host with SELinux`,
    runAsUser: DONE,
    runAsGroup: DONE,
    runAsUsername: DONE,
    readonlyRootfs: DONE,
    supplementalGroups: DONE,
    supplementalGroupsPolicy: DONE,
    noNewPrivs: DONE,
    maskedPaths: "none means none, any means the usual ones",
    readonlyPaths: "none means none, any means the usual ones",
    seccomp: DONE,
    apparmor: `${DONE} on a host with AppArmor`,
    apparmorProfile: "as apparmor, in the older form",
    seccompProfilePath: "as seccomp, in the older form",
  },
  Capability: {
    addCapabilities: DONE,
    dropCapabilities: DONE,
    addAmbientCapabilities: UNHEARD,
  },
  LinuxContainerResources: {
    cpuPeriod: DONE,
    cpuQuota: DONE,
    cpuShares: DONE,
    memoryLimitInBytes: DONE,
    oomScoreAdj: DONE,
    cpusetCpus: DONE,
    cpusetMems: UNHEARD,
    hugepageLimits: DONE,
    unified: 'carried out: "pids.max"; the others are without effect',
    memorySwapLimitInBytes: UNHEARD,
  },
  Mount: {
    containerPath: DONE,
    hostPath: DONE,
    readonly: DONE,
    selinuxRelabel: UNHEARD,
    propagation: DONE,
    uidMappings: PARTLY,
    gidMappings: PARTLY,
    recursiveReadOnly: "refused; Status says so of every handler",
    image: "refused",
  },
  RuntimeHandlerFeatures: { recursiveReadOnlyMounts: DONE, userNamespaces: DONE },
  RuntimeFeatures: { supplementalGroupsPolicy: DONE },
};

test("of each field that says how to make something, it is known what becomes of it", () => {
  const known = Object.entries(FIELDS).map(([name, rows]) => [name, Object.keys(rows)]);
  const there = Object.keys(FIELDS).map((name) => [name, Object.keys(MESSAGES[name] ?? {})]);
  assert.deepEqual(known, there);
});
