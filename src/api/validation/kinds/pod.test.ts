import { test } from "node:test";
import { PODS } from "../../generated/resources.ts";
import { checkRuleCases, type RuleCase } from "../rule-cases.ts";

const POD = {
  spec: {
    containers: [{ name: "web", image: "nginx", ports: [{ containerPort: 80, protocol: "TCP" }] }],
    restartPolicy: "Always",
    dnsPolicy: "ClusterFirst",
    terminationGracePeriodSeconds: 30,
    serviceAccountName: "default",
  },
};
const C = "spec.containers[0]";
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must " +
  "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for " +
  "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const PORT = "must be between 1 and 65535, inclusive";
const NOT_NEGATIVE = "must be greater than or equal to 0";

const CONTAINERS: RuleCase[] = [
  [{ "spec.containers": [] }, "spec.containers: Required value"],
  [{ [`${C}.image`]: "" }, `${C}.image: Required value`],
  [
    { [`${C}.image`]: " nginx" },
    `${C}.image: Invalid value: " nginx": must not have leading or trailing whitespace`,
  ],
  [{ [`${C}.name`]: "" }, `${C}.name: Required value`],
  [{ [`${C}.name`]: "Web" }, `${C}.name: Invalid value: "Web": ${LABEL}`],
  [{ [`${C}.name`]: "a.b" }, `${C}.name: Invalid value: "a.b": must not contain dots`],
  [
    { "spec.containers[1]": { name: "web", image: "x" } },
    'spec.containers[1].name: Duplicate value: "web"',
  ],
  [
    { "spec.initContainers": [{ name: "web", image: "x" }] },
    'spec.initContainers[0].name: Duplicate value: "web"',
  ],
  [
    { [`${C}.imagePullPolicy`]: "Sometimes" },
    `${C}.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"`,
  ],
  [
    { [`${C}.terminationMessagePolicy`]: "Log" },
    `${C}.terminationMessagePolicy: Unsupported value: "Log": supported values: "File", "FallbackToLogsOnError"`,
  ],
  [
    { [`${C}.ports[0].containerPort`]: 70_000 },
    `${C}.ports[0].containerPort: Invalid value: 70000: ${PORT}`,
  ],
  [{ [`${C}.ports[0].containerPort`]: 0 }, `${C}.ports[0].containerPort: Required value`],
  [{ [`${C}.ports[0].hostPort`]: -1 }, `${C}.ports[0].hostPort: Invalid value: -1: ${PORT}`],
  [
    { [`${C}.ports[0].protocol`]: "ICMP" },
    `${C}.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"`,
  ],
  [
    { [`${C}.ports[0].name`]: "a--b" },
    `${C}.ports[0].name: Invalid value: "a--b": must not contain consecutive hyphens`,
  ],
  [
    {
      [`${C}.ports[0].hostPort`]: 80,
      [`${C}.ports[1]`]: { containerPort: 81, hostPort: 80, protocol: "TCP" },
    },
    `${C}.ports[1].hostPort: Duplicate value: "TCP//80"`,
  ],
  [
    { "spec.hostNetwork": true },
    `${C}.ports[0].hostPort: Invalid value: 0: must match \`containerPort\` when \`hostNetwork\` is true`,
  ],
  [
    { [`${C}.restartPolicy`]: "Always" },
    `${C}.restartPolicy: Forbidden: may not be set for non-init containers`,
  ],
  [
    { "spec.initContainers": [{ name: "a", image: "x", lifecycle: {} }] },
    "spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always",
  ],
  [{ "spec.initContainers": [{ name: "a", image: "x", restartPolicy: "Always", lifecycle: {} }] }],
  [
    { "spec.ephemeralContainers": [{ name: "debug", image: "x" }] },
    "spec.ephemeralContainers: Forbidden: cannot be set on create",
  ],
  [
    { [`${C}.resizePolicy`]: [{ resourceName: "disk", restartPolicy: "NotRequired" }] },
    `${C}.resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"`,
  ],
];

