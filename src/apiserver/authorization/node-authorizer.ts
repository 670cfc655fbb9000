import { NODE_RULES } from "../bootstrap/node-rules.ts";
import type { AccessRequest, Authorizer, ObjectReader } from "../contract.ts";
import { nodeNameOf } from "./node-identity.ts";
import { createNodeRelations, type NodeRelations, type NodeTarget } from "./node-relations.ts";
import { compileRule, ruleAllows } from "./rule-matcher.ts";

const READ_VERBS = ["get", "list", "watch"];
const LEASE_NAMESPACE = "kube-node-lease";
const OWN_VERBS = ["get", "create", "update", "patch", "delete"];

type Verdict = ReturnType<Authorizer["authorize"]>;
/** Decides on one kind, for the node of this name. */
type Judge = (request: AccessRequest, node: string) => Verdict;
type Relation = (of: NodeTarget) => boolean;

const ALLOWED: Verdict = { allowed: true, reason: "" };

function refuse(reason: string): Verdict {
  return { allowed: false, reason };
}

function allowIf(allowed: boolean, reason: string): Verdict {
  return allowed ? ALLOWED : refuse(reason);
}

/**
 * Lets a node reach only its own Node, Lease and CSINode and what its own pods need: these, their
 * Secrets, ConfigMaps, claims and tokens. Everything else is as in the rules of `system:node`. That
 * it may write only what is its own is left to the admission plugin NodeRestriction, which sees the
 * objects. Upstream: `AuthorizeNodeWithSelectors`, in force since 1.32. Beyond that, a node may watch
 * the claims and volumes that it may get, and change the finalizers of its local volumes.
 */
export function createNodeAuthorizer(reader: ObjectReader): Authorizer {
  const rules = NODE_RULES.map(compileRule);
  const judges = judgesOf(createNodeRelations(reader));
  return {
    authorize: (request) => {
      const node = nodeNameOf(request.user);
      if (node === undefined) return refuse("");
      const judge = judges[`${request.group ?? ""}/${request.resource ?? ""}`];
      if (judge) return judge(request, node);
      return allowIf(
        rules.some((rule) => ruleAllows(rule, request)),
        "",
      );
    },
  };
}

function judgesOf(relations: NodeRelations): Readonly<Record<string, Judge>> {
  return {
    "/nodes": judgeNode,
    "/pods": judgePod(relations.pod),
    "/secrets": judgeConfiguration(relations.secret),
    "/configmaps": judgeConfiguration(relations.configMap),
    "/persistentvolumeclaims": judgeClaim(relations.claim),
    "/persistentvolumes": judgeVolume(relations),
    "/serviceaccounts": judgeToken(relations.serviceAccount),
    "coordination.k8s.io/leases": judgeLease,
    "storage.k8s.io/csinodes": judgeCsiNode,
    "storage.k8s.io/volumeattachments": (request, node) =>
      judgeGet(request, node, relations.attachment),
    "resource.k8s.io/resourceclaims": (request, node) =>
      judgeGet(request, node, relations.resourceClaim),
    "resource.k8s.io/resourceslices": judgeSlice,
  };
}

function judgeRelation(request: AccessRequest, node: string, isRelated: Relation): Verdict {
  const { namespace = "", name } = request;
  if (!name) return refuse("No Object name found");
  const reason = `no relationship found between node '${node}' and this object`;
  return allowIf(isRelated({ node, namespace, name }), reason);
}

function judgeGet(request: AccessRequest, node: string, isRelated: Relation): Verdict {
  if (request.verb !== "get") return refuse("can only get individual resources of this type");
  if (request.subresource) return refuse("cannot get subresource");
  return judgeRelation(request, node, isRelated);
}

/** Secrets and ConfigMaps may be watched, one by one. */
function judgeConfiguration(isRelated: Relation): Judge {
  return (request, node) => {
    if (!READ_VERBS.includes(request.verb)) return refuse("can only read resources of this type");
    if (request.subresource) return refuse("cannot read subresource");
    if (!request.namespace) return refuse("can only read namespaced object of this type");
    return judgeRelation(request, node, isRelated);
  };
}

