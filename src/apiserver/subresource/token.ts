import { notFound, StatusError } from "../../api/errors.ts";
import type { TokenIssueRequest } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { fieldOf, textOf } from "../kube-object.ts";
import type { Answer, Call } from "../rest/call.ts";
import { admitBody } from "../rest/admission.ts";
import { keyOfCall } from "../rest/read.ts";

const LIFETIME_DEFAULT_S = 3_600;

/** POST `serviceaccounts/token`: a token bound to the account and, if asked, to one object. */
export async function issueToken(engine: Engine, call: Call): Promise<Answer> {
  const { served, target } = call;
  const { name = "", namespace = "" } = target;
  const account = served.cache.get(keyOfCall(call))?.object();
  if (!account) throw notFound(served.resource, name);
  if (!engine.tokenIssuer) {
    throw new StatusError("NotImplemented", "this server issues no service account tokens");
  }
  const request = engine.readBody(call, "TokenRequest");
  await admitBody(engine.admission, call, { operation: "CREATE", object: request });
  const spec = fieldOf(request, "spec");
  const asked: TokenIssueRequest = {
    namespace,
    serviceAccount: { name, uid: account.metadata.uid ?? "" },
    audiences: Array.isArray(spec["audiences"]) ? (spec["audiences"] as string[]) : [],
    expirationSeconds: Number(spec["expirationSeconds"] ?? LIFETIME_DEFAULT_S),
  };
  const bound = fieldOf(spec, "boundObjectRef");
  if (textOf(bound["name"])) {
    const { kind, uid } = bound;
    asked.bound = { kind: textOf(kind), name: textOf(bound["name"]), uid: textOf(uid) };
  }
  const { token, audiences, expirationTimestamp } = await engine.tokenIssuer.issue(asked);
  const { expirationSeconds } = asked;
  return {
    kind: "value",
    status: 201,
    value: {
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { name, namespace, creationTimestamp: null },
      spec: { ...spec, audiences, expirationSeconds },
      status: { token, expirationTimestamp },
    },
  };
}
