import { test } from "node:test";
import type { RuleCase } from "../rule-cases.ts";
import { checkNewPods } from "./sample-pod.ts";

const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " +
  "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for " +
  "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const CASES: readonly RuleCase[] = [
  [
    { "spec.topologySpreadConstraints": [{ topologyKey: "a" }] },
    "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
    'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "": supported values: "DoNotSchedule", "ScheduleAnyway"',
  ],
  [
    {
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms":
        [{ matchFields: [{ operator: "In", values: ["a"] }] }],
    },
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "": not a valid field selector key',
  ],
  [
    {
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms":
        [{ matchExpressions: [{ key: "a", operator: "In", values: ["no label/"] }] }],
    },
  ],
  [{ "spec.runtimeClassName": "" }, `spec.runtimeClassName: Invalid value: "": ${SUBDOMAIN}`],
  [
    { "spec.overhead": { cpu: "-1", x: "1" } },
    'spec.overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    "spec.overhead.limits[x]: Invalid value: x: must be a standard resource type or fully qualified",
    "spec.overhead.limits[x]: Invalid value: x: must be a standard resource for containers",
  ],
  [
    { "spec.restartPolicy": "Sometimes" },
    'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
  ],
  [
    { "spec.dnsPolicy": "None" },
    "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
  ],
  [
    { "spec.dnsConfig.nameservers": ["1.1.1.1", "1.1.1.2", "1.1.1.3", "x"] },
    'spec.dnsConfig.nameservers: Invalid value: []string{"1.1.1.1", "1.1.1.2", "1.1.1.3", "x"}: must not have more than 3 nameservers',
    'spec.dnsConfig.nameservers[3]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ],
  [
    { "spec.dnsConfig.searches": ["a.example.", "_a.example."] },
    `spec.dnsConfig.searches[1]: Invalid value: "_a.example": ${SUBDOMAIN}`,
  ],
  [
    { "spec.tolerations": [{ operator: "Exists", value: "x" }] },
    "spec.tolerations[0].operator: Invalid value: \"x\": value must be empty when `operator` is 'Exists'",
  ],
  [
    { "spec.tolerations": [{ key: "a", effect: "NoRun" }] },
    'spec.tolerations[0].effect: Unsupported value: "NoRun": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ],
  [
    {
      "spec.topologySpreadConstraints": [
        { maxSkew: 0, topologyKey: "", whenUnsatisfiable: "ScheduleAnyway", minDomains: 1 },
      ],
    },
    "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
    "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
    "spec.topologySpreadConstraints[0].minDomains: Invalid value: 1: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
  ],
  [
    {
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms":
        [{ matchExpressions: [{ key: "a", operator: "In" }] }],
    },
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
  ],
  [
    {
      "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution": [{ weight: 1 }],
    },
    "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Required value: can not be empty",
    'spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Invalid value: "": name part must be non-empty',
    `spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
  ],
  [
    {
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution": [
        {
          topologyKey: "zone",
          labelSelector: {
            matchLabels: { app: "a" },
            matchExpressions: [
              { key: "app", operator: "In", values: ["b"] },
              { key: "tenant", operator: "Exists" },
            ],
          },
          matchLabelKeys: ["tenant", "app"],
          mismatchLabelKeys: ["tenant"],
        },
      ],
    },
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys[0]: Invalid value: "tenant": exists in both matchLabelKeys and mismatchLabelKeys',
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0][1]: Invalid value: "app": exists in both matchLabelKeys and labelSelector',
  ],
  [
    { "spec.schedulingGates": [{ name: "a" }, { name: "a" }] },
    'spec.schedulingGates[1]: Duplicate value: "a"',
  ],
  [
    { "spec.schedulingGates": [{ name: "a" }], "spec.nodeName": "n" },
    "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
  ],
  [
    { "spec.hostAliases": [{ ip: "x", hostnames: ["a_b"] }] },
    'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    "spec.hostAliases[0].hostnames[0]: Invalid value: \"a_b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ],
  [
    { "spec.activeDeadlineSeconds": 0 },
    "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
  ],
  [
    { "metadata.annotations": { "controller.kubernetes.io/pod-deletion-cost": "+1" } },
    'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": must be a 32bit integer',
  ],
];

test("rules of where and how long pods run", () => {
  checkNewPods(CASES);
});
