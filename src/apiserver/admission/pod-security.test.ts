import assert from "node:assert/strict";
import { test } from "node:test";
import { DEPLOYMENTS, NAMESPACES, PODS } from "../../api/generated/resources.ts";
import type { Container, Pod, PodSpec, Volume } from "../../api/generated/types/core-v1.ts";
import { memoryReader } from "../authorization/memory-reader.ts";
import { admit, fixtureRequest } from "./admission-fixture.ts";
import {
  describeViolations,
  type SecurityLevel,
  type SecurityTarget,
  violationsOf,
} from "./pod-security/security-policy.ts";
import { podSecurityPlugin } from "./pod-security.ts";

const SAFE: NonNullable<Container["securityContext"]> = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};

function container(
  securityContext: Container["securityContext"] = {},
  more: object = {},
): Container {
  return { name: "c", securityContext: { ...SAFE, ...securityContext }, ...more };
}

function spec(more: Partial<PodSpec> = {}): PodSpec {
  return { containers: [container()], ...more };
}

const withContainer = (context: Container["securityContext"]) =>
  spec({ containers: [container(context)] });
const withVolume = (volume: Omit<Volume, "name">) => spec({ volumes: [{ name: "v", ...volume }] });

const BASELINE: [title: string, spec: PodSpec, message: string][] = [
  [
    "host namespaces",
    spec({ hostNetwork: true, hostPID: true }),
    "host namespaces (hostNetwork=true, hostPID=true)",
  ],
  [
    "privileged",
    withContainer({ privileged: true }),
    'privileged (container "c" must not set securityContext.privileged=true)',
  ],
  [
    "capabilities",
    withContainer({ capabilities: { add: ["NET_RAW", "CHOWN"] } }),
    'non-default capabilities (container "c" must not include "NET_RAW" in securityContext.capabilities.add)',
  ],
  ["hostPath", withVolume({ hostPath: { path: "/" } }), 'hostPath volumes (volume "v")'],
  [
    "hostPort",
    spec({ containers: [container({}, { ports: [{ containerPort: 80, hostPort: 80 }] })] }),
    'hostPort (container "c" uses hostPort 80)',
  ],
  [
    "AppArmor",
    withContainer({ appArmorProfile: { type: "Unconfined" } }),
    'forbidden AppArmor profile (container "c" must not set AppArmor profile type to "Unconfined")',
  ],
  [
    "SELinux",
    spec({ securityContext: { seLinuxOptions: { type: "spc_t", user: "u" } } }),
    'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
  ],
  [
    "proc mount",
    withContainer({ procMount: "Unmasked" }),
    'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
  ],
  [
    "seccomp",
    withContainer({ seccompProfile: { type: "Unconfined" } }),
    'seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
  ],
  [
    "sysctls",
    spec({ securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } }),
    "forbidden sysctls (kernel.msgmax)",
  ],
  [
    "Windows host process",
    spec({ securityContext: { windowsOptions: { hostProcess: true } } }),
    "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
  ],
];

for (const [title, pod, message] of BASELINE) {
  test(`baseline refuses ${title}, privileged does not`, () => {
    const subject = { metadata: {}, spec: pod };
    assert.equal(describeViolations(violationsOf(latest("baseline"), subject)), message);
    assert.ok(violationsOf(latest("restricted"), subject).length > 0);
    assert.deepEqual(violationsOf(latest("privileged"), subject), []);
  });
}