function judgeClaim(isRelated: Relation): Judge {
  return (request, node) => {
    if (request.subresource === "status") {
      if (request.verb === "update" || request.verb === "patch") {
        return judgeRelation(request, node, isRelated);
      }
      return refuse("can only get/update/patch this type");
    }
    return judgeGet(singleRead(request), node, isRelated);
  };
}

function judgeVolume({ volume, localVolume }: NodeRelations): Judge {
  const isRelated: Relation = (of) => volume(of) || localVolume(of);
  return (request, node) => {
    // Admission lets it change only whether its data keeps the volume.
    if (request.verb === "patch" && !request.subresource) {
      return judgeRelation(request, node, localVolume);
    }
    return judgeGet(singleRead(request), node, isRelated);
  };
}

/** A list or a watch of one object tells no more than getting it does. */
function singleRead(request: AccessRequest): AccessRequest {
  const isRead = READ_VERBS.includes(request.verb) && request.name;
  return isRead ? { ...request, verb: "get" } : request;
}

/** By name and not by what exists: a node asks for its Node before it makes it. */
function judgeNode({ verb, subresource, name }: AccessRequest, node: string): Verdict {
  if (subresource) {
    return allowIf(subresource === "status" && (verb === "update" || verb === "patch"), "");
  }
  if (!READ_VERBS.includes(verb)) return allowIf(["create", "update", "patch"].includes(verb), "");
  if (name === node) return ALLOWED;
  return refuse(
    name
      ? `node '${node}' cannot read '${name}', only its own Node object`
      : `node '${node}' cannot read all nodes, only its own Node object`,
  );
}

const POD_WRITES = new Set([
  "create pods",
  "delete pods",
  "update pods/status",
  "patch pods/status",
  "create pods/eviction",
]);

function judgePod(isRelated: Relation): Judge {
  return (request, node) => {
    const { verb, subresource, name } = request;
    if (subresource || !READ_VERBS.includes(verb)) {
      return allowIf(POD_WRITES.has(`${verb} pods${subresource ? `/${subresource}` : ""}`), "");
    }
    if (verb !== "get" && selects(request, "spec.nodeName", node)) return ALLOWED;
    if (verb === "get" || name) return judgeRelation(request, node, isRelated);
    return refuse("can only list/watch pods with spec.nodeName field selector");
  };
}

function judgeToken(isRelated: Relation): Judge {
  return (request, node) => {
    if (request.verb !== "create" || !request.name) {
      return refuse("can only create tokens for individual service accounts");
    }
    if (request.subresource !== "token") {
      return refuse("can only create token subresource of serviceaccount");
    }
    return judgeRelation(request, node, isRelated);
  };
}

function judgeLease({ verb, namespace, name }: AccessRequest, node: string): Verdict {
  if (!OWN_VERBS.includes(verb)) {
    return refuse("can only get, create, update, patch, or delete a node lease");
  }
  if (namespace !== LEASE_NAMESPACE) {
    return refuse(`can only access leases in the "${LEASE_NAMESPACE}" system namespace`);
  }
  const reason = "can only access node lease with the same name as the requesting node";
  return allowIf(verb === "create" || name === node, reason);
}

function judgeCsiNode({ verb, subresource, name }: AccessRequest, node: string): Verdict {
  if (!OWN_VERBS.includes(verb)) {
    return refuse("can only get, create, update, patch, or delete a CSINode");
  }
  if (subresource) return refuse("cannot authorize CSINode subresources");
  const reason = "can only access CSINode with the same name as the requesting node";
  return allowIf(verb === "create" || name === node, reason);
}

/** None is stored, so that none can belong to a node; drivers ask whether they may. */
function judgeSlice(request: AccessRequest, node: string): Verdict {
  if (request.subresource) return refuse("cannot authorize ResourceSlice subresources");
  if (request.verb === "create") return ALLOWED;
  if (["get", "update", "patch", "delete"].includes(request.verb)) {
    return judgeRelation(request, node, () => false);
  }
  const reason = "can only list/watch/deletecollection resourceslices with nodeName field selector";
  return allowIf(selects(request, "nodeName", node), reason);
}

/** Whether the request's field selector says that a field has this value. */
function selects({ fieldSelector = "" }: AccessRequest, field: string, value: string): boolean {
  const terms = fieldSelector.split(",");
  return terms.includes(`${field}=${value}`) || terms.includes(`${field}==${value}`);
}
