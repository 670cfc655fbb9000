import { StatusError } from "../../api/errors.ts";
import type {
  FieldSelectorAttributes,
  LocalSubjectAccessReview,
  NonResourceRule,
  ResourceAttributes,
  ResourceRule,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
  SubjectAccessReviewStatus,
  SubjectRulesReviewStatus,
} from "../../api/generated/types/authorization-v1.ts";
import type { AccessRequest, Authorizer, UserInfo } from "../contract.ts";
import { PRIVILEGED_GROUP } from "./privileged-group.ts";
import type { RbacAuthorizer } from "./rbac-authorizer.ts";

type Asked = Pick<SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">;

function resourceRequest(user: UserInfo, asked: ResourceAttributes): AccessRequest {
  const {
    verb = "",
    group = "",
    version = "",
    resource = "",
    subresource,
    namespace,
    name,
    fieldSelector,
  } = asked;
  return {
    user,
    verb,
    group,
    version,
    resource,
    ...(subresource ? { subresource } : {}),
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(fieldSelector ? { fieldSelector: selectorText(fieldSelector) } : {}),
  };
}

/** As a query would have it; conditions that no query can say narrow nothing. */
function selectorText({ rawSelector, requirements = [] }: FieldSelectorAttributes): string {
  if (rawSelector) return rawSelector;
  const terms = requirements.flatMap(({ key, operator, values = [] }) =>
    operator === "In" && values.length === 1 ? [`${key}=${values[0]}`] : [],
  );
  return terms.join(",");
}

function review(authorizer: Authorizer, user: UserInfo, asked: Asked): SubjectAccessReviewStatus {
  const { resourceAttributes, nonResourceAttributes } = asked;
  if (!resourceAttributes === !nonResourceAttributes) {
    throw new StatusError(
      "Invalid",
      "spec: Invalid value: exactly one of resourceAttributes and nonResourceAttributes must be specified",
    );
  }
  const request = resourceAttributes
    ? resourceRequest(user, resourceAttributes)
    : {
        user,
        verb: nonResourceAttributes?.verb ?? "",
        path: nonResourceAttributes?.path ?? "",
      };
  const { allowed, reason } = authorizer.authorize(request);
  return { allowed, ...(reason ? { reason } : {}) };
}

function userOf(spec: SubjectAccessReviewSpec): UserInfo {
  if (!spec.user && !spec.groups?.length) {
    throw new StatusError(
      "Invalid",
      "spec: Invalid value: at least one of user or group must be specified",
    );
  }
  return {
    name: spec.user ?? "",
    groups: spec.groups ?? [],
    ...(spec.uid ? { uid: spec.uid } : {}),
    ...(spec.extra ? { extra: spec.extra } : {}),
  };
}

/** Whether somebody may do something anywhere. @throws StatusError Invalid */
export function reviewSubjectAccess(
  authorizer: Authorizer,
  body: SubjectAccessReview,
): SubjectAccessReview {
  return { ...body, status: review(authorizer, userOf(body.spec), body.spec) };
}

/** The same in one namespace, which the body must name. @throws StatusError */
export function reviewLocalSubjectAccess(
  authorizer: Authorizer,
  { body, namespace }: { body: LocalSubjectAccessReview; namespace: string },
): LocalSubjectAccessReview {
  if (!body.spec.resourceAttributes) {
    throw new StatusError("Invalid", "spec.resourceAttributes: Required value");
  }
  if (body.spec.resourceAttributes.namespace !== namespace) {
    throw new StatusError(
      "Invalid",
      `spec.resourceAttributes.namespace: Invalid value: must match the namespace ${JSON.stringify(namespace)} of the request`,
    );
  }
  return { ...body, status: review(authorizer, userOf(body.spec), body.spec) };
}

/** Whether the asker may do something. @throws StatusError Invalid */
export function reviewSelfAccess(
  authorizer: Authorizer,
  { body, user }: { body: SelfSubjectAccessReview; user: UserInfo },
): SelfSubjectAccessReview {
  return { ...body, status: review(authorizer, user, body.spec) };
}

/** What a user may do in a namespace, as far as RBAC tells. */
export function rulesFor(
  rbac: RbacAuthorizer,
  { user, namespace }: { user: UserInfo; namespace: string },
): SubjectRulesReviewStatus {
  const resourceRules: ResourceRule[] = [];
  const nonResourceRules: NonResourceRule[] = [];
  if (user.groups.includes(PRIVILEGED_GROUP)) {
    resourceRules.push({ verbs: ["*"], apiGroups: ["*"], resources: ["*"] });
    nonResourceRules.push({ verbs: ["*"], nonResourceURLs: ["*"] });
  }
  for (const { rules } of rbac.grantsOf(user, namespace)) {
    for (const { nonResourceURLs, ...rule } of rules) {
      if (rule.resources?.length) resourceRules.push(rule);
      if (nonResourceURLs?.length) nonResourceRules.push({ verbs: rule.verbs, nonResourceURLs });
    }
  }
  return { resourceRules, nonResourceRules, incomplete: false };
}

/** The same as a review of the asker. @throws StatusError BadRequest */
export function reviewSelfRules(
  rbac: RbacAuthorizer,
  { body, user }: { body: SelfSubjectRulesReview; user: UserInfo },
): SelfSubjectRulesReview {
  const { namespace } = body.spec;
  if (!namespace) throw new StatusError("BadRequest", "no namespace on request");
  return { ...body, status: rulesFor(rbac, { user, namespace }) };
}
