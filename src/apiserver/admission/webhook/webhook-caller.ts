import type { Logger } from "../../../lib/logger.ts";
import { type Random, randomUuid } from "../../../lib/random.ts";
import type { AdmissionRequest } from "../../contract.ts";
import type { AdmissionMetrics, WebhookOutcome } from "../../metrics/admission-metrics.ts";
import type { WebhookCall } from "../../remote/webhook-client.ts";
import {
  createReview,
  readReview,
  type ReviewedObjects,
  type ReviewVerdict,
  reviewVersionOf,
} from "./admission-review.ts";
import type { Hook } from "./hook-source.ts";
import { deniedBy, noDryRun, uncallable } from "./webhook-errors.ts";

/** What calling webhooks needs. */
export interface CallerParts {
  client: { call(call: WebhookCall): Promise<unknown> };
  random: Random;
  logger: Logger;
  metrics?: AdmissionMetrics | undefined;
}

/** Where in a request a webhook is called, for the audit log. */
export interface CallPlace {
  kind: "mutating" | "validating";
  round: number;
  index: number;
}

const FAILED_OPEN = "failed-open";

/**
 * Asks one webhook. `undefined` when it could not be asked and its policy is to ignore that.
 * @throws StatusError when it denies, or cannot be asked and its policy is to fail
 */
export async function callHook(
  hook: Hook,
  of: { request: AdmissionRequest; seen: ReviewedObjects; place: CallPlace },
  parts: CallerParts,
): Promise<ReviewVerdict | undefined> {
  const { request, place } = of;
  const { sideEffects } = hook.webhook;
  if (request.dryRun && sideEffects !== "None" && sideEffects !== "NoneOnDryRun") {
    throw noDryRun(hook.name);
  }
  const { metrics } = parts;
  const beganMs = metrics?.begin() ?? 0;
  const count = (outcome: Pick<WebhookOutcome, "rejected" | "code" | "errorType" | "failedOpen">) =>
    metrics?.webhook({
      name: hook.name,
      type: place.kind === "mutating" ? "admit" : "validating",
      operation: request.operation,
      beganMs,
      ...outcome,
    });
  let verdict: ReviewVerdict;
  try {
    verdict = await exchange(hook, of, parts);
  } catch (error) {
    const rejected = !hook.ignoresFailure;
    const errorType = rejected ? "calling_webhook_error" : undefined;
    count({ rejected, code: rejected ? 500 : 0, errorType, failedOpen: !rejected });
    if (rejected) throw uncallable(hook.name, error);
    parts.logger.warn("a webhook failed and is ignored", { webhook: hook.name, error });
    const { kind, round, index } = place;
    const key = `${FAILED_OPEN}.${kind}.webhook.admission.k8s.io/round_${round}_index_${index}`;
    request.annotate?.(key, hook.name);
    return undefined;
  }
  for (const [key, value] of Object.entries(verdict.auditAnnotations)) {
    request.annotate?.(`${hook.name}/${key}`, value);
  }
  for (const text of verdict.warnings) request.warn(text);
  if (verdict.allowed) {
    count({ rejected: false, code: 200, errorType: undefined, failedOpen: false });
    return verdict;
  }
  const denial = deniedBy(hook.name, verdict.status);
  count({ rejected: true, code: denial.code, errorType: "no_error", failedOpen: false });
  throw denial;
}

async function exchange(
  { webhook, timeoutMs }: Hook,
  of: { request: AdmissionRequest; seen: ReviewedObjects; place: CallPlace },
  { client, random }: CallerParts,
): Promise<ReviewVerdict> {
  const version = reviewVersionOf(webhook.admissionReviewVersions);
  const uid = randomUuid(random);
  const body = createReview(of.request, of.seen, { uid, version });
  const config = webhook.clientConfig;
  const answer = await client
    .call({ config, body, timeoutMs, tellsTimeout: true })
    .catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`failed to call webhook: ${why}`, { cause: error });
    });
  return readReview(answer, { uid, version, mutating: of.place.kind === "mutating" });
}
