import { isConflict, isNotFound } from "../../api/errors.ts";
import { CONFIG_MAPS, PODS, SECRETS, SERVICE_ACCOUNTS } from "../../api/generated/resources.ts";
import type { Secret, ServiceAccount } from "../../api/generated/types/core-v1.ts";
import {
  beginOf,
  dayOf,
  INVALID_SINCE_LABEL,
  LAST_USED_LABEL,
  TRACKING_MAP,
} from "../../api/legacy-tokens.ts";
import { podReferences } from "../../api/pod-references.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { isTerminating, refOf, uidOf } from "../ownership.ts";
import { accountNameOf, isTokenOf } from "./token-secret-plan.ts";

const DAY_MS = 86_400_000;
/** Upstream's default of `--legacy-service-account-token-clean-up-period`. */
const UNUSED_MS = 365 * DAY_MS;

/** What a token Secret is judged by. */
export interface TokenUse {
  account: ServiceAccount | undefined;
  /** `data.since` of the tracking map. */
  trackedSince: string | undefined;
  /** Whether a pod names the Secret. */
  isMounted: boolean;
  nowMs: number;
}

/**
 * What becomes of a token Secret that was made for its account and not by somebody: unused for a
 * year it is refused, and after another year it goes.
 */
export function planToken(secret: Secret, use: TokenUse): "keep" | "refuse" | "remove" {
  const { account, nowMs } = use;
  const { name, creationTimestamp, labels = {} } = secret.metadata ?? {};
  const trackedMs = beginOf(use.trackedSince);
  if (trackedMs === undefined || nowMs < trackedMs + DAY_MS + UNUSED_MS) return "keep";
  const createdMs = Date.parse(creationTimestamp ?? "");
  if (!(createdMs < nowMs - UNUSED_MS) || isTerminating(secret)) return "keep";
  const oldest = dayOf(nowMs - UNUSED_MS);
  const lastUsed = labels[LAST_USED_LABEL];
  if (lastUsed !== undefined && (beginOf(lastUsed) === undefined || lastUsed >= oldest)) {
    return "keep";
  }
  if (!account || !isTokenOf(secret, account)) return "keep";
  const isMadeForIt = account.secrets?.some((each) => each.name === name) ?? false;
  if (!isMadeForIt || use.isMounted) return "keep";
  const invalidSince = labels[INVALID_SINCE_LABEL];
  if (beginOf(invalidSince) === undefined) return "refuse";
  return (invalidSince ?? "") >= oldest ? "keep" : "remove";
}

/** Refuses, and later removes, tokens without end that were made for accounts and nobody uses. */
export function legacyTokenCleanerController(): ControllerDefinition {
  return defineController({
    name: "legacy-token-cleaner",
    inputs: {
      secrets: input(SECRETS, (secret) => (accountNameOf(secret) ? [refOf(secret)] : [])),
      accounts: input(SERVICE_ACCOUNTS, () => []),
      pods: input(PODS, () => []),
      tracking: input(CONFIG_MAPS, () => [], {
        options: {
          namespace: TRACKING_MAP.namespace,
          fieldSelector: `metadata.name=${TRACKING_MAP.name}`,
        },
      }),
    },
    outputs: [{ resource: SECRETS, verbs: ["patch", "delete"] }],
    async reconcile({ inputs, client, clock }, key) {
      const secret = inputs.secrets.get(key.namespace, key.name);
      if (!secret) return {};
      const nowMs = clock.now();
      const isMounted = () =>
        inputs.pods.list(key.namespace).some((pod) => podReferences(pod).secrets.has(key.name));
      const use = {
        account: inputs.accounts.get(key.namespace, accountNameOf(secret) ?? ""),
        trackedSince: inputs.tracking.get(TRACKING_MAP.namespace, TRACKING_MAP.name)?.data?.[
          "since"
        ],
        nowMs,
      };
      let plan = planToken(secret, { ...use, isMounted: false });
      if (plan !== "keep" && isMounted()) plan = "keep";
      const { uid, resourceVersion } = secret.metadata ?? {};
      if (plan === "refuse") {
        const metadata = { uid, labels: { [INVALID_SINCE_LABEL]: dayOf(nowMs) } };
        await client.for(SECRETS).patch(key, { metadata }).catch(ignoreChange);
      }
      if (plan === "remove") {
        const preconditions = {
          uid: uidOf(secret),
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
        };
        await client.for(SECRETS).delete(key, { preconditions }).catch(ignoreChange);
      }
      return { requeueAfterMs: DAY_MS };
    },
  });
}

/** Whoever changed it meanwhile is heard of, and the Secret judged again. */
function ignoreChange(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error;
}
