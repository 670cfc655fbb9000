import { type Random, randomUuid } from "../../lib/random.ts";

/** Longer names of clients, or ones of other characters, are not taken over. */
const AUDIT_ID = /^[\w-]{1,64}$/;
const COUNTER_DIGITS = 12;
const ROOT_CHARACTERS = 24;

/** The name that a client, or a proxy before it, has given its request, if it can be used. */
export function askedAuditId(asked: string | undefined): string | undefined {
  return asked && AUDIT_ID.test(asked) ? asked : undefined;
}

/** Names of requests: they only have to differ, here and from those of other servers. */
export class AuditIds {
  readonly #root: string;
  #count = 0;

  constructor(random: Random) {
    this.#root = randomUuid(random).slice(0, ROOT_CHARACTERS);
  }

  /** In the form of a UUID. */
  next(asked: string | undefined): string {
    const known = askedAuditId(asked);
    if (known) return known;
    return this.#root + (this.#count++).toString(16).padStart(COUNTER_DIGITS, "0");
  }
}
