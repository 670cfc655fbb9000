import { SERVICE_ACCOUNTS } from "../../api/generated/resources.ts";
import type { TokenRequest } from "../../api/generated/types/authentication-v1.ts";
import type { Pod, ServiceAccountTokenProjection } from "../../api/generated/types/core-v1.ts";
import type { Client } from "../../client/client.ts";
import { backoffDelayMs } from "../../lib/backoff.ts";
import type { Clock, Timer } from "../../lib/clock.ts";

const ROTATE_AT = 0.8;
const DAY_MS = 86_400_000;
const RETRY = { baseMs: 1_000, maxMs: 300_000 };
const LIFETIME_SECONDS = 3_600;

/** A service account token that is renewed before it expires. */
export interface TokenSource extends Disposable {
  /** Resolves when the first token is there. @throws StatusError of the API server */
  readonly first: Promise<void>;
  readonly value: string;
}

/** Keeps a token for the pod's service account; `onChange` is called after each renewal. */
export function keepToken(options: {
  client: Client;
  clock: Clock;
  pod: Pod;
  projection: ServiceAccountTokenProjection;
  onChange: () => void;
}): TokenSource {
  const { client, clock, pod, projection, onChange } = options;
  let value = "";
  let timer: Timer | undefined;
  let disposed = false;
  let failures = 0;

  const renew = async () => {
    const issued = await requestToken(client, pod, projection);
    failures = 0;
    if (disposed) return;
    value = issued.token;
    const lifetimeMs = Date.parse(issued.expirationTimestamp) - clock.now();
    schedule(Math.max(1_000, Math.min(lifetimeMs * ROTATE_AT, DAY_MS)));
  };
  const schedule = (delayMs: number) => {
    timer = clock.setTimer(delayMs, () => {
      renew().then(
        () => {
          if (!disposed) onChange();
        },
        () => {
          // The token there is stays: it lives for a fifth of its life yet.
          if (!disposed) schedule(backoffDelayMs(RETRY, ++failures));
        },
      );
    });
  };
  return {
    first: renew(),
    get value() {
      return value;
    },
    [Symbol.dispose]() {
      disposed = true;
      timer?.cancel();
    },
  };
}

async function requestToken(
  client: Client,
  pod: Pod,
  projection: ServiceAccountTokenProjection,
): Promise<{ token: string; expirationTimestamp: string }> {
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  const account = pod.spec?.serviceAccountName ?? "default";
  const request: TokenRequest = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: {
      audiences: projection.audience ? [projection.audience] : [],
      expirationSeconds: projection.expirationSeconds ?? LIFETIME_SECONDS,
      boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
    },
  };
  const ref = { name: account, namespace };
  const answer = await client.for(SERVICE_ACCOUNTS).post<TokenRequest>(ref, "token", request);
  const { token = "", expirationTimestamp = "" } = answer.status ?? {};
  return { token, expirationTimestamp };
}
