import { test } from "node:test";
import { API_SERVICES } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

test("rules of APIServices", () => {
  const S = "spec.service";
  const INSECURE = "spec.insecureSkipTLSVerify";
  const unserved = { [S]: undefined };
  checkRuleCases(API_SERVICES, {
    base: {
      metadata: { name: "v1.example.com" },
      spec: {
        group: "example.com",
        version: "v1",
        groupPriorityMinimum: 20_000,
        versionPriority: 1_000,
        service: { namespace: "a", name: "b", port: 443 },
      },
    },
    create: [
      [unserved],
      [{ "spec.caBundle": "eA==" }],
      [
        { "metadata.name": "v2.example.com" },
        'metadata.name: Invalid value: "v2.example.com": must be `spec.version+"."+spec.group`: "v1.example.com"',
      ],
      [
        { "spec.groupPriorityMinimum": 0, "spec.versionPriority": 1_001 },
        "spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000",
        "spec.versionPriority: Invalid value: 1001: must be positive and less than 1000",
      ],
      [
        { [S]: { port: 0 } },
        `${S}.namespace: Required value`,
        `${S}.name: Required value`,
        `${S}.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive`,
      ],
      [
        { "spec.caBundle": "eA==", [INSECURE]: true },
        `${INSECURE}: Invalid value: true: may not be true if caBundle is present`,
      ],
      [
        { ...unserved, "spec.caBundle": "eA==", [INSECURE]: true },
        'spec.caBundle: Invalid value: "1 bytes": local APIServices may not have a caBundle',
        `${INSECURE}: Invalid value: true: local APIServices may not have insecureSkipTLSVerify`,
      ],
    ],
    subresources: {
      status: [
        [{ "status.conditions": [{ type: "Available", status: "Unknown" }] }],
        [
          { "status.conditions": [{ type: "Available" }] },
          'status.conditions[0].status: Unsupported value: "": supported values: "True", "False", "Unknown"',
        ],
      ],
    },
  });
});