const RESTRICTED: [title: string, spec: PodSpec, message: string][] = [
  [
    "privilege escalation",
    withContainer({ allowPrivilegeEscalation: true }),
    'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)',
  ],
  [
    "kept capabilities",
    withContainer({ capabilities: { add: ["CHOWN"] } }),
    'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]; container "c" must not include "CHOWN" in securityContext.capabilities.add)',
  ],
  [
    "other volumes",
    withVolume({ nfs: { server: "s", path: "/" } }),
    'restricted volume types (volume "v" uses restricted volume type "nfs")',
  ],
  [
    "root by default",
    {
      containers: [{ name: "c", securityContext: { ...SAFE, runAsNonRoot: undefined } as object }],
    },
    'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)',
  ],
  [
    "user zero",
    withContainer({ runAsUser: 0 }),
    'runAsUser=0 (container "c" must not set runAsUser=0)',
  ],
  [
    "no seccomp profile",
    {
      containers: [
        { name: "c", securityContext: { ...SAFE, seccompProfile: undefined } as object },
      ],
    },
    'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ],
];

for (const [title, pod, message] of RESTRICTED) {
  test(`restricted refuses ${title}, baseline does not`, () => {
    const subject = { metadata: {}, spec: pod };
    assert.equal(describeViolations(violationsOf(latest("restricted"), subject)), message);
    assert.deepEqual(violationsOf(latest("baseline"), subject), []);
  });
}

const latest = (level: SecurityLevel): SecurityTarget => ({ level, version: "latest" });

test("a version of the standards has the rules that there were then", () => {
  const container = { name: "a", image: "i" };
  const hardened = {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" as const },
  };
  const cases: [SecurityLevel, object, object, since: number][] = [
    [
      "baseline",
      { securityContext: { sysctls: [{ name: "net.ipv4.tcp_rmem", value: "1" }] } },
      {},
      32,
    ],
    ["baseline", { securityContext: { seLinuxOptions: { type: "container_engine_t" } } }, {}, 31],
  ];
  for (const [level, spec, security, since] of cases) {
    const pod = { containers: [{ ...container, securityContext: security }], ...spec };
    const at = (version: string) => violationsOf({ level, version }, { metadata: {}, spec: pod });
    assert.equal(at(`v1.${since - 1}`).length, 1);
    assert.deepEqual(at(`v1.${since}`), []);
    assert.deepEqual(at("latest"), []);
  }
  const { seccompProfile: _, capabilities: __, ...older } = hardened;
  const spec = { containers: [{ ...container, securityContext: older }] };
  const reasons = (version: string) =>
    violationsOf({ level: "restricted", version }, { metadata: {}, spec }).map(
      ({ reason }) => reason,
    );
  assert.deepEqual(reasons("v1.18"), []);
  assert.deepEqual(reasons("v1.19"), ["seccompProfile"]);
  assert.deepEqual(reasons("v1.22"), ["unrestricted capabilities", "seccompProfile"]);
});

test("init and ephemeral containers are judged like the others", () => {
  const bad = { name: "x", securityContext: { privileged: true } };
  for (const pod of [spec({ initContainers: [bad] }), spec({ ephemeralContainers: [bad] })]) {
    assert.equal(violationsOf(latest("baseline"), { metadata: {}, spec: pod }).length, 1);
  }
  assert.deepEqual(violationsOf(latest("restricted"), { metadata: {}, spec: spec() }), []);
});

function cluster(labels: Record<string, string> = {}) {
  const reader = memoryReader();
  const prefixed = Object.entries(labels).map(([key, value]) => [
    `pod-security.kubernetes.io/${key}`,
    value,
  ]);
  reader.put(NAMESPACES, { metadata: { name: "a", labels: Object.fromEntries(prefixed) } });
  return { reader, plugin: podSecurityPlugin(reader) };
}

const privilegedPod = (): Pod => ({
  metadata: { name: "web" },
  spec: { containers: [{ name: "c", securityContext: { privileged: true } }] },
});

test("a namespace without labels is held to the baseline; kube-system is not", async () => {
  const { plugin } = cluster();
  await assert.rejects(admit(plugin, fixtureRequest(PODS, privilegedPod())), {
    code: 403,
    message:
      'pods "web" is forbidden: violates PodSecurity "baseline:latest": privileged (container "c" must not set securityContext.privileged=true)',
  });
  await admit(plugin, fixtureRequest(PODS, privilegedPod(), { namespace: "kube-system" }));
});

test("labels choose levels; a typing error closes, and is refused on the namespace", async () => {
  await admit(cluster({ enforce: "privileged" }).plugin, fixtureRequest(PODS, privilegedPod()));
  const plain = (): Pod => ({ metadata: { name: "web" }, spec: { containers: [{ name: "c" }] } });
  await admit(cluster().plugin, fixtureRequest(PODS, plain()));
  for (const level of ["restricted", "restrictd"]) {
    await assert.rejects(admit(cluster({ enforce: level }).plugin, fixtureRequest(PODS, plain())));
  }
  const labels = { "pod-security.kubernetes.io/enforce": "restrictd" };
  const namespace = fixtureRequest(NAMESPACES, { metadata: { name: "b", labels } });
  await assert.rejects(admit(cluster().plugin, namespace), { code: 422 });
});

test("workloads are warned, not refused", async () => {
  const template = { metadata: {}, spec: privilegedPod().spec };
  const deployment = { metadata: { name: "d" }, spec: { template, selector: {} } };
  const warnings = await admit(cluster().plugin, fixtureRequest(DEPLOYMENTS, deployment as object));
  assert.match(warnings[0] ?? "", /^would violate PodSecurity "baseline:latest": privileged/);
});

test("ephemeral containers cannot smuggle privileges in, and small updates pass", async () => {
  const { plugin } = cluster();
  const old: Pod = { metadata: { name: "web" }, spec: { containers: [{ name: "c" }] } };
  const debug = structuredClone(old);
  debug.spec = {
    containers: [{ name: "c" }],
    ephemeralContainers: [{ name: "e", securityContext: { privileged: true } }],
  };
  const more = { operation: "UPDATE", old } as const;
  const request = fixtureRequest(PODS, debug, { ...more, subresource: "ephemeralcontainers" });
  await assert.rejects(admit(plugin, request), { code: 403 });
  const running = privilegedPod();
  const labelled = { ...running, metadata: { name: "web", labels: { a: "b" } } };
  await admit(plugin, fixtureRequest(PODS, labelled, { operation: "UPDATE", old: running }));
});

test("a stricter namespace is told which pods break it", async () => {
  const { reader, plugin } = cluster({ enforce: "privileged" });
  for (const name of ["one", "two"]) {
    reader.put(PODS, { ...privilegedPod(), metadata: { name, namespace: "a" } });
  }
  const old = reader.get(NAMESPACES, { name: "a" });
  const next = {
    metadata: { name: "a", labels: { "pod-security.kubernetes.io/enforce": "baseline" } },
  };
  const warnings = await admit(
    plugin,
    fixtureRequest(NAMESPACES, next, { operation: "UPDATE", ...(old ? { old } : {}) }),
  );
  assert.deepEqual(warnings, [
    'existing pods in namespace "a" violate the new PodSecurity enforce level "baseline:latest"',
    "one (and 1 other pod): privileged",
  ]);
});
