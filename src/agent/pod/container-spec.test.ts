import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  Container,
  Pod,
  PodSecurityContext,
  Service,
} from "../../api/generated/types/core-v1.ts";
import type { ImageConfig } from "../image/contract.ts";
import { containerSecurity } from "./container-security.ts";
import { containerSpec } from "./container-spec.ts";
import { type EnvironmentSources, podEnvironment } from "./environment.ts";
import { expandVariables } from "./expansion.ts";
import { hostsFile, podHostname, resolvConf } from "./pod-dns.ts";
import { containerResources, podResources, qosClassOf } from "./pod-resources.ts";

const rules = { cpuQuota: { enforced: true, periodUs: 100_000 }, podPidsMax: undefined };
const GIB = 2 ** 30;

function podWith(more: Partial<Container> = {}, spec: Partial<Pod["spec"]> = {}): Pod {
  return {
    metadata: {
      name: "web",
      namespace: "shop",
      uid: "u1",
      labels: { app: "web" },
    },
    spec: { nodeName: "node-1", ...spec, containers: [{ name: "app", image: "app:1", ...more }] },
  };
}

const containerOf = (pod: Pod): Container => pod.spec?.containers[0] ?? { name: "" };

const SOURCES: EnvironmentSources = {
  configMap: (name) => (name === "settings" ? { color: "blue", size: "1" } : undefined),
  secret: (name) => (name === "login" ? { password: "hush" } : undefined),
  services: [],
  facts: { podIp: "10.1.0.2", hostIp: "192.0.2.1", allocatable: { cpu: "2", memory: "4Gi" } },
};

function environmentOf(more: Partial<Container>, sources = SOURCES, spec = {}) {
  const pod = podWith(more, spec);
  return Object.fromEntries(podEnvironment(pod, { container: containerOf(pod), sources }));
}

test("references in commands are expanded, doubled and unknown ones are kept", () => {
  const expand = (text: string) => expandVariables(text, (name) => ({ A: "1", E: "" })[name]);
  assert.equal(expand("$(A)$(E)-$(B)-$$(A)-$A-$"), "1-$(B)-$(A)-$A-$");
});

test("variables come from imports, then from the pod, and may refer to earlier ones", () => {
  const result = environmentOf({
    envFrom: [{ prefix: "C_", configMapRef: { name: "settings" } }],
    env: [
      { name: "BASE", value: "b" },
      { name: "URL", value: "http://$(BASE)/$(C_color)/$(LATER)" },
      { name: "LATER", value: "l" },
      { name: "C_size", value: "2" },
    ],
  });
  assert.deepEqual(result, {
    C_color: "blue",
    C_size: "2",
    BASE: "b",
    URL: "http://b/blue/$(LATER)",
    LATER: "l",
  });
});

test("variables name keys, fields and resources", () => {
  const from = (valueFrom: object) => environmentOf({ env: [{ name: "X", valueFrom }] })["X"];
  assert.equal(from({ secretKeyRef: { name: "login", key: "password" } }), "hush");
  assert.equal(from({ configMapKeyRef: { name: "settings", key: "color" } }), "blue");
  assert.equal(from({ configMapKeyRef: { name: "none", key: "x", optional: true } }), undefined);
  assert.equal(from({ fieldRef: { fieldPath: "metadata.labels['app']" } }), "web");
  assert.equal(from({ fieldRef: { fieldPath: "spec.nodeName" } }), "node-1");
  assert.equal(from({ resourceFieldRef: { resource: "limits.cpu" } }), "2");
  const memory = { resource: "limits.memory", divisor: "1Mi" };
  assert.equal(from({ resourceFieldRef: memory }), "4096");
});

