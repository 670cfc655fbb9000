import { forbidden } from "../../api/errors.ts";
import { PODS } from "../../api/generated/resources.ts";
import type { Node, PersistentVolume, Pod } from "../../api/generated/types/core-v1.ts";
import { nodeNameOf } from "../authorization/node-identity.ts";
import { podReferences } from "../../api/pod-references.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "../contract.ts";
import { isMirrorPod } from "./admitted-pod.ts";
import { forbiddenLabelChanges } from "./node-labels.ts";

/** A refusal, or nothing. */
type Check = (request: AdmissionRequest, node: string) => string | undefined;

const quote = JSON.stringify;
const LOCAL_FINALIZER = "nephos.dev/local-volume";

function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left ?? null) === JSON.stringify(right ?? null);
}

function createPod(request: AdmissionRequest, node: string): string | undefined {
  const pod = request.object as unknown as Pod;
  if (!isMirrorPod(pod)) {
    return `pod does not have "kubernetes.io/config.mirror" annotation, node ${quote(node)} can only create mirror pods`;
  }
  if (pod.spec?.nodeName !== node) {
    return `node ${quote(node)} can only create pods with spec.nodeName set to itself`;
  }
  const owners = pod.metadata?.ownerReferences ?? [];
  const [owner] = owners;
  if (owners.length > 1 || (owner && (owner.kind !== "Node" || owner.name !== node))) {
    return `node ${quote(node)} can only create pods with an owner reference set to itself`;
  }
  if (owner && (owner.controller !== true || owner.blockOwnerDeletion)) {
    return `node ${quote(node)} must set controller=true and blockOwnerDeletion=false on owner references`;
  }
  if (pod.spec.serviceAccountName) {
    return `node ${quote(node)} can not create pods that reference a service account`;
  }
  const { secrets, configMaps, claims } = podReferences(pod);
  if (secrets.size > 0) return `node ${quote(node)} can not create pods that reference secrets`;
  if (configMaps.size > 0) {
    return `node ${quote(node)} can not create pods that reference configmaps`;
  }
  if (claims.size > 0) {
    return `node ${quote(node)} can not create pods that reference persistentvolumeclaims`;
  }
  if (pod.spec.resourceClaims?.length) {
    return `node ${quote(node)} can not create pods that reference resourceclaims`;
  }
  return undefined;
}

function updatePodStatus(request: AdmissionRequest, node: string): string | undefined {
  const old = request.oldObject as unknown as Pod;
  const next = request.object as unknown as Pod;
  if (old.spec?.nodeName !== node) {
    return `node ${quote(node)} can only update pod status for pods with spec.nodeName set to itself`;
  }
  if (!same(old.metadata?.labels, next.metadata?.labels)) {
    return `node ${quote(node)} cannot update labels through pod status`;
  }
  if (!same(old.status?.resourceClaimStatuses, next.status?.resourceClaimStatuses)) {
    return `node ${quote(node)} cannot update resource claim statuses`;
  }
  return undefined;
}

function writeNode(request: AdmissionRequest, node: string): string | undefined {
  const next = request.object as unknown as Node | undefined;
  const old = request.oldObject as unknown as Node | undefined;
  const name = request.name || (next?.metadata?.name ?? "");
  if (name !== node) return `node ${quote(node)} is not allowed to modify node ${quote(name)}`;
  if (request.operation === "DELETE" || !next) return undefined;
  if (old && !same(old.spec?.taints, next.spec?.taints)) {
    return `node ${quote(node)} is not allowed to modify taints`;
  }
  if (!same(old?.metadata?.ownerReferences ?? [], next.metadata?.ownerReferences ?? [])) {
    return `node ${quote(node)} is not allowed to modify ownerReferences`;
  }
  const labels = forbiddenLabelChanges(old?.metadata?.labels ?? {}, next.metadata?.labels ?? {});
  if (labels.length === 0) return undefined;
  const verb = old ? "modify" : "set";
  return `is not allowed to ${verb} the following labels: ${labels.join(", ")}`;
}

