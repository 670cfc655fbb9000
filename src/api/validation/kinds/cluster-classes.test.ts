import { test } from "node:test";
import { LEASES, PRIORITY_CLASSES, RUNTIME_CLASSES } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must " +
  "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for " +
  "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

test("rules of classes of priority", () => {
  const reserved = (name: string, more: object, why: string) =>
    [
      { "metadata.name": name, ...more },
      `metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: ${why}`,
    ] as const;
  checkRuleCases(PRIORITY_CLASSES, {
    base: { value: 100, preemptionPolicy: "Never" },
    create: [
      [{ "metadata.name": "system-node-critical", value: 2_000_001_000 }],
      [{ value: -100 }],
      reserved("system-foo", {}, "system-foo is not a known system priority class"),
      reserved(
        "system-cluster-critical",
        { value: 1 },
        "value of system-cluster-critical PriorityClass must be 2000000000",
      ),
      reserved(
        "system-node-critical",
        { value: 2_000_001_000, globalDefault: true },
        "globalDefault of system-node-critical PriorityClass must be false",
      ),
      [
        { value: 1_000_000_001 },
        "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
      ],
      [
        { preemptionPolicy: "x" },
        'preemptionPolicy: Unsupported value: "x": supported values: "PreemptLowerPriority", "Never"',
      ],
      [{ preemptionPolicy: "" }, "preemptionPolicy: Required value"],
    ],
    update: [
      [{ globalDefault: true, description: "x" }],
      [{ value: 101 }, "value: Forbidden: may not be changed in an update."],
      [
        { preemptionPolicy: "PreemptLowerPriority" },
        'preemptionPolicy: Invalid value: "PreemptLowerPriority": field is immutable',
      ],
    ],
  });
});

test("rules of classes of runtimes", () => {
  const T = "scheduling.tolerations";
  const toleration = { key: "a", operator: "Exists", effect: "NoExecute", tolerationSeconds: 1 };
  checkRuleCases(RUNTIME_CLASSES, {
    base: { handler: "small" },
    create: [
      [{ "overhead.podFixed": { memory: "1Mi", cpu: "10m" } }],
      [{ [T]: [toleration, { ...toleration, key: "b" }] }],
      [{ handler: "bad_handler" }, `handler: Invalid value: "bad_handler": ${LABEL}`],
      [
        { "overhead.podFixed": { memory: "-1" } },
        'overhead.limits[memory]: Invalid value: "-1": must be greater than or equal to 0',
      ],
      [
        { [T]: [{ operator: "Equal" }] },
        `${T}.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when \`key\` is empty, which means "match all values and all keys"`,
      ],
      [
        { [T]: [toleration, { ...toleration, tolerationSeconds: 2 }] },
        `${T}[1]: Duplicate value: core.Toleration{Key:"a", Operator:"Exists", Value:"", Effect:"NoExecute", TolerationSeconds:(*int64)(2)}`,
      ],
    ],
    update: [[{ handler: "large" }, 'handler: Invalid value: "large": field is immutable']],
  });
});

test("rules of Leases", () => {
  checkRuleCases(LEASES, {
    base: { spec: { holderIdentity: "me", leaseDurationSeconds: 15, leaseTransitions: 0 } },
    create: [
      [
        { "spec.leaseDurationSeconds": 0, "spec.leaseTransitions": -1 },
        "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
        "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
      ],
    ],
    update: [[{ "spec.holderIdentity": "you" }]],
  });
});
