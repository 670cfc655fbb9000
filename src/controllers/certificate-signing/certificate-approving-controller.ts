import { isNotFound } from "../../api/errors.ts";
import {
  CERTIFICATE_SIGNING_REQUESTS,
  SUBJECT_ACCESS_REVIEWS,
} from "../../api/generated/resources.ts";
import type { CertificateSigningRequest } from "../../api/generated/types/certificates-v1.ts";
import type { CertificateRequest } from "../../format/x509/certificate-request.ts";
import type { Client } from "../../client/client.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { refOf } from "../ownership.ts";
import { SIGNERS } from "./certificate-signing-controller.ts";
import { hasCondition, withCondition } from "./request-conditions.ts";
import { isKubeletClient, KUBELET_CLIENT_SIGNER, requestOf } from "./signer-rules.ts";

/** A node that renews its own certificate, then a node that joins. */
const WAYS = [
  {
    subresource: "selfnodeclient",
    message: "Auto approving self kubelet client certificate after SubjectAccessReview.",
    fits: ({ spec }: CertificateSigningRequest, { subject }: CertificateRequest) =>
      spec.username === subject.commonName,
  },
  {
    subresource: "nodeclient",
    message: "Auto approving kubelet client certificate after SubjectAccessReview.",
    fits: () => true,
  },
] as const;

/** Approves client certificates of nodes for those whom RBAC lets ask for them. */
export function certificateApprovingController(): ControllerDefinition {
  return defineController({
    name: "certificate-approving",
    inputs: {
      requests: input(CERTIFICATE_SIGNING_REQUESTS, (request) =>
        isPending(request) ? [refOf(request)] : [],
      ),
    },
    outputs: [
      { resource: CERTIFICATE_SIGNING_REQUESTS, verbs: ["patch"], subresources: ["approval"] },
      { resource: SUBJECT_ACCESS_REVIEWS, verbs: ["create"] },
      { resource: SIGNERS, verbs: ["approve"], names: [KUBELET_CLIENT_SIGNER] },
    ],
    async reconcile({ inputs, client, clock }, { name }) {
      const request = inputs.requests.get(undefined, name);
      const parsed = request && isPending(request) ? tryParse(request) : undefined;
      if (!request || !parsed || !isKubeletClient(request, parsed)) return;
      for (const { subresource, message, fits } of WAYS) {
        if (!fits(request, parsed) || !(await mayAsk(client, request, subresource))) continue;
        const approved = { type: "Approved" as const, reason: "AutoApproved", message };
        const patch = {
          metadata: { resourceVersion: request.metadata?.resourceVersion },
          status: { conditions: withCondition(request, approved, clock.now()) },
        };
        await client
          .for(CERTIFICATE_SIGNING_REQUESTS)
          .patch({ name }, patch, { subresource: "approval" })
          .catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          });
        return;
      }
    },
  });
}

function isPending(request: CertificateSigningRequest): boolean {
  return (
    !request.status?.certificate &&
    !hasCondition(request, "Approved") &&
    !hasCondition(request, "Denied")
  );
}

function tryParse(request: CertificateSigningRequest): CertificateRequest | undefined {
  try {
    return requestOf(request);
  } catch {
    return undefined;
  }
}

async function mayAsk(
  client: Client,
  { spec }: CertificateSigningRequest,
  subresource: string,
): Promise<boolean> {
  const { username, uid, groups, extra } = spec;
  const review = await client.for(SUBJECT_ACCESS_REVIEWS).create({
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: {
      ...(username ? { user: username } : {}),
      ...(uid ? { uid } : {}),
      ...(groups ? { groups } : {}),
      ...(extra ? { extra } : {}),
      resourceAttributes: {
        group: "certificates.k8s.io",
        resource: "certificatesigningrequests",
        verb: "create",
        subresource,
      },
    },
  });
  return review.status?.allowed === true;
}