/** Its finalizer says that the node may hold data of the volume. */
function updateVolume(request: AdmissionRequest, node: string): string | undefined {
  const old = request.oldObject as PersistentVolume;
  const next = request.object as PersistentVolume;
  const others = (volume: PersistentVolume) =>
    (volume.metadata?.finalizers ?? []).filter((name) => name !== LOCAL_FINALIZER);
  const { labels, annotations, ownerReferences } = old.metadata ?? {};
  const unchanged =
    same(old.spec, next.spec) &&
    same(old.status, next.status) &&
    same(others(old), others(next)) &&
    same(labels, next.metadata?.labels) &&
    same(annotations, next.metadata?.annotations) &&
    same(ownerReferences, next.metadata?.ownerReferences);
  if (unchanged) return undefined;
  return `node ${quote(node)} can only change the finalizer ${quote(LOCAL_FINALIZER)} of volumes`;
}

function writeOwn(kind: string, namespace?: string): Check {
  return (request, node) => {
    if (namespace !== undefined && request.namespace !== namespace) {
      return `can only access ${kind} in the ${quote(namespace)} system namespace`;
    }
    const object = request.object as { metadata?: { name?: string } } | undefined;
    const name = request.name || (object?.metadata?.name ?? "");
    return name === node
      ? undefined
      : `can only access node ${kind} with the same name as the requesting node`;
  };
}

/** What a node writes is about itself and its own pods. */
export function nodeRestrictionPlugin(reader: ObjectReader): AdmissionPlugin {
  const ownPod =
    (what: string): Check =>
    ({ namespace = "", name }, node) => {
      const pod = reader.get(PODS, { namespace, name });
      // A pod that is gone already needs no protection.
      if (!pod || pod.spec?.nodeName === node) return undefined;
      return `node ${quote(node)} can only ${what} pods with spec.nodeName set to itself`;
    };

  const token: Check = ({ namespace = "", name, object }, node) => {
    const { spec } = object as {
      spec?: { boundObjectRef?: { kind: string; name: string; uid?: string } };
    };
    const bound = spec?.boundObjectRef;
    if (bound?.kind !== "Pod" || !bound.uid) {
      return `node requested token not bound to a pod with a UID`;
    }
    const pod = reader.get(PODS, { namespace, name: bound.name });
    if (pod?.metadata?.uid !== bound.uid || pod.spec?.nodeName !== node) {
      return "node requested token bound to a pod scheduled on a different node";
    }
    return (pod.spec.serviceAccountName ?? "default") === name
      ? undefined
      : "node requested token for another service account than the pod's";
  };

  const checks: Readonly<Record<string, Check>> = {
    "UPDATE persistentvolumes": updateVolume,
    "CREATE pods": createPod,
    "DELETE pods": ownPod("delete"),
    "UPDATE pods": (_request, node) => `node ${quote(node)} can not update pods`,
    "UPDATE pods/status": updatePodStatus,
    "CREATE pods/eviction": ownPod("evict"),
    "CREATE nodes": writeNode,
    "UPDATE nodes": writeNode,
    "UPDATE nodes/status": writeNode,
    "DELETE nodes": writeNode,
    "CREATE serviceaccounts/token": token,
    "CREATE leases.coordination.k8s.io": writeOwn("leases", "kube-node-lease"),
    "UPDATE leases.coordination.k8s.io": writeOwn("leases", "kube-node-lease"),
    "DELETE leases.coordination.k8s.io": writeOwn("leases", "kube-node-lease"),
    "CREATE csinodes.storage.k8s.io": writeOwn("csinodes"),
    "UPDATE csinodes.storage.k8s.io": writeOwn("csinodes"),
    "DELETE csinodes.storage.k8s.io": writeOwn("csinodes"),
  };
  const checkOf = ({ operation, resource, subresource }: AdmissionRequest): Check | undefined => {
    const qualified = resource.group ? `${resource.plural}.${resource.group}` : resource.plural;
    return checks[`${operation} ${subresource ? `${qualified}/${subresource}` : qualified}`];
  };

  return {
    name: "NodeRestriction",
    handles: (request) => nodeNameOf(request.user) !== undefined && checkOf(request) !== undefined,
    validate: (request) => {
      const node = nodeNameOf(request.user) ?? "";
      const why = checkOf(request)?.(request, node);
      if (why !== undefined) throw forbidden(request.resource, request.name, why);
    },
  };
}
