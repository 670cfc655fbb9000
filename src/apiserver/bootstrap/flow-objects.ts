import { FLOW_SCHEMAS, PRIORITY_LEVEL_CONFIGURATIONS } from "../../api/generated/resources.ts";
import type {
  FlowSchemaSpec,
  PolicyRulesWithSubjects,
  PriorityLevelConfigurationSpec,
  Subject,
} from "../../api/generated/types/flowcontrol-v1.ts";
import {
  EVERY_REQUEST,
  MANDATORY_FLOW_SCHEMAS,
  MANDATORY_LEVELS,
} from "../../api/mandatory-flow.ts";
import { apiVersionOf, type Resource } from "../../api/resource.ts";
import type { BootstrapObject } from "./bootstrap-object.ts";

const AUTO_UPDATE = { "apf.kubernetes.io/autoupdate-spec": "true" };
const QUEUES = 64;
const HAND_SIZE = 6;
const QUEUE_LENGTH = 50;

function object(resource: Resource, name: string, spec: object): BootstrapObject {
  const { kind } = resource;
  const metadata = { name, annotations: AUTO_UPDATE };
  return { resource, object: { apiVersion: apiVersionOf(resource), kind, metadata, spec } };
}

function level(name: string, spec: PriorityLevelConfigurationSpec): BootstrapObject {
  return object(PRIORITY_LEVEL_CONFIGURATIONS, name, spec);
}

/** A level that lets requests wait; `lendable` is the share that other levels may borrow. */
function queued(
  name: string,
  { shares, lendable, queues = QUEUES }: { shares: number; lendable: number; queues?: number },
): BootstrapObject {
  return level(name, {
    type: "Limited",
    limited: {
      nominalConcurrencyShares: shares,
      lendablePercent: lendable,
      limitResponse: {
        type: "Queue",
        queuing: { queues, handSize: HAND_SIZE, queueLengthLimit: QUEUE_LENGTH },
      },
    },
  });
}

const user = (name: string): Subject => ({ kind: "User", user: { name } });
const group = (name: string): Subject => ({ kind: "Group", group: { name } });
const account = (name: string): Subject => ({
  kind: "ServiceAccount",
  serviceAccount: { namespace: "kube-system", name },
});

function schema(
  name: string,
  of: {
    level: string;
    precedence: number;
    by?: "ByUser" | "ByNamespace";
    rules: PolicyRulesWithSubjects[];
  },
): BootstrapObject {
  const spec: FlowSchemaSpec = {
    priorityLevelConfiguration: { name: of.level },
    matchingPrecedence: of.precedence,
    ...(of.by ? { distinguisherMethod: { type: of.by } } : {}),
    rules: of.rules,
  };
  return object(FLOW_SCHEMAS, name, spec);
}

const ANYBODY = [group("system:unauthenticated"), group("system:authenticated")];

function leases(subjects: Subject[], namespaces: string[]): PolicyRulesWithSubjects {
  return {
    subjects,
    resourceRules: [
      {
        verbs: ["get", "create", "update"],
        apiGroups: ["coordination.k8s.io"],
        resources: ["leases"],
        namespaces,
      },
    ],
  };
}

function levels(): BootstrapObject[] {
  return [
    level("exempt", MANDATORY_LEVELS.exempt),
    level("catch-all", MANDATORY_LEVELS["catch-all"]),
    queued("system", { shares: 30, lendable: 33 }),
    queued("node-high", { shares: 40, lendable: 25 }),
    queued("leader-election", { shares: 10, lendable: 0, queues: 16 }),
    queued("workload-high", { shares: 40, lendable: 50, queues: 128 }),
    queued("workload-low", { shares: 100, lendable: 90, queues: 128 }),
    queued("global-default", { shares: 20, lendable: 50, queues: 128 }),
  ];
}

function schemas(): BootstrapObject[] {
  const nodes = group("system:nodes");
  return [
    object(FLOW_SCHEMAS, "exempt", MANDATORY_FLOW_SCHEMAS.exempt),
    schema("probes", {
      level: "exempt",
      precedence: 2,
      rules: [
        {
          subjects: ANYBODY,
          nonResourceRules: [
            { verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] },
          ],
        },
      ],
    }),
    schema("system-leader-election", {
      level: "leader-election",
      precedence: 100,
      by: "ByUser",
      rules: [
        leases(
          [user("system:kube-controller-manager"), user("system:kube-scheduler")],
          ["kube-system"],
        ),
      ],
    }),
    schema("endpoint-controller", {
      level: "workload-high",
      precedence: 150,
      by: "ByUser",
      rules: [
        {
          subjects: [
            user("system:kube-controller-manager"),
            account("endpoint-controller"),
            account("endpointslicemirroring-controller"),
          ],
          resourceRules: [
            {
              verbs: ["get", "create", "update"],
              apiGroups: [""],
              resources: ["endpoints"],
              namespaces: ["*"],
            },
          ],
        },
      ],
    }),
    schema("workload-leader-election", {
      level: "leader-election",
      precedence: 200,
      by: "ByUser",
      rules: [leases([group("system:serviceaccounts:kube-system")], ["*"])],
    }),
    schema("system-node-high", {
      level: "node-high",
      precedence: 400,
      by: "ByUser",
      rules: [
        {
          subjects: [nodes],
          resourceRules: [
            {
              verbs: ["*"],
              apiGroups: [""],
              resources: ["nodes", "nodes/status"],
              clusterScope: true,
              namespaces: ["*"],
            },
            {
              verbs: ["*"],
              apiGroups: ["coordination.k8s.io"],
              resources: ["leases"],
              namespaces: ["*"],
            },
          ],
        },
      ],
    }),
    schema("system-nodes", {
      level: "system",
      precedence: 500,
      by: "ByUser",
      rules: [{ subjects: [nodes], ...EVERY_REQUEST }],
    }),
    schema("kube-controller-manager", {
      level: "workload-high",
      precedence: 800,
      by: "ByNamespace",
      rules: [{ subjects: [user("system:kube-controller-manager")], ...EVERY_REQUEST }],
    }),
    schema("kube-scheduler", {
      level: "workload-high",
      precedence: 800,
      by: "ByNamespace",
      rules: [{ subjects: [user("system:kube-scheduler")], ...EVERY_REQUEST }],
    }),
    schema("kube-system-service-accounts", {
      level: "workload-high",
      precedence: 900,
      by: "ByNamespace",
      rules: [{ subjects: [group("system:serviceaccounts:kube-system")], ...EVERY_REQUEST }],
    }),
    schema("service-accounts", {
      level: "workload-low",
      precedence: 9000,
      by: "ByUser",
      rules: [{ subjects: [group("system:serviceaccounts")], ...EVERY_REQUEST }],
    }),
    schema("global-default", {
      level: "global-default",
      precedence: 9900,
      by: "ByUser",
      rules: [{ subjects: ANYBODY, ...EVERY_REQUEST }],
    }),
    object(FLOW_SCHEMAS, "catch-all", MANDATORY_FLOW_SCHEMAS["catch-all"]),
  ];
}

/** How requests are shared out in a new cluster, as upstream does; administrators may change it. */
export function flowObjects(): BootstrapObject[] {
  return [...levels(), ...schemas()];
}