const ENVIRONMENT: RuleCase[] = [
  [{ [`${C}.env`]: [{ name: "", value: "x" }] }, `${C}.env[0].name: Required value`],
  [
    { [`${C}.env`]: [{ name: "A=B" }] },
    `${C}.env[0].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than '='`,
  ],
  [
    { [`${C}.env`]: [{ name: "A", valueFrom: {} }] },
    `${C}.env[0].valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\` or \`secretKeyRef\``,
  ],
  [
    { [`${C}.env`]: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.x" } } }] },
    `${C}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.x": error converting fieldPath: field label not supported: spec.x`,
  ],
  [
    { [`${C}.env`]: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "status.phase" } } }] },
    `${C}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: ` +
      '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", ' +
      '"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
  ],
  [
    { [`${C}.env`]: [{ name: "A", valueFrom: { resourceFieldRef: { resource: "limits.gpu" } } }] },
    `${C}.env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: ` +
      '"limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
  ],
  [
    {
      [`${C}.env`]: [
        { name: "A", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "2" } } },
      ],
    },
    `${C}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
  ],
  [
    { [`${C}.envFrom`]: [{}] },
    `${C}.envFrom: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``,
  ],
  [
    { [`${C}.envFrom`]: [{ secretRef: { name: "" } }] },
    `${C}.envFrom[0].secretRef.name: Required value`,
  ],
];

const PROBES: RuleCase[] = [
  [
    { [`${C}.livenessProbe`]: {} },
    `${C}.livenessProbe: Required value: must specify a handler type`,
  ],
  [
    { [`${C}.livenessProbe`]: { exec: { command: ["x"] }, tcpSocket: { port: 1 } } },
    `${C}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`,
  ],
  [
    { [`${C}.startupProbe`]: { tcpSocket: { port: 1 }, successThreshold: 2 } },
    `${C}.startupProbe.successThreshold: Invalid value: 2: must be 1`,
  ],
  [
    { [`${C}.readinessProbe`]: { tcpSocket: { port: 1 }, terminationGracePeriodSeconds: 5 } },
    `${C}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes`,
  ],
  [
    { [`${C}.livenessProbe`]: { grpc: { port: 0 }, periodSeconds: -1 } },
    `${C}.livenessProbe.grpc.port: Invalid value: 0: ${PORT}`,
    `${C}.livenessProbe.periodSeconds: Invalid value: -1: ${NOT_NEGATIVE}`,
  ],
  [
    {
      [`${C}.livenessProbe`]: { httpGet: { path: "/", port: 80, httpHeaders: [{ name: "a b" }] } },
    },
    `${C}.livenessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`,
  ],
  [
    { [`${C}.lifecycle`]: { preStop: { sleep: { seconds: 60 } } } },
    `${C}.lifecycle.preStop.sleep: Invalid value: 60: must be greater than 0 and less than terminationGracePeriodSeconds (30). Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.`,
  ],
];

