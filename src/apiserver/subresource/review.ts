import { StatusError } from "../../api/errors.ts";
import type { UserInfo } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { fieldOf, textOf } from "../kube-object.ts";
import { parseRawBody } from "../raw-body.ts";
import type { Answer, Call } from "../rest/call.ts";

type Review = (
  engine: Engine,
  call: Call,
  spec: Record<string, unknown>,
) => Promise<object> | object;

const REVIEWS: Readonly<Record<string, Review>> = {
  SelfSubjectAccessReview: (engine, call, spec) => accessStatus(engine, call.user, spec),
  SubjectAccessReview: (engine, _call, spec) => accessStatus(engine, subjectOf(spec), spec),
  LocalSubjectAccessReview: (engine, _call, spec) => accessStatus(engine, subjectOf(spec), spec),
  SelfSubjectReview: (_engine, call) => ({ userInfo: userInfoOf(call.user) }),
  SelfSubjectRulesReview: (engine, call, spec) =>
    engine.authorizer.rulesFor?.(call.user, textOf(spec["namespace"])) ?? {
      resourceRules: [],
      nonResourceRules: [],
      incomplete: true,
      evaluationError: "the authorizer does not support rule resolution",
    },
  TokenReview: (engine, _call, spec) => tokenStatus(engine, spec),
};

/** Kinds that are questions: they are answered and never stored. */
export const REVIEW_KINDS: ReadonlySet<string> = new Set(Object.keys(REVIEWS));

/** POST of a review. */
export async function createReview(engine: Engine, call: Call): Promise<Answer> {
  const { kind } = call.served.resource;
  const review = REVIEWS[kind];
  const value = parseRawBody(call.body);
  if (!review) throw new StatusError("MethodNotAllowed", `${kind} is not a review`);
  const spec = fieldOf(value, "spec");
  const status = await review(engine, call, spec);
  const metadata = { ...fieldOf(value, "metadata"), creationTimestamp: null };
  const apiVersion = call.served.apiVersion;
  const answer =
    kind === "SelfSubjectReview"
      ? { kind, apiVersion, metadata, status }
      : { kind, apiVersion, metadata, spec, status };
  return { kind: "value", status: 201, value: answer };
}

function accessStatus(engine: Engine, user: UserInfo, spec: Record<string, unknown>): object {
  const resource = fieldOf(spec, "resourceAttributes");
  const path = fieldOf(spec, "nonResourceAttributes");
  const request =
    spec["nonResourceAttributes"] === undefined
      ? {
          verb: textOf(resource["verb"]),
          group: textOf(resource["group"]),
          version: textOf(resource["version"]),
          resource: textOf(resource["resource"]),
          ...(resource["subresource"] ? { subresource: textOf(resource["subresource"]) } : {}),
          ...(resource["namespace"] ? { namespace: textOf(resource["namespace"]) } : {}),
          ...(resource["name"] ? { name: textOf(resource["name"]) } : {}),
        }
      : { verb: textOf(path["verb"]), path: textOf(path["path"]) };
  const { allowed, reason } = engine.authorizer.authorize({ user, ...request });
  return { allowed, ...(reason ? { reason } : {}) };
}

function subjectOf(spec: Record<string, unknown>): UserInfo {
  return {
    name: textOf(spec["user"]),
    groups: Array.isArray(spec["groups"]) ? (spec["groups"] as string[]) : [],
    ...(spec["uid"] ? { uid: textOf(spec["uid"]) } : {}),
    ...(spec["extra"] ? { extra: spec["extra"] as Record<string, string[]> } : {}),
  };
}

function userInfoOf(user: UserInfo): object {
  const { name, uid, groups, extra } = user;
  return { username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) };
}

async function tokenStatus(engine: Engine, spec: Record<string, unknown>): Promise<object> {
  const authorization = `Bearer ${textOf(spec["token"])}`;
  try {
    for (const authenticator of engine.authenticators) {
      const user = await authenticator.authenticate({ authorization });
      if (user) return { authenticated: true, user: userInfoOf(user) };
    }
    return { user: {}, error: "no authenticator knows this token" };
  } catch (error) {
    return { user: {}, error: error instanceof Error ? error.message : String(error) };
  }
}
