import { isNotFound } from "../../api/errors.ts";
import { CERTIFICATE_SIGNING_REQUESTS } from "../../api/generated/resources.ts";
import type { CertificateSigningRequest } from "../../api/generated/types/certificates-v1.ts";
import { certificateFactsOf } from "../../format/x509/certificate-facts.ts";
import { decodePem } from "../../format/x509/pem-codec.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { refOf } from "../ownership.ts";

const HOUR_MS = 3_600_000;
const DECIDED_MS = HOUR_MS;
const PENDING_MS = 24 * HOUR_MS;

/** Deletes requests that were decided an hour ago, forgotten for a day, or whose result expired. */
export function certificateCleanerController(): ControllerDefinition {
  return defineController({
    name: "certificate-cleaner",
    inputs: {
      requests: input(CERTIFICATE_SIGNING_REQUESTS, (request) => [refOf(request)]),
    },
    outputs: [{ resource: CERTIFICATE_SIGNING_REQUESTS, verbs: ["delete"] }],
    async reconcile({ inputs, client, clock }, { name }) {
      const request = inputs.requests.get(undefined, name);
      const endsMs = request && endOf(request);
      if (endsMs === undefined) return;
      const waitMs = endsMs - clock.now();
      if (waitMs > 0) return { requeueAfterMs: Math.min(waitMs, HOUR_MS) };
      await client
        .for(CERTIFICATE_SIGNING_REQUESTS)
        .delete({ name })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    },
  });
}

/** When a request is of no use any more, in epoch milliseconds. */
export function endOf({ metadata, status }: CertificateSigningRequest): number | undefined {
  const { conditions = [], certificate } = status ?? {};
  const ends: number[] = [];
  if (conditions.length === 0) {
    ends.push(Date.parse(metadata?.creationTimestamp ?? "") + PENDING_MS);
  }
  for (const { type, lastUpdateTime } of conditions) {
    const decided = type === "Denied" || type === "Failed" || (type === "Approved" && certificate);
    if (decided && lastUpdateTime) ends.push(Date.parse(lastUpdateTime) + DECIDED_MS);
  }
  if (certificate) ends.push(expiryOf(certificate));
  const known = ends.filter((end) => Number.isFinite(end));
  return known.length > 0 ? Math.min(...known) : undefined;
}

function expiryOf(certificate: string): number {
  try {
    const pem = Buffer.from(certificate, "base64").toString("latin1");
    const [der] = decodePem("CERTIFICATE", pem);
    return der ? certificateFactsOf(der).notAfterMs : Number.NaN;
  } catch {
    return Number.NaN;
  }
}
