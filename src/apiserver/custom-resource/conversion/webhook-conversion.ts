import { StatusError } from "../../../api/errors.ts";
import type { CustomResourceConversion } from "../../../api/generated/types/apiextensions-v1.ts";
import { type Random, randomUuid } from "../../../lib/random.ts";
import type { KubeObject } from "../../kube-object.ts";
import type { WebhookCall, WebhookClientConfig } from "../../remote/webhook-client.ts";
import {
  acceptConverted,
  conversionVersionOf,
  createConversionReview,
  readConversionReview,
} from "./conversion-review.ts";

const TIMEOUT_MS = 30_000;
/** A list is converted in parts, so that neither side has to hold all of it twice. */
const OBJECTS_PER_CALL = 500;

/** What calling conversion webhooks needs. */
export interface ConversionParts {
  client: { call(call: WebhookCall): Promise<unknown> };
  random: Random;
}

/**
 * Objects in another version of their kind, as the definition's webhook converts them; those that
 * are in it already are not sent. @throws StatusError without a reason, as Kubernetes answers
 */
export async function convertByWebhook(
  objects: readonly KubeObject[],
  of: { conversion: CustomResourceConversion; apiVersion: string },
  parts: ConversionParts,
): Promise<KubeObject[]> {
  const { conversion, apiVersion } = of;
  const result = [...objects];
  const others = [...objects.keys()].filter((at) => objects[at]?.apiVersion !== apiVersion);
  for (let from = 0; from < others.length; from += OBJECTS_PER_CALL) {
    const places = others.slice(from, from + OBJECTS_PER_CALL);
    const batch = places.map((at) => objects[at] as KubeObject);
    const converted = await convertBatch(batch, { conversion, apiVersion }, parts);
    for (const [nth, at] of places.entries()) result[at] = converted[nth] as KubeObject;
  }
  return result;
}

async function convertBatch(
  batch: readonly KubeObject[],
  of: { conversion: CustomResourceConversion; apiVersion: string },
  { client, random }: ConversionParts,
): Promise<KubeObject[]> {
  const { webhook } = of.conversion;
  const [first] = batch;
  const failed = `conversion webhook for ${first?.apiVersion}, Kind=${first?.kind} `;
  const uid = randomUuid(random);
  let answers: Record<string, unknown>[];
  try {
    const version = conversionVersionOf(webhook?.conversionReviewVersions ?? []);
    const body = createConversionReview(batch, { uid, version, desiredAPIVersion: of.apiVersion });
    const config: WebhookClientConfig = webhook?.clientConfig ?? {};
    const answer = await client.call({ config, body, timeoutMs: TIMEOUT_MS, tellsTimeout: true });
    answers = readConversionReview(answer, { uid, version, count: batch.length });
  } catch (error) {
    throw refusal(`${failed}failed: ${reasonOf(error)}`, error);
  }
  return answers.map((answer, at) => {
    try {
      return acceptConverted(answer, batch[at] as KubeObject, of.apiVersion);
    } catch (error) {
      const where = `returned invalid converted object at index ${at}`;
      throw refusal(`${failed}${where}: ${reasonOf(error)}`, error);
    }
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function refusal(message: string, cause: unknown): StatusError {
  return new StatusError("", message, { cause });
}
