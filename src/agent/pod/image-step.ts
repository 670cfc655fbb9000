import type { Container } from "../../api/generated/types/core-v1.ts";
import { parseReference } from "../../format/oci/reference.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import { ImageError } from "../image/contract.ts";
import type { Failure } from "./observation.ts";
import { fieldPathOf, type PodContainer, referenceTo } from "./pod-containers.ts";
import type { PodParts } from "./pod-context.ts";
import { type FailureCause, messageOf, nextFailure } from "./pod-failure.ts";
import { containerState, type PodState } from "./pod-state.ts";
import { readKeyring } from "./pull-secrets.ts";
import { beginPull, sizeClassOf } from "./pull-time.ts";

/** Reasons of the events that tell of a failure, where they are not "Failed". */
const EVENT_REASONS: Readonly<Record<string, string>> = {
  ErrImageNeverPull: "ErrImageNeverPull",
  InvalidImageName: "InspectFailed",
};

/** `imagePullPolicy`; the API server defaults it, a bare pod of an old client may lack it. */
function pullPolicyOf(container: Container): "Always" | "IfNotPresent" | "Never" {
  if (container.imagePullPolicy) return container.imagePullPolicy;
  return parseReference(container.image ?? "")?.tag === "latest" ? "Always" : "IfNotPresent";
}

/** Finds an image that needs no pull, in no time. */
export function findImage(state: PodState, item: PodContainer, parts: PodParts): void {
  const { container } = item;
  const seen = containerState(state, container.name);
  if (seen.imageReference !== container.image) {
    seen.image = undefined;
    seen.imageFailure = container.image ? pullFailureOf(state, container.image) : undefined;
    seen.imageReference = container.image;
  }
  if (seen.image || pullPolicyOf(container) === "Always" || !container.image) return;
  seen.image = parts.images.find(container.image);
  if (seen.image) seen.imageFailure = undefined;
}

/** Containers of a pod wait together for the image that they share. */
function pullFailureOf(state: PodState, reference: string): Failure | undefined {
  for (const { imageReference, imageFailure } of state.containers.values()) {
    if (imageReference === reference && imageFailure) return imageFailure;
  }
  return undefined;
}

/** Makes the image of the next attempt present; a failure is kept in the state, unless aborted. */
export async function ensureImage(
  state: PodState,
  item: PodContainer,
  { parts, signal }: { parts: PodParts; signal: AbortSignal },
): Promise<void> {
  const { container } = item;
  const reference = container.image ?? "";
  const seen = containerState(state, container.name);
  const say = (type: "Normal" | "Warning", reason: string, message: string) =>
    parts.events.record({
      about: referenceTo(state.pod),
      type,
      reason,
      message,
      fieldPath: fieldPathOf(item),
    });
  const policy = pullPolicyOf(container);
  const nowMs = () => parts.clock.monotonicMs();
  const durationOf = (sinceMs: number) =>
    formatGoDuration(BigInt(Math.trunc(nowMs() - sinceMs)) * 1_000_000n);
  const askedMs = nowMs();
  const startedMs = parts.clock.now();
  let begunMs = askedMs;
  const onTurn = () => (begunMs = nowMs());
  const pulls = parts.images.wouldPull(reference, policy);
  using _pull = pulls ? beginPull(state, nowMs) : undefined;
  try {
    if (pulls) say("Normal", "Pulling", `Pulling image "${reference}"`);
    const keyring = pulls ? await readKeyring(state.pod, parts) : [];
    const image = await parts.images.ensure(reference, policy, { keyring, signal, onTurn });
    if (seen.imageReference !== reference) return; // meanwhile it asks for another one
    seen.image = image;
    // What was imported meanwhile satisfies every policy, and was not pulled.
    seen.pulled = pulls && parts.images.wouldPull(reference, "Always");
    seen.imageFailure = undefined;
    if (seen.pulled) {
      const seconds = (nowMs() - begunMs) / 1000;
      const sizeClass = sizeClassOf(image.sizeBytes);
      parts.metrics.observe("image_pull_duration_seconds", seconds, sizeClass);
      const took = durationOf(begunMs);
      const whole = durationOf(askedMs);
      const size = `Image size: ${image.sizeBytes} bytes.`;
      const message = `Successfully pulled image "${reference}" in ${took} (${whole} including waiting). ${size}`;
      say("Normal", "Pulled", message);
    }
  } catch (error) {
    if (signal.aborted || seen.imageReference !== reference) return;
    const cause = failureOf(error, { reference, policy });
    const previous = pullFailureOf(state, reference);
    const isTold = previous !== undefined && previous.sinceMs > startedMs;
    const imageFailure = isTold ? previous : nextFailure(previous, cause, parts.clock.now());
    for (const one of state.containers.values()) {
      if (one.imageReference === reference && !one.image) one.imageFailure = imageFailure;
    }
    const failure =
      cause.reason === "ErrImagePull"
        ? `Failed to pull image "${reference}": ${cause.message}`
        : cause.message;
    say("Warning", EVENT_REASONS[cause.reason] ?? "Failed", failure);
    say("Warning", "Failed", `Error: ${cause.reason}`);
    if (cause.reason === "ErrImagePull") {
      say("Normal", "BackOff", `Back-off pulling image "${reference}"`);
      say("Warning", "Failed", "Error: ImagePullBackOff");
    }
  }
}

function failureOf(
  error: unknown,
  { reference, policy }: { reference: string; policy: string },
): FailureCause {
  if (error instanceof ImageError && error.code === "invalid-reference") {
    const parsing = `couldn't parse image name "${reference}": invalid reference format`;
    const message = `Failed to apply default image tag "${reference}": ${parsing}`;
    return { reason: "InvalidImageName", message };
  }
  if (policy === "Never") {
    return {
      reason: "ErrImageNeverPull",
      message: `Container image "${reference}" is not present with pull policy of Never`,
    };
  }
  const message = `failed to pull and unpack image "${reference}": ${messageOf(error)}`;
  return { reason: "ErrImagePull", message };
}
