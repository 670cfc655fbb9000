import { methodNotAllowed, StatusError } from "../../api/errors.ts";
import { subresourceFacts } from "../discovery/subresource-kinds.ts";
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
const SCOPES: ReadonlyMap<string, UpdateScope> = new Map([
  ["namespaces/finalize", finalizeScope],
  ["certificatesigningrequests/approval", approvalScope],
  ["pods/ephemeralcontainers", ephemeralContainersScope],
  ["pods/resize", resizeScope],
]);

type Handler = (engine: Engine, call: Call) => Promise<Answer>;

/** Subresources that are created, not stored. */
const CREATED: ReadonlyMap<string, Handler> = new Map([
  ["pods/binding", bindPod],
  ["pods/eviction", evictPod],
  ["serviceaccounts/token", issueToken],
]);

const VERBS: Readonly<Partial<Record<Call["method"], string>>> = {
  GET: "get",
  PUT: "update",
  PATCH: "patch",
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
  const created = CREATED.get(name);
  if (created && method === "POST") return created(engine, call);
  if (subresource === "scale" && !created) {
    if (method === "GET" || method === "PUT" || method === "PATCH") return serveScale(engine, call);
  }
  const scope = subresource === "status" ? statusScope(served) : SCOPES.get(name);
  const { verbs } = subresourceFacts(served.resource.plural, subresource);
  if (!scope || !verbs.includes(VERBS[method] ?? "")) throw methodNotAllowed();
  if (method === "GET") return getObject(engine, call);
  return method === "PUT" ? replaceObject(engine, call, scope) : patchObject(engine, call, scope);
}
