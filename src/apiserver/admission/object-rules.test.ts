import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import {
  CERTIFICATE_SIGNING_REQUESTS,
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  CONFIG_MAPS,
  INGRESS_CLASSES,
  INGRESSES,
  NAMESPACES,
  PERSISTENT_VOLUME_CLAIMS,
  ROLE_BINDINGS,
  ROLES,
  STORAGE_CLASSES,
} from "../../api/generated/resources.ts";
import type { CertificateSigningRequestSpec } from "../../api/generated/types/certificates-v1.ts";
import type { PolicyRule } from "../../api/generated/types/rbac-v1.ts";
import { createAuthorizer } from "../authorization/authorization.ts";
import { memoryReader } from "../authorization/memory-reader.ts";
import type { AccessRequest } from "../contract.ts";
import { admit, fixtureRequest } from "./admission-fixture.ts";
import {
  certificateApprovalPlugin,
  certificateSigningPlugin,
  certificateSubjectRestrictionPlugin,
} from "./certificate-approval.ts";
import { defaultIngressClassPlugin } from "./default-ingress-class.ts";
import { defaultStorageClassPlugin } from "./default-storage-class.ts";
import { namespaceLifecyclePlugin } from "./namespace-lifecycle.ts";
import { persistentVolumeClaimResizePlugin } from "./persistent-volume-claim-resize.ts";
import { rbacEscalationPlugin } from "./rbac-escalation.ts";
import { storageObjectInUseProtectionPlugin } from "./storage-object-in-use-protection.ts";

const RBAC = "rbac.authorization.k8s.io";

test("NamespaceLifecycle: objects need a namespace that stays", async () => {
  const reader = memoryReader();
  const plugin = namespaceLifecyclePlugin(reader);
  const create = () => admit(plugin, fixtureRequest(CONFIG_MAPS, { metadata: { name: "c" } }));
  await assert.rejects(create(), { code: 404, message: 'namespaces "a" not found' });
  reader.put(NAMESPACES, { metadata: { name: "a" } });
  await create();
  reader.put(NAMESPACES, { metadata: { name: "a" }, status: { phase: "Terminating" } });
  await assert.rejects(create(), (error: { message: string; status: object }) => {
    assert.equal(
      error.message,
      'configmaps "c" is forbidden: unable to create new content in namespace a because it is being terminated',
    );
    assert.match(JSON.stringify(error.status), /"reason":"NamespaceTerminating"/);
    return true;
  });
  const update = fixtureRequest(CONFIG_MAPS, { metadata: { name: "c" } }, { operation: "UPDATE" });
  await admit(plugin, update);
});

test("NamespaceLifecycle: the cluster's own namespaces stay", async () => {
  const plugin = namespaceLifecyclePlugin(memoryReader());
  const remove = (name: string) =>
    admit(plugin, fixtureRequest(NAMESPACES, { metadata: { name } }, { operation: "DELETE" }));
  for (const name of ["default", "kube-system", "kube-public"]) {
    await assert.rejects(remove(name), { message: /this namespace may not be deleted/ });
  }
  await remove("mine");
});

function claim(spec: object, status: object = {}) {
  return { metadata: { name: "data" }, spec, status };
}

test("DefaultStorageClass and DefaultIngressClass: the newest default fills a gap only", async () => {
  const reader = memoryReader();
  for (const [name, year] of [
    ["old", 2020],
    ["new", 2024],
  ] as const) {
    const metadata = (domain: string) => ({
      name,
      creationTimestamp: `${year}-01-01T00:00:00Z`,
      annotations: { [`${domain}/is-default-class`]: "true" },
    });
    reader.put(STORAGE_CLASSES, {
      metadata: metadata("storageclass.kubernetes.io"),
      provisioner: "p",
    });
    reader.put(INGRESS_CLASSES, { metadata: metadata("ingressclass.kubernetes.io") });
  }
  const classOf = async (spec: { storageClassName?: string }) => {
    const data = claim({ ...spec });
    await admit(defaultStorageClassPlugin(reader), fixtureRequest(PERSISTENT_VOLUME_CLAIMS, data));
    return (data.spec as { storageClassName?: string }).storageClassName;
  };
  assert.equal(await classOf({}), "new");
  assert.equal(await classOf({ storageClassName: "" }), "");
  const ingress = { metadata: { name: "i" }, spec: {} as { ingressClassName?: string } };
  await admit(defaultIngressClassPlugin(reader), fixtureRequest(INGRESSES, ingress));
  assert.equal(ingress.spec.ingressClassName, "new");
});