const RESOURCES: RuleCase[] = [
  [
    { [`${C}.resources`]: { requests: { cpu: "2" }, limits: { cpu: "1" } } },
    `${C}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`,
  ],
  [
    { [`${C}.resources`]: { limits: { cpu: "-1" } } },
    `${C}.resources.limits[cpu]: Invalid value: "-1": ${NOT_NEGATIVE}`,
  ],
  [
    { [`${C}.resources`]: { limits: { disk: "1" } } },
    `${C}.resources.limits[disk]: Invalid value: "disk": must be a standard resource type or fully qualified`,
    `${C}.resources.limits[disk]: Invalid value: "disk": must be a standard resource for containers`,
  ],
  [
    { [`${C}.resources`]: { limits: { pods: "1" } } },
    `${C}.resources.limits[pods]: Invalid value: "pods": must be a standard resource for containers`,
  ],
  [
    { [`${C}.resources`]: { requests: { "example.com/gpu": "1" } } },
    `${C}.resources.limits: Required value: Limit must be set for non overcommitable resources`,
  ],
  [
    { [`${C}.resources`]: { limits: { "example.com/gpu": "1500m" } } },
    `${C}.resources.limits[example.com/gpu]: Invalid value: "1500m": must be an integer`,
  ],
  [
    { [`${C}.resources`]: { limits: { "hugepages-2Mi": "4Mi" } } },
    `${C}.resources: Forbidden: HugePages require cpu or memory`,
  ],
  [
    { [`${C}.resources`]: { limits: { "hugepages-2Mi": "3Mi", cpu: "1" } } },
    `${C}.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
  ],
];

const VOLUMES: RuleCase[] = [
  [
    { [`${C}.volumeMounts`]: [{ name: "x", mountPath: "/x" }] },
    `${C}.volumeMounts[0].name: Not found: "x"`,
  ],
  [
    { "spec.volumes": [{ name: "v" }] },
    "spec.volumes[0]: Required value: must specify a volume type",
  ],
  [
    { "spec.volumes": [{ name: "v", hostPath: { path: "/x" }, emptyDir: {} }] },
    "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
  ],
  [
    {
      "spec.volumes": [
        { name: "v", emptyDir: {} },
        { name: "v", emptyDir: {} },
      ],
    },
    'spec.volumes[1].name: Duplicate value: "v"',
  ],
  [
    { "spec.volumes": [{ name: "v", hostPath: { path: "a/..", type: "Hole" } }] },
    "spec.volumes[0].hostPath.path: Invalid value: \"a/..\": must not contain '..'",
    'spec.volumes[0].hostPath.type: Unsupported value: "Hole": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
  ],
  [
    { "spec.volumes": [{ name: "v", configMap: { name: "c", defaultMode: 512 } }] },
    "spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive",
  ],
  [
    {
      "spec.volumes": [
        { name: "v", secret: { secretName: "s", items: [{ key: "k", path: "/a" }] } },
      ],
    },
    'spec.volumes[0].secret.items[0].path: Invalid value: "/a": must be a relative path',
  ],
  [
    { "spec.volumes": [{ name: "v", nfs: { server: "s", path: "a" } }] },
    'spec.volumes[0].nfs.path: Invalid value: "a": must be an absolute path',
  ],
  [
    { "spec.volumes": [{ name: "v", iscsi: { targetPortal: "p", iqn: "x", lun: 300 } }] },
    'spec.volumes[0].iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa',
    "spec.volumes[0].iscsi.lun: Invalid value: 300: must be between 0 and 255, inclusive",
  ],
  [
    { "spec.volumes": [{ name: "v", downwardAPI: { items: [{ path: "a" }] } }] },
    "spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
  ],
  [
    {
      "spec.volumes": [
        {
          name: "v",
          projected: {
            sources: [
              { secret: { name: "a", items: [{ key: "k", path: "p" }] } },
              { configMap: { name: "b", items: [{ key: "k", path: "p" }] } },
            ],
          },
        },
      ],
    },
    'spec.volumes[0].projected: Invalid value: "b": conflicting duplicate paths',
  ],
  [
    {
      "spec.volumes": [
        {
          name: "v",
          projected: { sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 9 } }] },
        },
      ],
    },
    "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 9: may not specify a duration less than 10 minutes",
  ],
  [
    { "spec.volumes": [{ name: "v", ephemeral: { volumeClaimTemplate: { spec: {} } } }] },
    "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required",
    "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value",
  ],
  [
    {
      "spec.volumes": [{ name: "v", emptyDir: {} }],
      [`${C}.volumeMounts`]: [{ name: "v", mountPath: "/v", mountPropagation: "Bidirectional" }],
    },
    `${C}.volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers`,
  ],
  [
    {
      "spec.volumes": [{ name: "v", emptyDir: {} }],
      [`${C}.volumeDevices`]: [{ name: "v", devicePath: "/dev/x" }],
    },
    `${C}.volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode`,
  ],
];

const SECURITY: RuleCase[] = [
  [
    { [`${C}.securityContext`]: { privileged: true, allowPrivilegeEscalation: false } },
    `${C}.securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
  ],
  [
    { [`${C}.securityContext.runAsUser`]: -1 },
    `${C}.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive`,
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
      [`${C}.ports`]: [],
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
];

const PLACEMENT: RuleCase[] = [
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

test("rules of new pods", () => {
  for (const create of [CONTAINERS, ENVIRONMENT, PROBES, RESOURCES, VOLUMES, SECURITY, PLACEMENT]) {
    checkRuleCases(PODS, { base: POD, create });
  }
});

const UPDATES =
  "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`," +
  "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions " +
  "to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was " +
  "previously negative)\nchanged: ";

test("of a pod that exists only a few fields may change", () => {
  const base = {
    spec: {
      ...POD.spec,
      activeDeadlineSeconds: 10,
      tolerations: [{ key: "a", operator: "Exists" }],
    },
  };
  checkRuleCases(PODS, {
    base,
    update: [
      [{ [`${C}.image`]: "nginx:2" }],
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
      [{ [`${C}.command`]: ["x"] }, `${UPDATES}containers`],
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
          'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]: may specify no more than one IP for each IP family',
        ],
        [
          { "status.qosClass": "Guaranteed" },
          'status.qosClass: Invalid value: "Guaranteed": field is immutable',
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
          { [`${C}.resources`]: { limits: { memory: "1Gi" } } },
          'spec: Invalid value: "": Pod QOS Class may not change as a result of resizing',
          `${C}.resources.limits[memory]: Forbidden: memory limits cannot be added unless resizePolicy is RestartContainer`,
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
    ...POD.spec,
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
        'spec.nodeSelector: Invalid value: {"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      ],
      [
        { [`${REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].key`]: "x" },
        `${REQUIRED}[0]: Invalid value: {"matchExpressions":[{"key":"x","operator":"Exists"}]}: only additions are allowed (no mutations or deletions)`,
      ],
    ],
  });
});