test("a missing object or key says which", () => {
  const from = (valueFrom: object) => () => environmentOf({ env: [{ name: "X", valueFrom }] });
  assert.throws(from({ secretKeyRef: { name: "none", key: "x" } }), /^.*secret "none" not found$/);
  const key = from({ configMapKeyRef: { name: "settings", key: "x" } });
  assert.throws(key, /couldn't find key x in ConfigMap shop\/settings/);
});

test("services of the namespace and the API server are announced", () => {
  const service = (name: string, namespace: string, ip: string): Service => ({
    metadata: { name, namespace },
    spec: {
      clusterIP: ip,
      ports: [
        { name: "http", port: 80 },
        { port: 53, protocol: "UDP" },
      ],
    },
  });
  const services = [
    service("my-db", "shop", "10.96.0.7"),
    service("kubernetes", "default", "10.96.0.1"),
    service("none", "shop", "None"),
  ];
  const sources = { ...SOURCES, services };
  const linked = environmentOf({}, sources);
  assert.equal(linked["KUBERNETES_SERVICE_HOST"], "10.96.0.1");
  assert.equal(linked["MY_DB_SERVICE_PORT_HTTP"], "80");
  assert.equal(linked["MY_DB_PORT"], "tcp://10.96.0.7:80");
  assert.equal(linked["MY_DB_PORT_53_UDP_PROTO"], "udp");
  assert.equal(linked["NONE_SERVICE_HOST"], undefined);
  const alone = environmentOf({}, sources, { enableServiceLinks: false });
  assert.equal(alone["MY_DB_SERVICE_HOST"], undefined);
  assert.equal(alone["KUBERNETES_SERVICE_PORT"], "80");
});

function specOf(more: Partial<Container>, config: ImageConfig = {}) {
  const pod = podWith(more);
  const container = containerOf(pod);
  return containerSpec(pod, {
    container,
    id: "c1",
    attempt: 0,
    image: { id: "sha256:abc", references: [], sizeBytes: 0, config, layerPaths: [] },
    environment: podEnvironment(pod, { container, sources: SOURCES }),
    hostname: "web",
    volumes: new Map([["data", { hostPath: "/v/data", readOnly: false }]]),
    subPath: (_, index) => `/sub/${index}`,
    files: { hosts: "/p/hosts", resolvConf: "/p/resolv.conf", hostname: "/p/hostname" },
    terminationMessageFile: "/p/message",
    logPath: "/l/0.log",
    nodeMemoryBytes: 4 * GIB,
    allocatable: {},
    rules,
    cpus: undefined,
    seccompDirectory: "/seccomp",
  });
}

const commands: [string, Partial<Container>, string[]][] = [
  ["the image's own", {}, ["/entry", "serve"]],
  ["arguments", { args: ["-v"] }, ["/entry", "-v"]],
  ["a command", { command: ["sh"] }, ["sh"]],
  [
    "both",
    { command: ["sh"], args: ["-c", "$(X)"], env: [{ name: "X", value: "ls" }] },
    ["sh", "-c", "ls"],
  ],
];
for (const [name, more, expected] of commands) {
  test(`the command is made of ${name}`, () => {
    assert.deepEqual(
      specOf(more, { entrypoint: ["/entry"], command: ["serve"] }).command,
      expected,
    );
  });
}

test("a container without any command is refused", () => {
  assert.throws(() => specOf({}), /no command specified/);
});

test("mounts come outermost first, and the pod's own files give way to the user's", () => {
  const { mounts } = specOf({
    command: ["x"],
    volumeMounts: [
      { name: "data", mountPath: "/a/b/c", subPath: "s" },
      { name: "data", mountPath: "/etc/hosts", readOnly: true },
      { name: "data", mountPath: "/a" },
    ],
  });
  assert.deepEqual(
    mounts.map(({ hostPath, containerPath }) => `${hostPath} ${containerPath}`),
    [
      "/v/data /a",
      "/v/data /etc/hosts",
      "/p/resolv.conf /etc/resolv.conf",
      "/p/hostname /etc/hostname",
      "/p/message /dev/termination-log",
      "/sub/0 /a/b/c",
    ],
  );
});

test("the pod's variables replace the image's", () => {
  const { environment } = specOf(
    { command: ["x"], env: [{ name: "A", value: "pod" }] },
    { environment: ["A=image", "PATH=/bin"] },
  );
  assert.deepEqual(environment, ["PATH=/bin", "HOSTNAME=web", "A=pod"]);
});

test("limits become kernel units, and QoS decides who dies first", () => {
  const resources = {
    requests: { cpu: "250m", memory: "1Gi" },
    limits: { cpu: "500m", memory: "2Gi" },
  };
  const pod = podWith({ resources });
  assert.equal(qosClassOf(pod), "Burstable");
  const container = containerOf(pod);
  assert.deepEqual(containerResources(pod, { container, nodeMemoryBytes: 4 * GIB, rules }), {
    cpuShares: 256,
    cpuQuotaUs: 50_000,
    cpuPeriodUs: 100_000,
    memoryLimitBytes: 2 * GIB,
    oomScoreAdj: 750,
  });
  const { limits } = resources;
  assert.equal(qosClassOf(podWith({ resources: { limits } })), "Guaranteed");
  assert.equal(qosClassOf(podWith()), "BestEffort");
  assert.deepEqual(podResources(podWith(), rules), { cpuShares: 2 });
});

test("a pod needs what its containers need together, or its largest init container", () => {
  const of = (cpu: string) => ({ resources: { limits: { cpu, memory: "1Gi" } } });
  const pod = podWith(of("1"), { initContainers: [{ name: "init", ...of("3") }] });
  const { cpuQuotaUs, memoryLimitBytes } = podResources(pod, rules);
  assert.equal(cpuQuotaUs, 300_000);
  assert.equal(memoryLimitBytes, GIB);
});

test("the container's security context wins over the pod's, both over the image", () => {
  const security = (
    securityContext: Container["securityContext"],
    inherited: PodSecurityContext = {},
  ) => {
    const pod = podWith(securityContext ? { securityContext } : {}, { securityContext: inherited });
    const image = { user: "app" };
    const container = containerOf(pod);
    return containerSecurity(pod, { container, image, seccompDirectory: "/seccomp" });
  };
  assert.equal(security(undefined).user, "app");
  assert.equal(security(undefined).seccomp, "runtime-default");
  assert.equal(security({}, { runAsUser: 5 }).user, "5");
  assert.equal(security({ runAsUser: 0 }, { runAsUser: 5 }).user, "0");
  assert.deepEqual(
    security({}, { fsGroup: 7, supplementalGroups: [8] }).supplementalGroups,
    [8, 7],
  );
  const asked = {
    image: { user: "app" },
    seccompDirectory: "/seccomp",
    volumeGroups: [777, 8, 777],
  };
  const member = podWith({}, { securityContext: { supplementalGroups: [8] } });
  const inVolumes = containerSecurity(member, { ...asked, container: containerOf(member) });
  assert.deepEqual(inVolumes.supplementalGroups, [8, 777]);
  assert.equal(security({ privileged: true }).seccomp, "unconfined");
  assert.equal(security({ privileged: true }).allowPrivilegeEscalation, true);
  const localhost = { type: "Localhost", localhostProfile: "../../etc/x.json" } as const;
  assert.equal(security({ seccompProfile: localhost }).seccomp, "/seccomp/etc/x.json");
  const profile = { type: "Localhost", localhostProfile: "strict" } as const;
  assert.equal(security({}, { appArmorProfile: profile }).appArmorProfile, "strict");
  const unconfined = { type: "Unconfined" } as const;
  const both = security({ appArmorProfile: unconfined }, { appArmorProfile: profile });
  assert.equal(both.appArmorProfile, "unconfined");
  assert.equal(security({}).selinuxLabel, undefined);
  const label = security({ seLinuxOptions: { level: "s0:c1,c2" } }).selinuxLabel;
  assert.equal(label, "system_u:system_r:container_t:s0:c1,c2");
});

const DNS = {
  clusterDnsIp: "10.96.0.10",
  clusterDomain: "cluster.local",
  nodeResolvConf: "nameserver 192.0.2.53\nsearch example.com\n",
};

test("resolv.conf follows the pod's policy", () => {
  assert.equal(
    resolvConf(podWith(), DNS),
    "search shop.svc.cluster.local svc.cluster.local cluster.local example.com\n" +
      "nameserver 10.96.0.10\noptions ndots:5\n",
  );
  const own = "search example.com\nnameserver 192.0.2.53\n";
  assert.equal(resolvConf(podWith({}, { dnsPolicy: "Default" }), DNS), own);
  assert.equal(resolvConf(podWith({}, { hostNetwork: true }), DNS), own);
  const dnsConfig = {
    nameservers: ["192.0.2.1"],
    searches: ["a.example"],
    options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
  };
  assert.equal(
    resolvConf(podWith({}, { dnsPolicy: "None", dnsConfig }), DNS),
    "search a.example\nnameserver 192.0.2.1\noptions ndots:2 edns0\n",
  );
});

test("hostnames are cut, qualified or the node's", () => {
  const name = (spec: Partial<Pod["spec"]>) =>
    podHostname(podWith({}, spec), { clusterDomain: "cluster.local", nodeHostname: "node-1" });
  assert.deepEqual(name({}), { hostname: "web" });
  const fqdn = "h.s.shop.svc.cluster.local";
  assert.deepEqual(name({ hostname: "h", subdomain: "s" }), { hostname: "h", fqdn });
  const full = name({ hostname: "h", subdomain: "s", setHostnameAsFQDN: true });
  assert.equal(full.hostname, fqdn);
  assert.equal(name({ hostNetwork: true }).hostname, "node-1");
  assert.equal(name({ hostname: `${"x".repeat(62)}-y` }).hostname, "x".repeat(62));
});

test("the hosts file knows the pod and its aliases", () => {
  const hostAliases = [{ ip: "192.0.2.9", hostnames: ["a", "b"] }];
  const options = { podIp: "10.1.0.2", names: { hostname: "web" }, nodeHosts: "" };
  const text = hostsFile(podWith({}, { hostAliases }), options);
  assert.match(text, /^# Kubernetes-managed hosts file\.\n/);
  assert.match(text, /\n10\.1\.0\.2\tweb\n/);
  assert.match(text, /\n# Entries added by HostAliases\.\n192\.0\.2\.9\ta\tb\n$/);
});

/** Memory that a container asks for, the sidecar's own request, and its score. */
const SIDECAR_SCORES: readonly [string, string, string | undefined, number][] = [
  ["a sidecar without a request goes no earlier than what it serves", "1Gi", undefined, 750],
  ["a sidecar with less goes no earlier either", "1Gi", "512Mi", 750],
  ["a sidecar with more stays longer", "1Gi", "2Gi", 500],
  ["all asks for the whole node", "4Gi", "4Gi", 3],
];

for (const [name, main, sidecar, wanted] of SIDECAR_SCORES) {
  test(`who dies first: ${name}`, () => {
    const asking = (memory?: string) => ({ ...(memory && { requests: { memory } }) });
    const container: Container = {
      name: "proxy",
      restartPolicy: "Always",
      resources: asking(sidecar),
    };
    const pod = podWith({ resources: asking(main) }, { initContainers: [container] });
    const options = { container, nodeMemoryBytes: 4 * GIB, rules };
    assert.equal(containerResources(pod, options).oomScoreAdj, wanted);
  });
}

test("a container without huge pages of its own gets none, where the node has some", () => {
  const pod = podWith({ resources: { limits: { "hugepages-1Gi": "1Gi" } } });
  const allocatable = { "hugepages-2Mi": "8Mi", "hugepages-1Gi": "2Gi", "hugepages-64Ki": "0" };
  const options = { container: containerOf(pod), nodeMemoryBytes: GIB, rules, allocatable };
  const { hugePages } = containerResources(pod, options);
  assert.deepEqual(hugePages, { "2MB": 0, "1GB": GIB });
});

test("a request of no CPU at all is one, whatever the limit is", () => {
  const pod = podWith({ resources: { requests: { cpu: "0" }, limits: { cpu: "1" } } });
  const options = { container: containerOf(pod), nodeMemoryBytes: GIB, rules };
  assert.equal(containerResources(pod, options).cpuShares, 2);
});

test("what resolvers would not take is left out, and told", () => {
  const told: string[] = [];
  const many = Array.from({ length: 33 }, (_, at) => `s${at}.example`);
  const dnsConfig = { nameservers: ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"], searches: many };
  const none = podWith({}, { dnsPolicy: "None", dnsConfig });
  const text = resolvConf(none, DNS, (message) => told.push(message));
  assert.deepEqual(text.match(/[\d.]+$/gm), ["1.1.1.1", "2.2.2.2", "3.3.3.3"]);
  assert.deepEqual(told, [
    "Nameserver limits were exceeded, some nameservers have been omitted, " +
      "the applied nameserver line is: 1.1.1.1 2.2.2.2 3.3.3.3",
    "Search Line limits were exceeded, some search paths have been omitted, " +
      `the applied search line is: ${many.slice(0, 32).join(" ")}`,
  ]);
  const searches = ["x".repeat(254), ...Array.from({ length: 9 }, () => "y".repeat(250))];
  const long = podWith({}, { dnsPolicy: "None", dnsConfig: { searches: [...searches] } });
  assert.match(resolvConf(long, DNS), /^search y{250}\n$/m);
});

test("of the node's own file, a domain is no search path, and the last option counts", () => {
  const nodeResolvConf =
    "domain d.example\nsearch a.example. . b.example\noptions ndots:1 a ndots:3";
  const pod = podWith({}, { dnsPolicy: "Default" });
  assert.equal(
    resolvConf(pod, { ...DNS, nodeResolvConf }),
    "search a.example b.example\noptions ndots:3 a\n",
  );
});

test("a pod's whole name is told to the kernel if it fits, and stands in its hosts file", () => {
  const spec = { hostname: "h", subdomain: "sub", setHostnameAsFQDN: true };
  const names = (more: object) =>
    podHostname(podWith({}, { ...spec, ...more }), { clusterDomain: "c.local", nodeHostname: "n" });
  const whole = names({});
  assert.equal(whole.hostname, "h.sub.shop.svc.c.local");
  const text = hostsFile(podWith(), { podIp: "10.1.0.2", names: whole, nodeHosts: "" });
  assert.match(text, /^10\.1\.0\.2\th\.sub\.shop\.svc\.c\.local\th$/m);
  const hostname = "h".repeat(60);
  assert.throws(
    () => names({ hostname }),
    /FQDN h+\.sub\.shop\.svc\.c\.local is too long \(64 characters is the max, 81 characters/,
  );
});

/** What the pod and the image say of the user, and what is wrong with it. */
const ROOTS: readonly [number | undefined, string | undefined, string | undefined][] = [
  [1000, "root", undefined],
  [0, "1000", "container's runAsUser breaks non-root policy"],
  [undefined, "1000:0", undefined],
  [undefined, "0:1000", "container has runAsNonRoot and image will run as root"],
  [undefined, undefined, "container has runAsNonRoot and image will run as root"],
  [
    undefined,
    "web:web",
    "container has runAsNonRoot and image has non-numeric user (web), " +
      "cannot verify user is non-root",
  ],
];

for (const [runAsUser, user, wanted] of ROOTS) {
  test(`a container that must not be root, as ${runAsUser} of an image of ${user}`, () => {
    const security = { runAsNonRoot: true, ...(runAsUser === undefined ? {} : { runAsUser }) };
    const make = () =>
      specOf({ securityContext: security }, { command: ["x"], ...(user && { user }) });
    if (!wanted) assert.ok(make());
    else assert.throws(make, { message: `${wanted} (pod: "web_shop(u1)", container: app)` });
  });
}

test("a pod has the huge pages of its containers together, or of its busiest init container", () => {
  const of = (name: string, pages: string) => {
    return { name, resources: { limits: { "hugepages-2Mi": pages, cpu: "1" } } };
  };
  const spec = {
    initContainers: [of("i", "16Mi"), { ...of("s", "4Mi"), restartPolicy: "Always" as const }],
    containers: [of("a", "2Mi"), of("b", "6Mi"), { name: "c" }],
  };
  const rules = { cpuQuota: { enforced: true, periodUs: 100_000 }, podPidsMax: undefined };
  const pagesOf = (more: object = {}) =>
    podResources({ spec: { ...spec, ...more } }, rules).hugePages;
  assert.deepEqual(pagesOf(), { "2MB": 16 << 20 });
  assert.deepEqual(pagesOf({ initContainers: [] }), { "2MB": 8 << 20 });
  assert.equal(pagesOf({ initContainers: [], containers: [{ name: "c" }] }), undefined);
});