test("StorageObjectInUseProtection: one finalizer", async () => {
  const data: { metadata: { name: string; finalizers?: string[] } } = { metadata: { name: "d" } };
  const request = fixtureRequest(PERSISTENT_VOLUME_CLAIMS, data);
  await admit(storageObjectInUseProtectionPlugin(), request);
  await admit(storageObjectInUseProtectionPlugin(), request);
  assert.deepEqual(data.metadata.finalizers, ["kubernetes.io/pvc-protection"]);
});

test("PersistentVolumeClaimResize: growing needs a class that can", async () => {
  const reader = memoryReader();
  reader.put(STORAGE_CLASSES, {
    metadata: { name: "fast" },
    provisioner: "p",
    allowVolumeExpansion: true,
  });
  reader.put(STORAGE_CLASSES, { metadata: { name: "fixed" }, provisioner: "p" });
  const plugin = persistentVolumeClaimResizePlugin(reader);
  const resize = (storageClassName: string, storage: string, phase = "Bound") => {
    const of = (size: string) =>
      claim({ storageClassName, resources: { requests: { storage: size } } }, { phase });
    const more = { operation: "UPDATE", old: of("1Gi") } as const;
    return admit(plugin, fixtureRequest<object>(PERSISTENT_VOLUME_CLAIMS, of(storage), more));
  };
  await resize("fast", "2Gi");
  await resize("fixed", "1024Mi");
  await assert.rejects(resize("fixed", "2Gi"), { code: 403 });
  await assert.rejects(resize("fast", "2Gi", "Pending"), { message: /Only bound/ });
});

const POD_READER: PolicyRule = { verbs: ["get"], apiGroups: [""], resources: ["pods"] };
const SECRET_READER: PolicyRule = { verbs: ["get"], apiGroups: [""], resources: ["secrets"] };

function rbacCluster(...rules: PolicyRule[]) {
  const reader = memoryReader();
  reader.put(CLUSTER_ROLES, { metadata: { name: "held" }, rules });
  reader.put(CLUSTER_ROLES, { metadata: { name: "secrets" }, rules: [SECRET_READER] });
  reader.put(CLUSTER_ROLE_BINDINGS, {
    metadata: { name: "held" },
    subjects: [{ kind: "User", name: "jane" }],
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "held" },
  });
  return rbacEscalationPlugin(createAuthorizer(reader));
}

const role = (rules: PolicyRule[]) => ({ metadata: { name: "r", namespace: "a" }, rules });
const bind = (kind: string, name: string) => ({
  metadata: { name: "b", namespace: "a" },
  subjects: [{ kind: "User", name: "jane" }],
  roleRef: { apiGroup: RBAC, kind, name },
});

test("RBACEscalation: nobody grants what they do not hold", async () => {
  const plugin = rbacCluster(POD_READER);
  await admit(plugin, fixtureRequest(ROLES, role([POD_READER])));
  await assert.rejects(admit(plugin, fixtureRequest(ROLES, role([SECRET_READER]))), {
    code: 403,
    message:
      'roles.rbac.authorization.k8s.io "r" is forbidden: user "jane" (groups=[]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
  });
  await assert.rejects(
    admit(plugin, fixtureRequest(ROLE_BINDINGS, bind("ClusterRole", "secrets"))),
    {
      code: 403,
    },
  );
  await assert.rejects(admit(plugin, fixtureRequest(ROLE_BINDINGS, bind("Role", "x"))), {
    code: 404,
  });
  await admit(plugin, fixtureRequest(ROLE_BINDINGS, bind("ClusterRole", "held")));
});

