import { NAMESPACES } from "../../../api/generated/resources.ts";
import { NAMESPACE_TYPE, REQUEST_TYPE } from "../../../api/policy/policy-types.ts";
import {
  type AccessDecider,
  authorizerValue,
  resourceCheckValue,
} from "../../../lib/cel/functions/authorization.ts";
import type { Variables } from "../../../lib/cel/frame.ts";
import { valueOfJson } from "../../../lib/cel/json-values.ts";
import { DYN } from "../../../lib/cel/types.ts";
import type { Value } from "../../../lib/cel/values.ts";
import type { AdmissionRequest, Authorizer, ObjectReader, UserInfo } from "../../contract.ts";
import { subresourceFacts } from "../../discovery/subresource-kinds.ts";
import { type ServiceAccountName, serviceAccountUser } from "../../token/service-account-user.ts";

interface Parts {
  reader: ObjectReader;
  authorizer: Authorizer;
}

/** What expressions see of a request. Every variable is made when it is first asked for. */
export class PolicyInput {
  readonly request: AdmissionRequest;
  readonly variables: Variables;

  constructor(request: AdmissionRequest, parts: Parts) {
    this.request = request;
    this.variables = lazily({
      object: () => valueOfJson(request.object ?? null, DYN),
      oldObject: () => valueOfJson(request.oldObject ?? null, DYN),
      request: () => valueOfJson(requestJson(request), REQUEST_TYPE),
      namespaceObject: () => namespaceValue(request, parts.reader),
      authorizer: () => authorizerValue(decider(request.user, parts.authorizer)),
      "authorizer.requestResource": () => requestResource(request, parts.authorizer),
    });
  }
}

/** An object whose fields are computed once, when they are read. */
function lazily(makers: Readonly<Record<string, () => Value>>): Variables {
  const target = {};
  for (const [name, make] of Object.entries(makers)) {
    let value: Value | undefined;
    Object.defineProperty(target, name, { get: () => (value ??= make()), enumerable: true });
  }
  return target;
}

/** The AdmissionRequest of an AdmissionReview, but for the objects themselves. */
function requestJson(request: AdmissionRequest): Record<string, unknown> {
  const { resource, subresource = "", user } = request;
  const { group, version, plural } = resource;
  const own = { group, version, kind: resource.kind };
  const kind = subresource ? (subresourceFacts(plural, subresource).kind ?? own) : own;
  const requested = { group, version, resource: plural };
  return {
    kind,
    resource: requested,
    subResource: subresource,
    requestKind: kind,
    requestResource: requested,
    requestSubResource: subresource,
    name: request.name,
    namespace: request.namespace ?? "",
    operation: request.operation,
    userInfo: {
      username: user.name,
      uid: user.uid ?? "",
      groups: user.groups,
      extra: user.extra ?? {},
    },
    dryRun: request.dryRun,
  };
}

/** The namespace of the object; null for cluster-scoped ones. */
function namespaceValue({ namespace }: AdmissionRequest, reader: ObjectReader): Value {
  const object = namespace ? reader.get(NAMESPACES, { name: namespace }) : undefined;
  if (!object) return null;
  const { uid, ...metadata } = object.metadata ?? {};
  return valueOfJson({ ...object, metadata: { ...metadata, UID: uid } }, NAMESPACE_TYPE);
}

function decider(user: UserInfo, authorizer: Authorizer): AccessDecider {
  return ({ serviceAccount, path, verb, ...resource }) => {
    const asking = serviceAccount ? accountUser(serviceAccount) : user;
    if (path !== undefined) return authorizer.authorize({ user: asking, verb, path });
    return authorizer.authorize({ user: asking, verb, version: "*", ...resource });
  };
}

function accountUser(account: ServiceAccountName): UserInfo {
  const user = serviceAccountUser({ ...account, uid: "" });
  return { ...user, groups: [...user.groups, "system:authenticated"] };
}

function requestResource(request: AdmissionRequest, authorizer: Authorizer): Value {
  const { resource, subresource, namespace, name } = request;
  return resourceCheckValue(decider(request.user, authorizer), {
    group: resource.group,
    resource: resource.plural,
    ...(subresource ? { subresource } : {}),
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
  });
}
