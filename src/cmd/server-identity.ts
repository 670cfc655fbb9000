import { createHash } from "node:crypto";
import { isNotFound } from "../api/errors.ts";
import { LEASES } from "../api/generated/resources.ts";
import type { Lease } from "../api/generated/types/coordination-v1.ts";
import type { Client } from "../client/client.ts";
import { type Clock, formatMicroTime, type Timer } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { type Random, randomUuid } from "../lib/random.ts";

const NAMESPACE = "kube-system";
const LEASE_SECONDS = 3_600;
const RENEW_MS = 10_000;
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** Who says that it lives. */
export interface ServerIdentityOptions {
  client: Client;
  hostname: string;
  clock: Clock;
  random: Random;
  logger: Logger;
}

/**
 * Keeps a Lease that tells that this API server lives, as upstream's do (APIServerIdentity). The
 * one of a server that is gone runs out in an hour, and a controller removes it.
 */
export function keepServerIdentity(options: ServerIdentityOptions): Disposable {
  const { client, hostname, clock, random, logger } = options;
  const leases = client.for(LEASES);
  const name = serverIdOf(hostname);
  const holderIdentity = `${name}_${randomUuid(random)}`;
  let known: Lease | undefined;
  const renew = async () => {
    const now = { holderIdentity, renewTime: formatMicroTime(clock.now()) };
    const spec = { ...now, leaseDurationSeconds: LEASE_SECONDS };
    known ??= await leases.get({ name, namespace: NAMESPACE }).catch(absent);
    known = known
      ? await leases.update({ ...known, spec })
      : await leases.create({
          metadata: { name, namespace: NAMESPACE, labels: labels(hostname) },
          spec,
        });
  };
  let timer: Timer | undefined;
  let isStopped = false;
  const step = async () => {
    try {
      await renew();
    } catch (error) {
      // Whoever changed or removed it: the next turn begins with what is there.
      known = undefined;
      if (!isStopped) logger.warn("the Lease of this API server was not renewed", { error });
    }
    if (!isStopped) timer = clock.setTimer(RENEW_MS, () => void step());
  };
  void step();
  return {
    [Symbol.dispose]() {
      isStopped = true;
      timer?.cancel();
    },
  };
}

/** "apiserver-" and half of the hash of the host's name. */
export function serverIdOf(hostname: string): string {
  const hash = createHash("sha256").update(hostname).digest().subarray(0, 16);
  return `apiserver-${base32(hash)}`;
}

function labels(hostname: string): Record<string, string> {
  return {
    "apiserver.kubernetes.io/identity": "kube-apiserver",
    "kubernetes.io/hostname": hostname,
  };
}

function absent(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

/** In small letters and without padding (RFC 4648 section 6). */
function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(value >>> (bits - 5)) & 31];
    value &= 0xff;
  }
  return bits > 0 ? text + BASE32[(value << (5 - bits)) & 31] : text;
}