test("RBACEscalation: escalate and bind lift it, and an unchanged role passes", async () => {
  const escalating = rbacCluster({ verbs: ["escalate"], apiGroups: [RBAC], resources: ["roles"] });
  await admit(escalating, fixtureRequest(ROLES, role([SECRET_READER])));
  const binding = rbacCluster({
    verbs: ["bind"],
    apiGroups: [RBAC],
    resources: ["clusterroles"],
    resourceNames: ["secrets"],
  });
  await admit(binding, fixtureRequest(ROLE_BINDINGS, bind("ClusterRole", "secrets")));
  await assert.rejects(
    admit(binding, fixtureRequest(ROLE_BINDINGS, bind("ClusterRole", "held"))).then(() =>
      admit(binding, fixtureRequest(ROLES, role([SECRET_READER]))),
    ),
  );
  const old = role([SECRET_READER]);
  const labelled = { ...old, metadata: { ...old.metadata, labels: { x: "y" } } };
  const update = fixtureRequest(ROLES, labelled, { operation: "UPDATE", old });
  await admit(rbacCluster(), update);
});

test("RBACEscalation: aggregation needs everything, and system:masters has it", async () => {
  const aggregated = { metadata: { name: "r" }, aggregationRule: { clusterRoleSelectors: [] } };
  await assert.rejects(admit(rbacCluster(POD_READER), fixtureRequest(CLUSTER_ROLES, aggregated)), {
    code: 403,
  });
  const user = { name: "root", groups: ["system:masters"] };
  await admit(rbacCluster(), fixtureRequest(CLUSTER_ROLES, aggregated, { user }));
});

test("certificate plugins ask for approve and sign per signer", async () => {
  const asked: AccessRequest[] = [];
  const only = (verb: string) => ({
    authorize: (request: AccessRequest) => {
      asked.push(request);
      return { allowed: request.verb === verb && request.name === "acme.com/*", reason: "" };
    },
  });
  const csr = (certificate?: string) => ({
    metadata: { name: "c" },
    spec: { request: "", signerName: "acme.com/web", usages: [] },
    status: certificate ? { certificate } : {},
  });
  const update = (subresource: string) =>
    fixtureRequest(CERTIFICATE_SIGNING_REQUESTS, csr("x") as object, {
      operation: "UPDATE",
      subresource,
      old: csr(),
    });
  await admit(certificateApprovalPlugin(only("approve")), update("approval"));
  await assert.rejects(admit(certificateApprovalPlugin(only("sign")), update("approval")), {
    message: /user not permitted to approve requests with signerName "acme.com\/web"/,
  });
  await admit(certificateSigningPlugin(only("sign")), update("status"));
  await assert.rejects(admit(certificateSigningPlugin(only("approve")), update("status")));
  assert.ok(asked.every(({ resource }) => resource === "signers"));
});

test("a request for a certificate without a request is for its rules to refuse", async () => {
  const signerName = "kubernetes.io/kube-apiserver-client";
  for (const spec of [undefined, { signerName }] as unknown as CertificateSigningRequestSpec[]) {
    const request = fixtureRequest(CERTIFICATE_SIGNING_REQUESTS, { metadata: { name: "c" }, spec });
    await admit(certificateSubjectRestrictionPlugin(), request);
  }
});

test("nobody asks for a client certificate of system:masters", async () => {
  const requestFor = (subject: string) => {
    const pem = execFileSync(
      "openssl",
      [
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "/dev/null",
        "-subj",
        subject,
      ],
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    const spec: CertificateSigningRequestSpec = {
      request: pem.toString("base64"),
      signerName: "kubernetes.io/kube-apiserver-client",
      usages: ["client auth"],
    };
    return fixtureRequest(CERTIFICATE_SIGNING_REQUESTS, {
      metadata: { name: "c" },
      spec,
    });
  };
  const plugin = certificateSubjectRestrictionPlugin();
  await admit(plugin, requestFor("/O=dev/CN=jane"));
  await assert.rejects(admit(plugin, requestFor("/O=dev/O=system:masters/CN=jane")), {
    message: /with system:masters group is not allowed/,
  });
});
