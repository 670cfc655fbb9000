import type { PolicyRule } from "../../api/generated/types/rbac-v1.ts";
import { NODE_RULES } from "./node-rules.ts";
import { EVENTS_RULE, reads, rule, visits } from "./rule-shorthand.ts";

const HEALTH_PATHS = ["/healthz", "/livez", "/readyz"];
const VERSION_PATHS = ["/version", "/version/"];
const DISCOVERY_PATHS = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"];
const DELEGATION: readonly PolicyRule[] = [
  rule("create", "authentication.k8s.io", "tokenreviews"),
  rule("create", "authorization.k8s.io", "subjectaccessreviews"),
];

function leaderElection(lease: string): PolicyRule[] {
  return [
    rule("create", "coordination.k8s.io", "leases"),
    { ...rule("get update", "coordination.k8s.io", "leases"), resourceNames: [lease] },
  ];
}

/** May approve requests for one of the built-in signers. */
function approverOf(signer: string): [string, PolicyRule[]] {
  const rules = [
    {
      ...rule("approve", "certificates.k8s.io", "signers"),
      resourceNames: [`kubernetes.io/${signer}`],
    },
  ];
  return [`system:certificates.k8s.io:${signer}-approver`, rules];
}

const SIGNERS = [
  "kube-apiserver-client",
  "kube-apiserver-client-kubelet",
  "kubelet-serving",
  "legacy-unknown",
];

/** Rules of the ClusterRoles that components use, by name. */
export const COMPONENT_ROLES: Readonly<Record<string, readonly PolicyRule[]>> = {
  "system:auth-delegator": DELEGATION,
  "system:basic-user": [
    rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
    rule("create", "authentication.k8s.io", "selfsubjectreviews"),
  ],
  "system:discovery": [visits("get", ...HEALTH_PATHS, ...VERSION_PATHS, ...DISCOVERY_PATHS)],
  "system:public-info-viewer": [visits("get", ...HEALTH_PATHS, ...VERSION_PATHS)],
  "system:monitoring": [
    visits(
      "get",
      "/metrics",
      "/metrics/slis",
      ...HEALTH_PATHS.flatMap((path) => [path, `${path}/*`]),
    ),
  ],
  "system:service-account-issuer-discovery": [
    visits(
      "get",
      "/.well-known/openid-configuration",
      "/.well-known/openid-configuration/",
      "/openid/v1/jwks",
      "/openid/v1/jwks/",
    ),
  ],
  "system:kube-aggregator": [reads("core", "endpoints services")],
  "system:kube-dns": [rule("list watch", "core", "endpoints services")],
  "system:kubelet-api-admin": [
    reads("core", "nodes"),
    rule("proxy", "core", "nodes"),
    rule("*", "core", "nodes/log nodes/metrics nodes/proxy nodes/stats"),
  ],
  "system:node": NODE_RULES,
  "system:node-bootstrapper": [
    rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),
  ],
  "system:node-problem-detector": [
    rule("get", "core", "nodes"),
    rule("patch", "core", "nodes/status"),
    EVENTS_RULE,
  ],
  "system:node-proxier": [
    rule("list watch", "core", "endpoints services"),
    reads("core", "nodes"),
    rule("list watch", "discovery.k8s.io", "endpointslices"),
    EVENTS_RULE,
  ],
  "system:persistent-volume-provisioner": [
    rule("create delete get list watch", "core", "persistentvolumes"),
    rule("get list update watch", "core", "persistentvolumeclaims"),
    reads("storage.k8s.io", "storageclasses"),
    rule("watch", "core", "events"),
    EVENTS_RULE,
  ],
  "system:volume-scheduler": [
    rule("get list patch update watch", "core", "persistentvolumes"),
    rule("get list patch update watch", "core", "persistentvolumeclaims"),
    reads("storage.k8s.io", "storageclasses"),
  ],
  "system:kube-scheduler": [
    EVENTS_RULE,
    ...leaderElection("kube-scheduler"),
    reads(
      "core",
      "namespaces nodes persistentvolumeclaims persistentvolumes replicationcontrollers services",
    ),
    rule("delete get list watch", "core", "pods"),
    rule("create", "core", "bindings pods/binding"),
    rule("patch update", "core", "pods/status"),
    reads("apps", "replicasets statefulsets"),
    reads("policy", "poddisruptionbudgets"),
    reads(
      "storage.k8s.io",
      "csidrivers csinodes csistoragecapacities storageclasses volumeattachments",
    ),
    reads("scheduling.k8s.io", "priorityclasses"),
    ...DELEGATION,
  ],
  "system:kube-controller-manager": [
    EVENTS_RULE,
    ...leaderElection("kube-controller-manager"),
    rule("create delete get update", "core", "secrets serviceaccounts"),
    rule("create get update", "core", "endpoints"),
    rule("get", "core", "configmaps namespaces"),
    rule("list watch", "*", "*"),
    rule("create", "core", "serviceaccounts/token"),
    ...DELEGATION,
  ],
  ...Object.fromEntries(SIGNERS.map(approverOf)),
  "system:certificates.k8s.io:certificatesigningrequests:nodeclient": [
    rule("create", "certificates.k8s.io", "certificatesigningrequests/nodeclient"),
  ],
  "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient": [
    rule("create", "certificates.k8s.io", "certificatesigningrequests/selfnodeclient"),
  ],
};

/** Roles of kube-system, by name. */
export const SYSTEM_NAMESPACE_ROLES: Readonly<Record<string, readonly PolicyRule[]>> = {
  "extension-apiserver-authentication-reader": [
    {
      ...reads("core", "configmaps"),
      resourceNames: ["extension-apiserver-authentication"],
    },
  ],
};
