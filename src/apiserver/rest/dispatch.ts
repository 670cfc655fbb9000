import { StatusError } from "../../api/errors.ts";
import type { ServedConversion } from "../custom-resource/conversion/served-conversion.ts";
import type { Engine } from "../engine.ts";
import { serveSubresource } from "../subresource/subresource.ts";
import { bindByBody } from "../subresource/binding.ts";
import { createReview, REVIEW_KINDS } from "../subresource/review.ts";
import { isMetrics, readMetrics } from "../usage/read-metrics.ts";
import type { Answer, Call } from "./call.ts";
import { readComponentStatuses } from "./component-status.ts";
import { createObject } from "./create.ts";
import { deleteCollection, deleteObject } from "./delete.ts";
import { patchObject } from "./patch.ts";
import { getObject, listObjects } from "./read.ts";
import { checkWriteOptions } from "./request-options.ts";
import { replaceObject } from "./update.ts";

/** Performs every request but watches and connections to nodes. */
export function dispatch(engine: Engine, call: Call): Promise<Answer> {
  const { conversion } = call.served;
  const answer = perform(engine, call);
  return conversion ? answer.then((stored) => convertAnswer(stored, conversion)) : answer;
}

/** What was read or written, in the version that the call names. */
async function convertAnswer(answer: Answer, conversion: ServedConversion): Promise<Answer> {
  if (answer.kind === "object") {
    const [object = answer.object] = await conversion.toServed([answer.object]);
    return { ...answer, object };
  }
  if (answer.kind !== "list") return answer;
  const items = await conversion.toServed(answer.list.items);
  return { ...answer, list: { ...answer.list, items } };
}

function perform(engine: Engine, call: Call): Promise<Answer> {
  const { method, target, served } = call;
  checkWriteOptions(call);
  if (served.deprecation) call.warn(served.deprecation);
  if (target.subresource) return serveSubresource(engine, call);
  if (REVIEW_KINDS.has(served.resource.kind)) {
    if (method === "POST" && target.name === undefined) return createReview(engine, call);
    throw methodNotAllowed();
  }
  if (served.storage === "core/bindings") return bindByBody(engine, call);
  if (served.storage === "core/componentstatuses") {
    if (method === "GET") return readComponentStatuses(engine, call);
    throw methodNotAllowed();
  }
  if (isMetrics(served.storage)) {
    if (method === "GET") return readMetrics(engine, call);
    throw methodNotAllowed();
  }
  const named = target.name !== undefined;
  if (served.resource.namespaced && target.namespace === undefined && (named || method !== "GET")) {
    if (method !== "DELETE" && method !== "POST") throw unknownPath();
    if (method === "DELETE") throw methodNotAllowed();
  }
  if (method === "GET") return named ? getObject(engine, call) : listObjects(engine, call);
  if (method === "POST" && !named) return createObject(engine, call);
  if (method === "PUT" && named) return replaceObject(engine, call);
  if (method === "PATCH" && named) return patchObject(engine, call);
  if (method === "DELETE")
    return named ? deleteObject(engine, call) : deleteCollection(engine, call);
  throw methodNotAllowed();
}

/** What a method that a path does not offer gets. */
export function methodNotAllowed(): StatusError {
  return new StatusError(
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
    { generic: true },
  );
}

/** What a path that names nothing gets. */
export function unknownPath(): StatusError {
  const message = "the server could not find the requested resource";
  return new StatusError("NotFound", message, { generic: true });
}
