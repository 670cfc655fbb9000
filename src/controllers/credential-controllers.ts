import type { ControllerDefinition } from "../client/controller.ts";
import {
  bootstrapSignerController,
  bootstrapTokenCleanerController,
} from "./bootstrap-token/bootstrap-token-controller.ts";
import { certificateApprovingController } from "./certificate-signing/certificate-approving-controller.ts";
import { certificateCleanerController } from "./certificate-signing/certificate-cleaner-controller.ts";
import {
  certificateSigningController,
  type SignCertificate,
} from "./certificate-signing/certificate-signing-controller.ts";
import { legacyTokenCleanerController } from "./token-secret/legacy-token-cleaner-controller.ts";
import {
  legacyTokenController,
  tokenSecretController,
} from "./token-secret/token-secret-controller.ts";
import type { TokenSecretFacts } from "./token-secret/token-secret-plan.ts";

/** Who signs what controllers hand out. */
export interface CredentialOptions {
  signToken: TokenSecretFacts["signToken"];
  /** Absent where the authority's key is not at hand: requests then wait for another signer. */
  signCertificate?: SignCertificate;
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
    ...(options.signCertificate ? [certificateSigningController(options.signCertificate)] : []),
    certificateApprovingController(),
    certificateCleanerController(),
    bootstrapTokenCleanerController(),
    bootstrapSignerController(),
    legacyTokenCleanerController(),
    ...(options.legacyTokens ? [legacyTokenController(facts)] : []),
  ];
}
