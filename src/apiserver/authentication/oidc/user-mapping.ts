import type { UserInfo } from "../../contract.ts";
import { evaluateClaims, evaluateUser, textsOf } from "./claim-expressions.ts";
import type { ClaimRule, ClaimSource, IssuerConfiguration } from "./issuer-configuration.ts";

/** Why a token with a good signature lets nobody in. */
export class ClaimError extends Error {
  override readonly name = "ClaimError";
}

type Claims = Record<string, unknown>;

const CREDENTIAL_ID = "authentication.kubernetes.io/credential-id";

/** The user that the claims of a token tell of. @throws ClaimError, CelError */
export function userOfClaims(issuer: IssuerConfiguration, claims: Claims): UserInfo {
  const name = usernameOf(issuer.username, claims);
  const groups = issuer.groups ? groupsOf(issuer.groups, claims) : [];
  const uid = issuer.uid ? textIn(issuer.uid, claims, "uid") : "";
  const user: UserInfo = { name, groups, ...(uid ? { uid } : {}) };
  const extra = extraOf(issuer, claims);
  if (Object.keys(extra).length > 0) user.extra = extra;
  for (const rule of issuer.claimRules) checkClaims(rule, claims);
  for (const { program, message } of issuer.userRules) {
    if (evaluateUser(program, user) === true) continue;
    throw new ClaimError(message || `the user does not satisfy "${program.source}"`);
  }
  return user;
}

function usernameOf(source: ClaimSource, claims: Claims): string {
  if ("claim" in source && source.claim === "email") {
    // Anybody may tell an issuer any address; only some issuers ask whether it is theirs.
    const verified = claims["email_verified"];
    if (verified !== undefined && verified !== true) throw new ClaimError("email not verified");
  }
  const name = textIn(source, claims, "username");
  if (name) return name;
  throw new ClaimError("the name of the user is empty");
}

function textIn(source: ClaimSource, claims: Claims, what: string): string {
  const value = "claim" in source ? claims[source.claim] : evaluateClaims(source.program, claims);
  if (typeof value !== "string") throw new ClaimError(`the ${what} is not a text`);
  if ("claim" in source) return value && source.prefix + value;
  return value;
}

function groupsOf(source: ClaimSource, claims: Claims): string[] {
  if ("program" in source) {
    const groups = textsOf(evaluateClaims(source.program, claims));
    if (groups) return groups;
    throw new ClaimError("the groups are not texts");
  }
  const value = claims[source.claim] ?? [];
  const all: unknown[] = Array.isArray(value) ? value : [value];
  return all.map((group) => {
    if (typeof group !== "string") throw new ClaimError("the groups are not texts");
    return source.prefix + group;
  });
}

function extraOf(issuer: IssuerConfiguration, claims: Claims): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  for (const { key, program } of issuer.extra) {
    const values = textsOf(evaluateClaims(program, claims));
    if (!values) throw new ClaimError(`the values of the extra "${key}" are not texts`);
    if (values.length > 0) extra[key] = values;
  }
  const { jti } = claims;
  if (typeof jti === "string" && jti) extra[CREDENTIAL_ID] = [`JTI=${jti}`];
  return extra;
}

function checkClaims(rule: ClaimRule, claims: Claims): void {
  if ("claim" in rule) {
    const { claim, requiredValue } = rule;
    if (claims[claim] === requiredValue) return;
    throw new ClaimError(`the claim "${claim}" is not "${requiredValue}"`);
  }
  if (evaluateClaims(rule.program, claims) === true) return;
  throw new ClaimError(rule.message || `the claims do not satisfy "${rule.program.source}"`);
}
