import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BUILT_IN_RESOURCES,
  CRON_JOBS,
  CSI_DRIVERS,
  CSI_STORAGE_CAPACITIES,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  EVENTS,
  HORIZONTAL_POD_AUTOSCALERS,
  INGRESSES,
  JOBS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  RESOURCE_QUOTAS,
  ROLES,
  SERVICES,
  VALIDATING_ADMISSION_POLICY_BINDINGS,
} from "../generated/resources.ts";
import type { ContainerStatus, Pod } from "../generated/types/core-v1.ts";
import type { Resource } from "../resource.ts";
import { customTable } from "./custom-table.ts";
import { summarizePod } from "./pod-table.ts";
import { tableFor } from "./table.ts";

const NOW = Date.parse("2026-01-10T00:00:00Z");

function rowOf<T>(resource: Resource<T>, object: T): Record<string, unknown> {
  const table = tableFor({ resource, objects: [object], nowMs: NOW });
  const cells = table.rows[0]?.cells ?? [];
  return Object.fromEntries(
    (table.columnDefinitions ?? []).map(({ name }, at) => [name, cells[at]]),
  );
}

function container(
  state: ContainerStatus["state"],
  more: Partial<ContainerStatus> = {},
): ContainerStatus {
  return {
    name: "c",
    ready: false,
    restartCount: 0,
    image: "i",
    imageID: "",
    ...(state ? { state } : {}),
    ...more,
  };
}

test("every built-in kind has a cell for each column, even of an empty object", () => {
  assert.ok(BUILT_IN_RESOURCES.length > 40);
  for (const resource of BUILT_IN_RESOURCES) {
    const table = tableFor({ resource, objects: [{ metadata: { name: "x" } }, {}], nowMs: NOW });
    for (const { cells } of table.rows) {
      assert.equal(cells.length, table.columnDefinitions?.length, resource.plural);
      const odd = cells.filter((cell) => /undefined|NaN|\[object/.test(String(cell)));
      assert.deepEqual(odd, [], resource.plural);
    }
  }
});

test("the status of a pod is the one word users know", () => {
  const spec = {
    containers: [{ name: "c" }, { name: "d" }],
    initContainers: [{ name: "i" }, { name: "j" }],
  };
  const running = { running: { startedAt: "2026-01-09T00:00:00Z" } };
  const cases: [string, Pod, string, string][] = [
    ["pending", { spec, status: { phase: "Pending" } }, "Pending", "0/2"],
    [
      "first init container runs",
      { spec, status: { phase: "Pending", initContainerStatuses: [container(running)] } },
      "Init:0/2",
      "0/2",
    ],
    [
      "second init container waits",
      {
        spec,
        status: {
          phase: "Pending",
          initContainerStatuses: [
            container({ terminated: { exitCode: 0 } }),
            container({ waiting: { reason: "PodInitializing" } }),
          ],
        },
      },
      "Init:1/2",
      "0/2",
    ],
    [
      "an init container crashes",
      {
        spec,
        status: { initContainerStatuses: [container({ waiting: { reason: "CrashLoopBackOff" } })] },
      },
      "Init:CrashLoopBackOff",
      "0/2",
    ],
    [
      "an init container fails",
      { spec, status: { initContainerStatuses: [container({ terminated: { exitCode: 3 } })] } },
      "Init:ExitCode:3",
      "0/2",
    ],
    [
      "containers are created",
      {
        spec,
        status: {
          phase: "Pending",
          containerStatuses: [container({ waiting: { reason: "ContainerCreating" } })],
        },
      },
      "ContainerCreating",
      "0/2",
    ],
    [
      "both run, one is ready",
      {
        spec,
        status: {
          phase: "Running",
          containerStatuses: [container(running, { ready: true }), container(running)],
        },
      },
      "Running",
      "1/2",
    ],
    [
      "killed by a signal",
      {
        spec,
        status: {
          phase: "Failed",
          containerStatuses: [container({ terminated: { exitCode: 137, signal: 9 } })],
        },
      },
      "Signal:9",
      "0/2",
    ],
    [
      "completed",
      {
        spec,
        status: {
          phase: "Succeeded",
          containerStatuses: [container({ terminated: { exitCode: 0, reason: "Completed" } })],
        },
      },
      "Completed",
      "0/2",
    ],
    [
      "one completed, one runs",
      {
        spec,
        status: {
          phase: "Running",
          conditions: [{ type: "Ready", status: "False" }],
          containerStatuses: [
            container({ terminated: { exitCode: 0, reason: "Completed" } }),
            container(running, { ready: true }),
          ],
        },
      },
      "NotReady",
      "1/2",
    ],
    [
      "deleted",
      {
        metadata: { deletionTimestamp: "2026-01-09T00:00:00Z" },
        spec,
        status: { phase: "Running", containerStatuses: [container(running, { ready: true })] },
      },
      "Terminating",
      "1/2",
    ],
    ["evicted", { spec, status: { phase: "Failed", reason: "Evicted" } }, "Evicted", "0/2"],
    [
      "gated",
      {
        spec,
        status: {
          phase: "Pending",
          conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }],
        },
      },
      "SchedulingGated",
      "0/2",
    ],
    [
      "a sidecar counts as a container",
      {
        spec: {
          containers: [{ name: "c" }],
          initContainers: [{ name: "s", restartPolicy: "Always" }],
        },
        status: {
          phase: "Running",
          conditions: [{ type: "Initialized", status: "True" }],
          initContainerStatuses: [container(running, { name: "s", started: true, ready: true })],
          containerStatuses: [container(running, { ready: true })],
        },
      },
      "Running",
      "2/2",
    ],
  ];
  for (const [name, pod, status, ready] of cases) {
    const summary = summarizePod(pod);
    assert.equal(summary.status, status, name);
    assert.equal(`${summary.ready}/${summary.total}`, ready, name);
  }
});

