import { isAlreadyExists, isNotFound } from "../api/errors.ts";
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  CONFIG_MAPS,
  ENDPOINT_SLICES,
  CSI_DRIVERS,
  ENDPOINTS,
  INGRESS_CLASSES,
  SERVICES,
  STORAGE_CLASSES,
} from "../api/generated/resources.ts";
import type { Resource } from "../api/resource.ts";
import { INGRESS_CONTROLLER } from "../api/ingress-class.ts";
import type { Client } from "../client/client.ts";
import { LOCAL_PROVISIONER } from "../controllers/persistent-volume/contract.ts";

/** Addresses that the cluster's own Services stand for. */
export interface ClusterAddresses {
  /** ClusterIP of `default/kubernetes`. */
  apiServerIp: string;
  /** Where the API server really listens for pods. */
  endpoint: { ip: string; port: number };
  dnsIp: string;
  /** How outsiders find the cluster: `kube-public/cluster-info`. */
  clusterInfo: { server: string; caPem: string };
  /** Whether the proxies serve Ingresses. */
  servesIngress: boolean;
}

/** User name of the certificate with which `nephos proxy` reads Services, Ingresses and their keys. */
export const PROXY_USER = "system:nephos-proxy";

const READ = ["get", "list", "watch"];
const EVENT_VERBS = ["create", "patch"];
const PROXY_RULES = [
  { apiGroups: [""], resources: ["services", "namespaces"], verbs: READ },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: READ },
];
/** What it needs beside that to serve Ingresses. RBAC cannot say "Secrets with keys only". */
const INGRESS_RULES = [
  { apiGroups: [""], resources: ["secrets"], verbs: READ },
  { apiGroups: ["networking.k8s.io"], resources: ["ingresses", "ingressclasses"], verbs: READ },
  { apiGroups: [""], resources: ["events"], verbs: EVENT_VERBS },
];

interface Named {
  metadata?: { name?: string; namespace?: string };
}

/** Creates what every cluster has and nobody else creates; present objects stay as they are. */
export async function ensureClusterObjects(
  client: Client,
  addresses: ClusterAddresses,
): Promise<void> {
  const rules = addresses.servesIngress ? [...PROXY_RULES, ...INGRESS_RULES] : PROXY_RULES;
  await replace(client, CLUSTER_ROLES, { metadata: { name: PROXY_USER }, rules });
  await ensure(client, CLUSTER_ROLE_BINDINGS, {
    metadata: { name: PROXY_USER },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: PROXY_USER },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: PROXY_USER }],
  });
  await ensureApiService(client, addresses);
  await ensureLocalStorage(client);
  await replace(client, CONFIG_MAPS, {
    metadata: { name: "cluster-info", namespace: "kube-public" },
    data: { kubeconfig: clusterInfoOf(addresses.clusterInfo) },
  });
  await ensure(client, SERVICES, {
    metadata: {
      name: "kube-dns",
      namespace: "kube-system",
      labels: {
        "k8s-app": "kube-dns",
        "kubernetes.io/cluster-service": "true",
        "kubernetes.io/name": "CoreDNS",
      },
      annotations: { "nephos.dev/served-by": "nephos proxy of each node" },
    },
    spec: {
      clusterIP: addresses.dnsIp,
      ports: [
        { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
        { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
      ],
    },
  });
}

/** Ingresses that name no class are served by the proxies of the nodes. */
export async function ensureIngressClass(client: Client): Promise<void> {
  await ensure(client, INGRESS_CLASSES, {
    metadata: {
      name: "nephos",
      annotations: { "ingressclass.kubernetes.io/is-default-class": "true" },
    },
    spec: { controller: INGRESS_CONTROLLER },
  });
}

/** Directories on the nodes' own disks: the default for claims that name no class. */
async function ensureLocalStorage(client: Client): Promise<void> {
  await ensure(client, CSI_DRIVERS, {
    metadata: { name: LOCAL_PROVISIONER },
    spec: { attachRequired: false, fsGroupPolicy: "File", volumeLifecycleModes: ["Persistent"] },
  });
  await ensure(client, STORAGE_CLASSES, {
    metadata: {
      name: "nephos-local",
      annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
    },
    provisioner: LOCAL_PROVISIONER,
    volumeBindingMode: "WaitForFirstConsumer",
    allowVolumeExpansion: true,
    reclaimPolicy: "Delete",
  });
}

/** A kubeconfig without user; JSON is YAML. */
function clusterInfoOf({ server, caPem }: { server: string; caPem: string }): string {
  const authority = Buffer.from(caPem).toString("base64");
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "", cluster: { server, "certificate-authority-data": authority } }],
    contexts: [],
    users: [],
    preferences: {},
    "current-context": "",
  });
}

/** Makes the Service `kubernetes` exist; without an endpoint, as no pod can reach it, it has none. */
export async function ensureApiService(
  client: Client,
  addresses: { apiServerIp: string; endpoint?: { ip: string; port: number } },
): Promise<void> {
  const metadata = { name: "kubernetes", namespace: "default" };
  const labels = { component: "apiserver", provider: "kubernetes" };
  const { ip, port } = addresses.endpoint ?? { ip: undefined, port: 6443 };
  await ensure(client, SERVICES, {
    metadata: { ...metadata, labels },
    spec: {
      clusterIP: addresses.apiServerIp,
      ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: port }],
    },
  });
  if (ip === undefined) return;
  const ports = [{ name: "https", port, protocol: "TCP" as const }];
  await replace(client, ENDPOINTS, {
    metadata: { ...metadata, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: [{ addresses: [{ ip }], ports }],
  });
  await replace(client, ENDPOINT_SLICES, {
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": "kubernetes" } },
    addressType: "IPv4",
    endpoints: [{ addresses: [ip], conditions: { ready: true } }],
    ports,
  });
}

/** Looks first: a Service that exists is refused for its address, not for its name. */
async function ensure<T extends Named>(
  client: Client,
  resource: Resource<T>,
  object: T,
): Promise<void> {
  const { name = "", namespace } = object.metadata ?? {};
  try {
    await client.for(resource).get({ name, namespace });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await client.for(resource).create(withType(resource, object));
  }
}

/** Like `ensure`, but an object of an earlier start is made to say what is true now. */
async function replace<T extends Named>(
  client: Client,
  resource: Resource<T>,
  object: T,
): Promise<void> {
  try {
    await client.for(resource).create(withType(resource, object));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const { name = "", namespace } = object.metadata ?? {};
    await client.for(resource).patch({ name, namespace }, object);
  }
}

function withType<T>(resource: Resource<T>, object: T): T {
  const apiVersion = resource.group ? `${resource.group}/${resource.version}` : resource.version;
  return { apiVersion, kind: resource.kind, ...object };
}
