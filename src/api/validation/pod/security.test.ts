import { test } from "node:test";
import { POD_TEMPLATES } from "../../generated/resources.ts";
import { checkRuleCases, type RuleCase } from "../rule-cases.ts";
import { checkNewPods, CONTAINER, SAMPLE_POD } from "./sample-pod.ts";

const CASES: readonly RuleCase[] = [
  [
    { [`${CONTAINER}.securityContext`]: { privileged: true, allowPrivilegeEscalation: false } },
    `${CONTAINER}.securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
  ],
  [
    { [`${CONTAINER}.securityContext.runAsUser`]: -1 },
    `${CONTAINER}.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive`,
  ],
  [
    { "spec.securityContext.seccompProfile": { type: "Localhost" } },
    "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost",
  ],
  [
    { "spec.securityContext.appArmorProfile": { type: "Custom" } },
    'spec.securityContext.appArmorProfile.type: Unsupported value: "Custom": supported values: "Localhost", "RuntimeDefault", "Unconfined"',
  ],
  [
    {
      "spec.securityContext.sysctls": [{ name: "net.ipv4.x", value: "1" }],
      "spec.hostNetwork": true,
      [`${CONTAINER}.ports`]: [],
    },
    "spec.securityContext.sysctls[0].name: Invalid value: \"net.ipv4.x\": may not be specified when 'hostNetwork' is true",
  ],
  [
    { "spec.securityContext.fsGroupChangePolicy": "Never" },
    'spec.securityContext.fsGroupChangePolicy: Unsupported value: "Never": supported values: "Always", "OnRootMismatch"',
  ],
  [
    { "spec.hostPID": true, "spec.shareProcessNamespace": true },
    "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled",
  ],
  [
    { "spec.hostUsers": false, "spec.hostIPC": true },
    "spec.HostIPC: Forbidden: when `pod.Spec.HostUsers` is false",
  ],
  [
    { "spec.os": { name: "windows" }, "spec.securityContext.runAsUser": 1 },
    "spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod",
  ],
  [{ "spec.os": { name: "" } }, "spec.os.name: Required value: cannot be empty"],
];

const OPTIONS = "spec.securityContext.windowsOptions";
const wrongUser = (name: string, ...whys: string[]): RuleCase => [
  { [`${OPTIONS}.runAsUserName`]: name },
  ...whys.map(
    (why) =>
      `${OPTIONS}.runAsUserName: Invalid value: ${JSON.stringify(name)}: runAsUserName${why}`,
  ),
];

const WINDOWS: readonly RuleCase[] = [
  wrongUser("ContainerUser"),
  wrongUser("NT AUTHORITY\\SYSTEM"),
  wrongUser("", " cannot be an empty string"),
  wrongUser("a\tb", " cannot contain control characters"),
  wrongUser("a\\b\\c", " cannot contain more than one backslash"),
  wrongUser("a/b\\c", "'s Domain doesn't match the NetBios nor the DNS format"),
  wrongUser("a\\", "'s User cannot be empty"),
  wrongUser("u".repeat(105), "'s User length must not be longer than 104 characters"),
  wrongUser(". .", "'s User cannot contain only periods or spaces"),
  wrongUser("a;b", "'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]"),
  [
    { [`${OPTIONS}.gmsaCredentialSpec`]: "", [`${OPTIONS}.gmsaCredentialSpecName`]: "a" },
    `${OPTIONS}.gmsaCredentialSpec: Invalid value: "": gmsaCredentialSpec cannot be an empty string`,
  ],
  [
    {
      [`${OPTIONS}.hostProcess`]: true,
      [`${CONTAINER}.securityContext.windowsOptions.hostProcess`]: false,
      "spec.containers[1]": { name: "b", image: "b" },
    },
    `${CONTAINER}.securityContext.windowsOptions.hostProcess: Invalid value: false: pod hostProcess value must be identical if both are specified, was true`,
    'spec: Invalid value: "": If pod contains any hostProcess containers then all containers must be HostProcess containers',
    "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers",
  ],
];

const seccomp = (profile: object, annotation: string) => ({
  "metadata.annotations": { "seccomp.security.alpha.kubernetes.io/pod": annotation },
  "spec.securityContext.seccompProfile": profile,
});
const appArmor = (profile: object, annotation: string) => ({
  "metadata.annotations": { "container.apparmor.security.beta.kubernetes.io/web": annotation },
  "spec.securityContext.appArmorProfile": profile,
});

/** Profiles that annotations and fields name. */
const PROFILES: readonly RuleCase[] = [
  [seccomp({ type: "RuntimeDefault" }, "docker/default")],
  [seccomp({ type: "Localhost", localhostProfile: "a" }, "localhost/a")],
  [
    seccomp({ type: "Unconfined" }, "runtime/default"),
    "spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match",
  ],
  [
    seccomp({ type: "Localhost", localhostProfile: "a" }, "localhost/b"),
    "spec.securityContext.seccompProfile.localhostProfile: Forbidden: seccomp profile in annotation and field must match",
  ],
  [appArmor({ type: "RuntimeDefault" }, "runtime/default")],
  [
    appArmor({ type: "RuntimeDefault" }, "unconfined"),
    `${CONTAINER}.securityContext.appArmorProfile.type: Forbidden: apparmor type in annotation and field must match`,
  ],
];

test("rules of Windows", () => {
  checkNewPods(WINDOWS);
});

test("annotations and fields name the same profiles", () => {
  checkNewPods(PROFILES);
});

test("annotations of templates mean what those of pods mean", () => {
  const annotations = (name: string, value: string) => ({
    "template.metadata.annotations": { [name]: value },
  });
  checkRuleCases(POD_TEMPLATES, {
    base: { template: SAMPLE_POD },
    create: [
      [
        annotations("controller.kubernetes.io/pod-deletion-cost", "x"),
        'template.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "x": must be a 32bit integer',
      ],
      [
        annotations("kubernetes.io/config.mirror", "x"),
        'template.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
      ],
    ],
  });
});

test("rules of security contexts", () => {
  checkNewPods(CASES);
});