test("restarts tell when the last one was", () => {
  const lastState = { terminated: { exitCode: 1, finishedAt: "2026-01-09T23:55:00Z" } };
  const row = rowOf(PODS, {
    metadata: { name: "web", creationTimestamp: "2026-01-07T21:00:00Z" },
    spec: { containers: [{ name: "c" }], nodeName: "n1" },
    status: {
      phase: "Running",
      podIP: "10.0.0.1",
      containerStatuses: [container(undefined, { restartCount: 3, lastState })],
    },
  });
  assert.deepEqual(row, {
    Name: "web",
    Ready: "0/1",
    Status: "Running",
    Restarts: "3 (5m ago)",
    Age: "2d3h",
    IP: "10.0.0.1",
    Node: "n1",
    "Nominated Node": "<none>",
    "Readiness Gates": "<none>",
  });
});

test("rows carry what was asked for, and say when a pod is over", () => {
  const pod: Pod = { metadata: { name: "p" }, status: { phase: "Succeeded" } };
  const row = (includeObject?: "None" | "Object") =>
    tableFor({
      resource: PODS,
      objects: [pod],
      nowMs: NOW,
      ...(includeObject ? { includeObject } : {}),
    }).rows[0];
  assert.deepEqual(row()?.object, {
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: pod.metadata,
  });
  assert.equal(row("Object")?.object, pod);
  assert.equal(row("None")?.object, undefined);
  assert.equal(row()?.conditions?.[0]?.reason, "Succeeded");
});

test("kinds show what users look for", () => {
  const deployment = rowOf(DEPLOYMENTS, {
    metadata: { name: "web" },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "web" } },
      template: {
        spec: {
          containers: [
            { name: "a", image: "x:1" },
            { name: "b", image: "y:1" },
          ],
        },
      },
    },
    status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2 },
  });
  assert.deepEqual(Object.values(deployment), [
    "web",
    "2/3",
    3,
    2,
    "<unknown>",
    "a,b",
    "x:1,y:1",
    "app=web",
  ]);

  const service = rowOf(SERVICES, {
    metadata: { name: "web" },
    spec: {
      type: "NodePort",
      clusterIP: "10.96.0.1",
      ports: [{ port: 80, nodePort: 30080, protocol: "TCP" }],
    },
  });
  assert.equal(service["Port(s)"], "80:30080/TCP");
  assert.equal(service["External-IP"], "<none>");

  const node = rowOf(NODES, {
    metadata: { name: "n", labels: { "node-role.kubernetes.io/control-plane": "" } },
    spec: { unschedulable: true },
    status: {
      conditions: [{ type: "Ready", status: "True" }],
      addresses: [{ type: "InternalIP", address: "10.0.0.2" }],
    },
  });
  assert.equal(node.Status, "Ready,SchedulingDisabled");
  assert.equal(node.Roles, "control-plane");
  assert.equal(node["Internal-IP"], "10.0.0.2");

  const event = rowOf(EVENTS, {
    metadata: { name: "e" },
    involvedObject: { kind: "Pod", name: "web" },
    reason: "Started",
    type: "Normal",
    message: "Started container web\n",
    source: { component: "kubelet", host: "n1" },
    lastTimestamp: "2026-01-09T23:59:00Z",
    count: 2,
  });
  assert.deepEqual(
    [event["Last Seen"], event.Object, event.Message, event.Source, event.Count],
    ["60s", "pod/web", "Started container web", "kubelet, n1", 2],
  );

  const slice = rowOf(ENDPOINT_SLICES, {
    addressType: "IPv4",
    ports: [{ port: 80 }],
    endpoints: ["1", "2", "3", "4"].map((end) => ({ addresses: [`10.0.0.${end}`] })),
  });
  assert.equal(slice.Endpoints, "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...");

  const hpa = rowOf(HORIZONTAL_POD_AUTOSCALERS, {
    spec: {
      scaleTargetRef: { kind: "Deployment", name: "web" },
      maxReplicas: 5,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
        },
      ],
    },
  });
  assert.equal(hpa.Targets, "cpu: <unknown>/80%");
  assert.equal(hpa.MinPods, "<unset>");

  const job = rowOf(JOBS, {
    spec: { completions: 2, template: {} },
    status: { succeeded: 1, startTime: "2026-01-09T23:59:50Z" },
  });
  assert.deepEqual([job.Status, job.Completions, job.Duration], ["Running", "1/2", "10s"]);

  const cron = rowOf(CRON_JOBS, {
    spec: { schedule: "* * * * *", suspend: false, jobTemplate: {} },
  });
  assert.deepEqual(
    [cron.Suspend, cron["Last Schedule"], cron.Timezone],
    ["False", "<none>", "<none>"],
  );

  const claim = rowOf(PERSISTENT_VOLUME_CLAIMS, {
    spec: { volumeName: "pv", storageClassName: "local" },
    status: {
      phase: "Bound",
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteMany", "ReadWriteOnce"],
    },
  });
  assert.deepEqual([claim.Capacity, claim["Access Modes"]], ["1Gi", "RWO,RWX"]);

  const role = rowOf(ROLES, {
    metadata: { name: "r", creationTimestamp: "2026-01-01T00:00:00Z" },
    rules: [],
  });
  assert.deepEqual(role, { Name: "r", "Created At": "2026-01-01T00:00:00Z" });
});

