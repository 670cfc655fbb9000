import { StatusError } from "../../api/errors.ts";
import type { Engine } from "../engine.ts";
import type { Answer, Call } from "../rest/call.ts";
import { getObject } from "../rest/read.ts";
import { patchObject } from "../rest/patch.ts";
import { replaceObject, statusScope, type UpdateScope } from "../rest/update.ts";
import { bindPod } from "./binding.ts";
import { evictPod } from "./eviction.ts";
import { serveScale } from "./scale.ts";
import { approvalScope, ephemeralContainersScope, finalizeScope, resizeScope } from "./scopes.ts";
import { issueToken } from "./token.ts";

/** Subresources that are the object itself, of which an update changes one part. */
const SCOPES: Readonly<Record<string, UpdateScope>> = {
  "namespaces/finalize": finalizeScope,
  "certificatesigningrequests/approval": approvalScope,
  "pods/ephemeralcontainers": ephemeralContainersScope,
  "pods/resize": resizeScope,
};

type Handler = (engine: Engine, call: Call) => Promise<Answer>;

/** Subresources that are created, not stored. */
const CREATED: Readonly<Record<string, Handler>> = {
  "pods/binding": bindPod,
  "pods/eviction": evictPod,
  "serviceaccounts/token": issueToken,
};

/** Everything below an object but connections to nodes. */
export function serveSubresource(engine: Engine, call: Call): Promise<Answer> {
  const { served, target, method } = call;
  const { subresource = "" } = target;
  const name = `${served.resource.plural}/${subresource}`;
  if (!served.resource.subresources?.includes(subresource) || target.subpath !== undefined) {
    const message = "the server could not find the requested resource";
    throw new StatusError("NotFound", message, { generic: true });
  }
  const created = CREATED[name];
  if (created && method === "POST") return created(engine, call);
  if (subresource === "scale" && !created) {
    if (method === "GET" || method === "PUT" || method === "PATCH") return serveScale(engine, call);
  }
  const scope = subresource === "status" ? statusScope(served) : SCOPES[name];
  if (scope && method === "GET") return getObject(engine, call);
  if (scope && method === "PUT") return replaceObject(engine, call, scope);
  if (scope && method === "PATCH") return patchObject(engine, call, scope);
  throw new StatusError(
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
    { generic: true },
  );
}
