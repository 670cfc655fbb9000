import { createHmac } from "node:crypto";
import { isNotFound } from "../../api/errors.ts";
import { CONFIG_MAPS, SECRETS } from "../../api/generated/resources.ts";
import type { Secret } from "../../api/generated/types/core-v1.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { jsonEqual } from "../json-equal.ts";
import { refOf, uidOf } from "../ownership.ts";
import { expiryOf, isBootstrapToken, signingToken, TOKEN_NAMESPACE } from "./bootstrap-token.ts";

const CLUSTER_INFO = { name: "cluster-info", namespace: "kube-public" };
const SIGNATURE_PREFIX = "jws-kubeconfig-";

/** Deletes bootstrap tokens whose time is over. */
export function bootstrapTokenCleanerController(): ControllerDefinition {
  return defineController({
    name: "bootstrap-token-cleaner",
    inputs: {
      secrets: input(SECRETS, (secret) => (isBootstrapToken(secret) ? [refOf(secret)] : [])),
    },
    outputs: [{ resource: SECRETS, verbs: ["delete"] }],
    async reconcile({ inputs, client, clock }, key) {
      const secret = inputs.secrets.get(key.namespace, key.name);
      const expiry = secret && expiryOf(secret);
      if (!secret || expiry === undefined) return;
      if (expiry > clock.now()) return { requeueAfterMs: expiry - clock.now() };
      await client
        .for(SECRETS)
        .delete(key, { preconditions: { uid: uidOf(secret) } })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    },
  });
}

/**
 * Signs the kubeconfig in `kube-public/cluster-info` with each bootstrap token that may sign, so
 * that whoever knows a token can trust the cluster's address and CA.
 */
export function bootstrapSignerController(): ControllerDefinition {
  return defineController({
    name: "bootstrap-signer",
    inputs: {
      secrets: input(SECRETS, (secret) => (isBootstrapToken(secret) ? [CLUSTER_INFO] : [])),
      maps: input(CONFIG_MAPS, (map) => [refOf(map)], {
        options: { namespace: "kube-public", fieldSelector: "metadata.name=cluster-info" },
      }),
    },
    outputs: [{ resource: CONFIG_MAPS, verbs: ["update"] }],
    async reconcile({ inputs, client, clock }) {
      const map = inputs.maps.get(CLUSTER_INFO.namespace, CLUSTER_INFO.name);
      const kubeconfig = map?.data?.["kubeconfig"];
      if (!map || kubeconfig === undefined) return;
      const secrets = inputs.secrets.list(TOKEN_NAMESPACE).filter(isBootstrapToken);
      const data = {
        ...withoutSignatures(map.data),
        ...signatures(kubeconfig, secrets, clock.now()),
      };
      if (jsonEqual(data, map.data)) return;
      await client
        .for(CONFIG_MAPS)
        .update({ ...map, data })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    },
  });
}

function withoutSignatures(data: Record<string, string> = {}): Record<string, string> {
  const others = Object.entries(data).filter(([key]) => !key.startsWith(SIGNATURE_PREFIX));
  return Object.fromEntries(others);
}

function signatures(
  kubeconfig: string,
  secrets: readonly Secret[],
  nowMs: number,
): Record<string, string> {
  return Object.fromEntries(
    secrets.flatMap((secret) => {
      const token = signingToken(secret, nowMs);
      return token
        ? [[`${SIGNATURE_PREFIX}${token.id}`, detachedSignature(kubeconfig, token)]]
        : [];
    }),
  );
}

/** A compact JWS (RFC 7515 appendix F) whose payload is left out; the token is id and secret. */
export function detachedSignature(content: string, token: { id: string; secret: string }): string {
  const encode = (text: string) => Buffer.from(text).toString("base64url");
  const head = encode(JSON.stringify({ alg: "HS256", kid: token.id }));
  const signed = `${head}.${encode(content)}`;
  const signature = createHmac("sha256", token.secret).update(signed).digest("base64url");
  return `${head}..${signature}`;
}
