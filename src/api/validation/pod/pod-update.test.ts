import { test } from "node:test";
import { PODS } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";
import { CONTAINER, SAMPLE_POD } from "./sample-pod.ts";

const UPDATES =
  "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`," +
  "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions " +
  "to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was " +
  "previously negative)\nchanged: ";

test("of a pod that exists only a few fields may change", () => {
  const base = {
    spec: {
      ...SAMPLE_POD.spec,
      activeDeadlineSeconds: 10,
      tolerations: [{ key: "a", operator: "Exists" }],
    },
  };
  checkRuleCases(PODS, {
    base,
    update: [
      [{ [`${CONTAINER}.image`]: "nginx:2" }],
      [{ "spec.activeDeadlineSeconds": 5 }],
      [{ "spec.tolerations[1]": { operator: "Exists" } }],
      [
        { "spec.tolerations[0].tolerationSeconds": 5, "spec.tolerations[0].effect": "NoExecute" },
        "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
      ],
      [
        { "spec.activeDeadlineSeconds": 20 },
        "spec.activeDeadlineSeconds: Invalid value: 20: must be less than or equal to previous value",
      ],
      [
        { "spec.activeDeadlineSeconds": undefined },
        'spec.activeDeadlineSeconds: Invalid value: "null": must not update from a positive integer to nil value',
      ],
      [
        { "spec.tolerations": [] },
        "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
      ],
      [
        { "spec.containers[1]": { name: "b", image: "b" } },
        "spec.containers: Forbidden: pod updates may not add or remove containers",
      ],
      [
        { "spec.schedulingGates": [{ name: "late" }] },
        "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'late'",
      ],
      [{ "spec.nodeName": "n" }, `${UPDATES}nodeName`],
      [{ [`${CONTAINER}.command`]: ["x"] }, `${UPDATES}containers`],
      [{ "spec.terminationGracePeriodSeconds": 1 }, `${UPDATES}terminationGracePeriodSeconds`],
      [
        { "metadata.annotations": { "kubernetes.io/config.mirror": "x" } },
        'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
        "metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation",
      ],
    ],
    subresources: {
      status: [
        [{ "status.phase": "Running", "status.podIPs": [{ ip: "10.0.0.1" }] }],
        [
          { "status.podIPs": [{ ip: "x" }] },
          'status.podIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        ],
        [
          { "status.podIPs": [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }] },
          'status.podIPs: Invalid value: []core.PodIP{core.PodIP{IP:"10.0.0.1"}, core.PodIP{IP:"10.0.0.2"}}: may specify no more than one IP for each IP family',
        ],
        [
          { "status.qosClass": "Guaranteed" },
          'status.qosClass: Invalid value: "Guaranteed": field is immutable',
        ],
        [
          {
            "status.resourceClaimStatuses": [
              { name: "mine", resourceClaimName: "made" },
              { name: "mine" },
              { name: "none", resourceClaimName: "a.b" },
            ],
            "spec.resourceClaims": [{ name: "mine", resourceClaimName: "x" }],
          },
          'status.resourceClaimStatuses[1].name: Duplicate value: "mine"',
          'status.resourceClaimStatuses[2].name: Invalid value: "none": must match the name of an entry in `spec.resourceClaims`',
        ],
        [
          {
            "status.containerStatuses": [
              { name: "web", user: { linux: { uid: -1, gid: 5, supplementalGroups: [6, -7] } } },
            ],
          },
          "status.containerStatuses[0].linux.uid: Invalid value: -1: must be between 0 and 2147483647, inclusive",
          "status.containerStatuses[0].linux.supplementalGroups[1]: Invalid value: -7: must be between 0 and 2147483647, inclusive",
        ],
        [
          {
            "spec.os": { name: "windows" },
            "status.containerStatuses": [{ name: "web", user: { linux: { uid: 1, gid: 1 } } }],
          },
          "status.containerStatuses[0].linux: Forbidden: cannot be set for a windows pod",
        ],
        [
          {
            "status.containerStatuses": [
              {
                name: "web",
                allocatedResourcesStatus: [
                  { name: "example.com/a", resources: [{ resourceID: "1", health: "Ill" }] },
                  {
                    name: "claim:c",
                    resources: [
                      { resourceID: "1", health: "Healthy" },
                      { resourceID: "1", health: "Unknown" },
                    ],
                  },
                ],
              },
              // Nobody knows of this container, so nothing is said of what it has.
              { name: "gone", allocatedResourcesStatus: [{ name: "example.com/a" }] },
            ],
            "status.ephemeralContainerStatuses": [
              { name: "debug", allocatedResourcesStatus: [{ name: "example.com/a" }] },
            ],
          },
          "status.containerStatuses[0].allocatedResourcesStatus[0].name: Invalid value: example.com/a: must match one of the container's resource requests",
          'status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].health: Unsupported value: "Ill": supported values: "Healthy", "Unhealthy", "Unknown"',
          "status.containerStatuses[0].allocatedResourcesStatus[1].name: Invalid value: claim:c: must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty",
          'status.containerStatuses[0].allocatedResourcesStatus[1].resources[1].resourceID: Duplicate value: "1"',
          "status.ephemeralContainerStatuses[0].allocatedResourcesStatus: Forbidden: must not be specified in container status",
        ],
        [
          { "status.conditions": [{ type: "a b", status: "True" }] },
          "metadata.conditions[0].Type: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        ],
      ],
      ephemeralcontainers: [
        [
          {
            "spec.ephemeralContainers": [{ name: "debug", image: "x", targetContainerName: "web" }],
          },
        ],
        [
          { "spec.ephemeralContainers": [{ name: "web", image: "x" }] },
          'spec.ephemeralContainers[0].name: Duplicate value: "web"',
        ],
        [
          {
            "spec.ephemeralContainers": [
              { name: "d", image: "x", targetContainerName: "no", ports: [{ containerPort: 1 }] },
            ],
          },
          'spec.ephemeralContainers[0].targetContainerName: Not found: "no"',
          "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container",
        ],
      ],
      resize: [
        [
          { [`${CONTAINER}.resources`]: { limits: { memory: "1Gi" } } },
          'spec: Invalid value: "": Pod QOS Class may not change as a result of resizing',
          `${CONTAINER}.resources.limits[memory]: Forbidden: memory limits cannot be added unless resizePolicy is RestartContainer`,
        ],
      ],
    },
  });
});

test("a gated pod's placement may become narrower", () => {
  const REQUIRED = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
  const term = { matchExpressions: [{ key: "a", operator: "Exists" }] };
  const affinity = {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
    },
  };
  const spec = {
    ...SAMPLE_POD.spec,
    schedulingGates: [{ name: "late" }],
    nodeSelector: { a: "b" },
    affinity,
  };
  checkRuleCases(PODS, {
    base: { spec },
    update: [
      [{ "spec.schedulingGates": [] }],
      [{ "spec.nodeSelector": { a: "b", c: "d" } }],
      [
        {
          [`${REQUIRED}.nodeSelectorTerms[0].matchExpressions[1]`]: {
            key: "b",
            operator: "Exists",
          },
        },
      ],
      [
        { "spec.nodeSelector": { a: "c" } },
        'spec.nodeSelector: Invalid value: map[string]string{"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      ],
      [
        { [`${REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].key`]: "x" },
        `${REQUIRED}.nodeSelectorTerms[0]: Invalid value: core.NodeSelectorTerm{MatchExpressions:[]core.NodeSelectorRequirement{core.NodeSelectorRequirement{Key:"x", Operator:"Exists", Values:[]string(nil)}}, MatchFields:[]core.NodeSelectorRequirement(nil)}: only additions are allowed (no mutations or deletions)`,
      ],
    ],
  });
});
