import type { SelfSubjectRulesReview } from "../../api/generated/types/authorization-v1.ts";
import { StatusError } from "../../api/errors.ts";
import { reviewSelf, reviewToken } from "../authentication/token-reviews.ts";
import {
  reviewLocalSubjectAccess,
  reviewSelfAccess,
  reviewSubjectAccess,
} from "../authorization/access-reviews.ts";
import type { Engine } from "../engine.ts";
import { fieldOf } from "../kube-object.ts";
import type { Answer, Call } from "../rest/call.ts";
import { fieldValidationOf } from "../rest/decode-body.ts";

/** What reviews of every kind have. */
interface ReviewBody {
  spec: object;
}

type Review = (engine: Engine, call: Call, body: ReviewBody) => object | Promise<object>;

const REVIEWS: Readonly<Record<string, Review>> = {
  SelfSubjectAccessReview: ({ authorizer }, { user }, body) =>
    reviewSelfAccess(authorizer, { body: body, user }),
  SubjectAccessReview: ({ authorizer }, _call, body) => reviewSubjectAccess(authorizer, body),
  LocalSubjectAccessReview: ({ authorizer }, { target }, body) =>
    reviewLocalSubjectAccess(authorizer, {
      body: body,
      namespace: target.namespace ?? "",
    }),
  SelfSubjectReview: ({ clock }, { user }) => reviewSelf(user, clock),
  SelfSubjectRulesReview: (engine, { user }, body) => {
    const { namespace } = (body as SelfSubjectRulesReview).spec;
    if (!namespace) throw new StatusError("BadRequest", "no namespace on request");
    return { ...body, status: engine.authorizer.rulesFor?.(user, namespace) ?? UNKNOWN_RULES };
  },
  TokenReview: ({ tokenVerifier }, _call, body) => {
    if (tokenVerifier) return reviewToken(tokenVerifier, body);
    throw new StatusError("NotImplemented", "this server verifies no tokens");
  },
};

const UNKNOWN_RULES = {
  resourceRules: [],
  nonResourceRules: [],
  incomplete: true,
  evaluationError: "the authorizer does not support rule resolution",
};

/** Kinds that are questions: they are answered and never stored. */
export const REVIEW_KINDS: ReadonlySet<string> = new Set(Object.keys(REVIEWS));

/** POST of a review. */
export async function createReview(engine: Engine, call: Call): Promise<Answer> {
  const { served } = call;
  const { kind } = served.resource;
  const review = REVIEWS[kind];
  if (!review) throw new StatusError("MethodNotAllowed", `${kind} is not a review`);
  const body = served.codec.read(call.body, {
    fieldValidation: fieldValidationOf(call),
    warn: call.warn,
  });
  const value = await review(engine, call, { ...body, spec: fieldOf(body, "spec") });
  return { kind: "value", status: 201, value };
}
