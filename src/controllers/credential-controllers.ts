import type { ControllerDefinition } from "../client/controller.ts";
import {
  legacyTokenController,
  tokenSecretController,
} from "./token-secret/token-secret-controller.ts";
import type { TokenSecretFacts } from "./token-secret/token-secret-plan.ts";

/** Who signs what controllers hand out. */
export interface CredentialOptions {
  signToken: TokenSecretFacts["signToken"];
  /** Gives each ServiceAccount a token Secret of its own, as Kubernetes did until 1.24. */
  legacyTokens: boolean;
}

/** The controllers that hand out credentials; a simulated cluster has none of them. */
export function credentialControllers(
  options: CredentialOptions,
  { caPem }: { caPem: string },
): ControllerDefinition[] {
  const facts = { caPem, signToken: options.signToken };
  return [
    tokenSecretController(facts),
    ...(options.legacyTokens ? [legacyTokenController(facts)] : []),
  ];
}
