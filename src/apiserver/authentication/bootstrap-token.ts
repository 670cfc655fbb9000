import { timingSafeEqual } from "node:crypto";
import { SECRETS } from "../../api/generated/resources.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Authenticator, ObjectReader, UserInfo } from "../contract.ts";
import { bearerTokenOf } from "./bearer-token.ts";

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const NAMESPACE = "kube-system";
const TYPE = "bootstrap.kubernetes.io/token";
const GROUP = "system:bootstrappers";
const EXTRA_GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** Accepts the tokens of Secrets `kube-system/bootstrap-token-*`, with which nodes join. */
export function bootstrapTokenAuthenticator(of: {
  reader: ObjectReader;
  clock: Clock;
}): Authenticator {
  return {
    authenticate: ({ authorization }) => {
      if (!authorization) return undefined;
      const [, id, secret] = TOKEN.exec(bearerTokenOf(authorization) ?? "") ?? [];
      return id && secret ? userOf(of, { id, secret }) : undefined;
    },
  };
}

function userOf(
  { reader, clock }: { reader: ObjectReader; clock: Clock },
  { id, secret }: { id: string; secret: string },
): UserInfo | undefined {
  const name = `bootstrap-token-${id}`;
  const stored = reader.get(SECRETS, { namespace: NAMESPACE, name });
  if (!stored || stored.metadata?.deletionTimestamp || stored.type !== TYPE) return undefined;
  const text = (key: string) => Buffer.from(stored.data?.[key] ?? "", "base64").toString();
  if (!isSame(text("token-secret"), secret) || text("token-id") !== id) return undefined;
  const expiration = text("expiration");
  // What cannot be read as a time has passed already.
  if (expiration && !(Date.parse(expiration) > clock.now())) return undefined;
  if (text("usage-bootstrap-authentication") !== "true") return undefined;
  const extra = text("auth-extra-groups").split(",").filter(Boolean);
  if (!extra.every((group) => EXTRA_GROUP.test(group))) return undefined;
  const groups = [...new Set([GROUP, ...extra])].sort();
  return { name: `system:bootstrap:${id}`, groups };
}

function isSame(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