test("a custom resource shows the columns its definition asks for", () => {
  const kind = customTable([
    { name: "Size", type: "integer", jsonPath: ".spec.size" },
    { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", priority: 1 },
  ]);
  const resource = { ...PODS, group: "example.com", plural: "things", kind: "Thing" };
  const thing = {
    metadata: { name: "t", creationTimestamp: "2026-01-09T00:00:00Z" },
    spec: { size: 3 },
    status: { conditions: [{ type: "Ready", status: "True" }] },
  };
  const table = tableFor({ resource, objects: [thing, {}], nowMs: NOW, kind });
  assert.deepEqual(
    table.rows.map(({ cells }) => cells),
    [
      ["t", 3, "True", "24h"],
      ["", null, null, null],
    ],
  );
  assert.equal(table.columnDefinitions?.at(-1)?.priority, 1);
  assert.deepEqual(
    customTable().columns.map(({ name }) => name),
    ["Name", "Age"],
  );
});

test("cells and columns are those of Kubernetes 1.32, odd as some of them are", () => {
  const metadata = { name: "a" };
  const columnsOf = (resource: Resource) =>
    tableFor({ resource, objects: [], nowMs: NOW }).columnDefinitions?.map(({ name }) => name);
  assert.deepEqual(columnsOf(RESOURCE_QUOTAS), ["Name", "Age", "Request", "Limit"]);
  assert.deepEqual(columnsOf(CSI_STORAGE_CAPACITIES), ["Name", "Created At"]);
  const annotations = { "kubernetes.io/ingress.class": "old" };
  assert.equal(rowOf(INGRESSES, { metadata: { annotations }, spec: {} })["Class"], "<none>");
  const involvedObject = { name: "n" };
  assert.equal(rowOf(EVENTS, { metadata, involvedObject })["Object"], "/n");
  const drivers = { metadata, spec: { tokenRequests: [{ audience: "" }] } };
  assert.equal(rowOf(CSI_DRIVERS, drivers)["TokenRequests"], "");
  const conditions = [{ type: "SuccessCriteriaMet", status: "True" }];
  assert.equal(rowOf(JOBS, { metadata, status: { conditions } })["Status"], "Running");
  const matchExpressions = [
    { key: "c", operator: "DoesNotExist" },
    { key: "a", operator: "In", values: ["d", "b"] },
  ];
  const selector = { matchLabels: { b: "c" }, matchExpressions };
  const deployment = { metadata, spec: { selector, template: {} } };
  assert.equal(rowOf(DEPLOYMENTS, deployment)["Selector"], "a in (b,d),b=c,!c");
  const paramRef = { selector, parameterNotFoundAction: "Allow" };
  assert.equal(
    rowOf(VALIDATING_ADMISSION_POLICY_BINDINGS, { metadata, spec: { paramRef } })["ParamRef"],
    "&LabelSelector{MatchLabels:map[string]string{b: c,},MatchExpressions:[]" +
      "LabelSelectorRequirement{LabelSelectorRequirement{Key:c,Operator:DoesNotExist,Values:[],}," +
      "LabelSelectorRequirement{Key:a,Operator:In,Values:[d b],},},}",
  );
  const target = { type: "AverageValue", averageValue: "100m" };
  const pods = { type: "Pods", pods: { metric: { name: "m" }, target } };
  const autoscaler = {
    metadata,
    spec: { metrics: [pods], maxReplicas: 1, scaleTargetRef: { kind: "A", name: "a" } },
  };
  assert.equal(rowOf(HORIZONTAL_POD_AUTOSCALERS, autoscaler)["Targets"], "<unknown>/100m");
});
