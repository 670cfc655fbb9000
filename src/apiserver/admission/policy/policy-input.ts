import { NAMESPACES } from "../../../api/generated/resources.ts";
import { NAMESPACE_TYPE, REQUEST_TYPE } from "../../../api/policy/policy-types.ts";
import {
  type AccessDecider,
  authorizerValue,
  resourceCheckValue,
} from "../../../lib/cel/functions/authorization.ts";
import type { Resource } from "../../../api/resource.ts";
import { valueOfJson } from "../../../lib/cel/json-values.ts";
import { DYN } from "../../../lib/cel/types.ts";
import type { Value } from "../../../lib/cel/values.ts";
import type { AdmissionRequest, Authorizer, ObjectReader, UserInfo } from "../../contract.ts";
import { subresourceFacts } from "../../discovery/subresource-kinds.ts";
import { type ServiceAccountName, serviceAccountUser } from "../../token/service-account-user.ts";

interface InputParts {
  reader: ObjectReader;
  authorizer: Authorizer;
  /** What the client asked for, where `request` is converted to another version. */
  asked?: Resource;
}

/** What expressions see of a request. Every value is made when it is first asked for. */
export class PolicyInput {
  readonly #request: AdmissionRequest;
  readonly #parts: InputParts;
  readonly #known = new Map<string, Value>();

  constructor(request: AdmissionRequest, parts: InputParts) {
    this.#request = request;
    this.#parts = parts;
  }

  [name: string]: Value | undefined;

  get object(): Value {
    return this.#once("object", () => valueOfJson(this.#request.object ?? null, DYN));
  }

  get oldObject(): Value {
    return this.#once("oldObject", () => valueOfJson(this.#request.oldObject ?? null, DYN));
  }

  get request(): Value {
    return this.#once("request", () => valueOfJson(this.#requestJson(), REQUEST_TYPE));
  }

  get namespaceObject(): Value {
    return this.#once("namespaceObject", () => namespaceValue(this.#request, this.#parts.reader));
  }

  get authorizer(): Value {
    return this.#once("authorizer", () => authorizerValue(this.#decider()));
  }

  /** As expressions name it. */
  get "authorizer.requestResource"(): Value {
    const { resource, subresource, namespace, name } = this.#request;
    return this.#once("authorizer.requestResource", () =>
      resourceCheckValue(this.#decider(), {
        group: resource.group,
        resource: resource.plural,
        ...(subresource ? { subresource } : {}),
        ...(namespace ? { namespace } : {}),
        ...(name ? { name } : {}),
      }),
    );
  }

  #requestJson(): Record<string, unknown> {
    return requestJson(this.#request, this.#parts.asked ?? this.#request.resource);
  }

  #decider(): AccessDecider {
    const { authorizer } = this.#parts;
    return ({ serviceAccount, path, verb, ...resource }) => {
      const user = serviceAccount ? accountUser(serviceAccount) : this.#request.user;
      if (path !== undefined) return authorizer.authorize({ user, verb, path });
      return authorizer.authorize({ user, verb, version: "*", ...resource });
    };
  }

  #once(name: string, make: () => Value): Value {
    let value = this.#known.get(name);
    if (value === undefined) this.#known.set(name, (value = make()));
    return value;
  }
}

/** Kind and resource as an AdmissionReview names them. */
function namesOf(resource: Resource, subresource: string): { kind: object; resource: object } {
  const { group, version, plural } = resource;
  const own = { group, version, kind: resource.kind };
  const kind = subresource ? (subresourceFacts(plural, subresource).kind ?? own) : own;
  return { kind, resource: { group, version, resource: plural } };
}

/** The AdmissionRequest of an AdmissionReview, but for the objects themselves. */
function requestJson(request: AdmissionRequest, asked: Resource): Record<string, unknown> {
  const { resource, subresource = "", user } = request;
  const names = namesOf(resource, subresource);
  const requested = asked === resource ? names : namesOf(asked, subresource);
  return {
    kind: names.kind,
    resource: names.resource,
    subResource: subresource,
    requestKind: requested.kind,
    requestResource: requested.resource,
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
    options: request.options?.() ?? null,
  };
}

/** The namespace of the object; null for cluster-scoped ones. */
function namespaceValue({ namespace }: AdmissionRequest, reader: ObjectReader): Value {
  const object = namespace ? reader.get(NAMESPACES, { name: namespace }) : undefined;
  if (!object) return null;
  const { uid, ...metadata } = object.metadata ?? {};
  return valueOfJson({ ...object, metadata: { ...metadata, UID: uid } }, NAMESPACE_TYPE);
}

function accountUser(account: ServiceAccountName): UserInfo {
  const user = serviceAccountUser({ ...account, uid: "" });
  return { ...user, groups: [...user.groups, "system:authenticated"] };
}
