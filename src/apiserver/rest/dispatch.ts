import { methodNotAllowed, StatusError } from "../../api/errors.ts";
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
  const named = target.name !== undefined;
  checkOffered(call, named);
  if (REVIEW_KINDS.has(served.resource.kind)) return createReview(engine, call);
  if (served.storage === "core/bindings") return bindByBody(engine, call);
  if (served.storage === "core/componentstatuses") return readComponentStatuses(engine, call);
  if (isMetrics(served.storage)) return readMetrics(engine, call);
  if (method === "GET") return named ? getObject(engine, call) : listObjects(engine, call);
  if (method === "POST") return createObject(engine, call);
  if (method === "PUT") return replaceObject(engine, call);
  if (method === "PATCH") return patchObject(engine, call);
  return named ? deleteObject(engine, call) : deleteCollection(engine, call);
}

/** Verbs of methods on a collection and on what is in it. */
const ON_COLLECTION: Readonly<Partial<Record<Call["method"], string>>> = {
  GET: "list",
  POST: "create",
  DELETE: "deletecollection",
};
const ON_OBJECT: Readonly<Partial<Record<Call["method"], string>>> = {
  GET: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** @throws StatusError NotFound | MethodNotAllowed for what the kind has not, or not there */
function checkOffered({ method, target, served }: Call, named: boolean): void {
  const { namespaced, verbs } = served.resource;
  const offers = (verb: string | undefined): boolean =>
    verb !== undefined && (verbs?.includes(verb) ?? true);
  const isWhole = namespaced && target.namespace === undefined;
  if (named && (isWhole || !offers("get"))) throw unknownPath();
  if (isWhole && !offers("list")) throw unknownPath();
  const verb = named ? ON_OBJECT[method] : ON_COLLECTION[method];
  if (!offers(verb) || (isWhole && verb !== "list")) throw methodNotAllowed();
}

/** What a path that names nothing gets. */
export function unknownPath(): StatusError {
  const message = "the server could not find the requested resource";
  return new StatusError("NotFound", message, { generic: true });
}
