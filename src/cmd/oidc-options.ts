import { readFileSync } from "node:fs";
import { type IssuerFlags } from "../apiserver/authentication/oidc/issuer-flags.ts";

/** The flags by which kube-apiserver is told of one issuer of tokens. */
export const OIDC_FLAGS = {
  "oidc-issuer-url": { type: "string" },
  "oidc-client-id": { type: "string" },
  "oidc-ca-file": { type: "string" },
  "oidc-username-claim": { type: "string" },
  "oidc-username-prefix": { type: "string" },
  "oidc-groups-claim": { type: "string" },
  "oidc-groups-prefix": { type: "string" },
  "oidc-signing-algs": { type: "string", multiple: true },
  "oidc-required-claim": { type: "string", multiple: true },
} as const;

type FlagValue = string | number | boolean | readonly string[];

/** What the flags say, when there are any. @throws Error of the authorities' file */
export function oidcFlags(
  given: (name: keyof typeof OIDC_FLAGS) => FlagValue | undefined,
): IssuerFlags | undefined {
  const names = Object.keys(OIDC_FLAGS) as (keyof typeof OIDC_FLAGS)[];
  if (names.every((name) => given(name) === undefined)) return undefined;
  const text = (name: keyof typeof OIDC_FLAGS): string | undefined => {
    const value = given(name);
    return value === undefined ? undefined : `${value}`;
  };
  const texts = (name: keyof typeof OIDC_FLAGS): string[] => {
    const value = given(name);
    if (value === undefined) return [];
    return Array.isArray(value) ? value : [`${value}`];
  };
  const caFile = text("oidc-ca-file");
  return {
    issuerUrl: text("oidc-issuer-url") ?? "",
    clientId: text("oidc-client-id") ?? "",
    caPem: caFile ? readFileSync(caFile, "utf8") : undefined,
    usernameClaim: text("oidc-username-claim"),
    usernamePrefix: text("oidc-username-prefix"),
    groupsClaim: text("oidc-groups-claim"),
    groupsPrefix: text("oidc-groups-prefix"),
    signingAlgorithms: texts("oidc-signing-algs").flatMap((list) => list.split(",")),
    requiredClaims: texts("oidc-required-claim"),
  };
}
