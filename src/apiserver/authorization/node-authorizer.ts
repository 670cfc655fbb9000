import {
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
} from "../../api/generated/resources.ts";
import type { PersistentVolume, Pod } from "../../api/generated/types/core-v1.ts";
import { NODE_RULES } from "../bootstrap/node-rules.ts";
import type { AccessRequest, Authorizer, ObjectReader } from "../contract.ts";
import { nodeNameOf } from "./node-identity.ts";
import { podReferences } from "../../api/pod-references.ts";
import { compileRule, ruleAllows } from "./rule-matcher.ts";

const READ_VERBS = new Set(["get", "list", "watch"]);
const OWN_PODS = /(?:^|,)spec\.nodeName==?([^,]+)/;
const LEASE_NAMESPACE = "kube-node-lease";

type Verdict = ReturnType<Authorizer["authorize"]>;
const ALLOWED: Verdict = { allowed: true, reason: "" };

function refuse(reason: string): Verdict {
  return { allowed: false, reason };
}

const LOCAL_DRIVER = "local.nephos.dev";

/** A volume that is a directory of this node. */
function isLocalTo(node: string, volume: PersistentVolume | undefined): boolean {
  const terms = volume?.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const hosts = terms.flatMap(({ matchExpressions = [] }) => matchExpressions);
  return (
    volume?.spec?.csi?.driver === LOCAL_DRIVER &&
    hosts.some(({ key, values = [] }) => key === "kubernetes.io/hostname" && values.includes(node))
  );
}

/**
 * Lets a node reach only what its own pods need: these, their Secrets, ConfigMaps, claims and
 * tokens, its own Lease and CSINode. Everything else is as in the rules of `system:node`; so are
 * nodes, which have to know each other's addresses.
 */
export function createNodeAuthorizer(reader: ObjectReader): Authorizer {
  const rules = NODE_RULES.map(compileRule);

  const hasPod = (node: string, namespace: string | undefined, test: (pod: Pod) => boolean) =>
    reader.list(PODS, namespace).some((pod) => pod.spec?.nodeName === node && test(pod));

  const noRelation = (node: string) =>
    refuse(`no relationship found between node '${node}' and this object`);

  const authorizeNamed = (
    request: AccessRequest,
    node: string,
    kind: "secrets" | "configMaps" | "claims",
  ): Verdict => {
    const { verb, subresource, namespace, name } = request;
    if (!READ_VERBS.has(verb) || subresource) return refuse("can only read resources of this type");
    if (!name) return refuse("No Object name found");
    const related = hasPod(node, namespace, (pod) => podReferences(pod)[kind].has(name));
    return related ? ALLOWED : noRelation(node);
  };

  const authorizeVolume = ({ verb, subresource, name }: AccessRequest, node: string): Verdict => {
    if (!name || subresource || !(READ_VERBS.has(verb) || verb === "patch")) {
      return refuse("can only read individual resources of this type");
    }
    // Admission lets it change only whether its data keeps the volume.
    if (isLocalTo(node, reader.get(PERSISTENT_VOLUMES, { namespace: "", name }))) return ALLOWED;
    if (verb === "patch") return noRelation(node);
    const claims = reader
      .list(PERSISTENT_VOLUME_CLAIMS)
      .filter((claim) => claim.spec?.volumeName === name);
    const related = claims.some(({ metadata }) =>
      hasPod(node, metadata?.namespace, (pod) =>
        podReferences(pod).claims.has(metadata?.name ?? ""),
      ),
    );
    return related ? ALLOWED : noRelation(node);
  };

  const authorizePod = (request: AccessRequest, node: string): Verdict => {
    const { verb, subresource, namespace = "", name, fieldSelector = "" } = request;
    if (subresource || !READ_VERBS.has(verb)) return byRules(request);
    if (verb !== "get") {
      if (OWN_PODS.exec(fieldSelector)?.[1] === node) return ALLOWED;
      return refuse("can only list/watch pods with spec.nodeName field selector");
    }
    const pod = reader.get(PODS, { namespace, name: name ?? "" });
    // That a pod is gone is no secret, and whoever ran it has to learn it.
    return !pod || pod.spec?.nodeName === node ? ALLOWED : noRelation(node);
  };

  const authorizeToken = (request: AccessRequest, node: string): Verdict => {
    const { verb, subresource, namespace, name } = request;
    if (subresource !== "token") return byRules(request);
    if (verb !== "create" || !name)
      return refuse("can only create tokens for individual service accounts");
    const related = hasPod(
      node,
      namespace,
      (pod) => (pod.spec?.serviceAccountName ?? "default") === name,
    );
    return related ? ALLOWED : noRelation(node);
  };

  const byRules = (request: AccessRequest): Verdict =>
    rules.some((rule) => ruleAllows(rule, request)) ? ALLOWED : refuse("");

  const authorizeOwn = (request: AccessRequest, node: string): Verdict => {
    const { verb, name } = request;
    if (verb !== "create" && name !== node) {
      return refuse(
        "can only access an object of this type with the same name as the requesting node",
      );
    }
    return byRules(request);
  };

  return {
    authorize: (request) => {
      const node = nodeNameOf(request.user);
      if (node === undefined) return refuse("");
      switch (`${request.group ?? ""}/${request.resource ?? ""}`) {
        case "/pods":
          return authorizePod(request, node);
        case "/secrets":
          return authorizeNamed(request, node, "secrets");
        case "/configmaps":
          return authorizeNamed(request, node, "configMaps");
        case "/persistentvolumeclaims":
          return request.subresource === "status"
            ? byRules(request)
            : authorizeNamed(request, node, "claims");
        case "/persistentvolumes":
          return authorizeVolume(request, node);
        case "/serviceaccounts":
          return authorizeToken(request, node);
        case "coordination.k8s.io/leases":
          if (request.namespace !== LEASE_NAMESPACE) {
            return refuse(`can only access leases in the "${LEASE_NAMESPACE}" system namespace`);
          }
          return authorizeOwn(request, node);
        case "storage.k8s.io/csinodes":
          return authorizeOwn(request, node);
        default:
          return byRules(request);
      }
    },
  };
}
