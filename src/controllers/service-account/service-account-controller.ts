import { isAlreadyExists, isNotFound } from "../../api/errors.ts";
import { NAMESPACES, SECRETS, SERVICE_ACCOUNTS } from "../../api/generated/resources.ts";
import type { Namespace, Secret } from "../../api/generated/types/core-v1.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { isTerminating, refOf, uidOf } from "../ownership.ts";

const DEFAULT_NAME = "default";
const TOKEN_TYPE = "kubernetes.io/service-account-token";
const ACCOUNT_NAME = "kubernetes.io/service-account.name";
const ACCOUNT_UID = "kubernetes.io/service-account.uid";

function isActive(namespace: Namespace | undefined): boolean {
  return namespace !== undefined && !isTerminating(namespace);
}

const LOOK_AGAIN_MS = 5_000;

/** Gives every namespace its "default" ServiceAccount, again when it is deleted. */
export function serviceAccountController(): ControllerDefinition {
  return defineController({
    name: "service-account",
    inputs: {
      namespaces: input(NAMESPACES, (namespace) => [refOf(namespace)]),
      accounts: input(SERVICE_ACCOUNTS, ({ metadata }) =>
        metadata?.name === DEFAULT_NAME ? [{ name: metadata.namespace ?? "" }] : [],
      ),
    },
    outputs: [{ resource: SERVICE_ACCOUNTS, verbs: ["create"] }],
    async reconcile({ inputs, client }, { name: namespace }) {
      if (!isActive(inputs.namespaces.get(undefined, namespace))) return;
      if (inputs.accounts.get(namespace, DEFAULT_NAME)) return;
      const metadata = { name: DEFAULT_NAME, namespace };
      await client
        .for(SERVICE_ACCOUNTS)
        .create({ apiVersion: "v1", kind: "ServiceAccount", metadata })
        .catch((error: unknown) => {
          if (!isAlreadyExists(error) && !isNotFound(error)) throw error;
        });
    },
  });
}

/** Deletes token Secrets whose ServiceAccount is gone or was replaced. */
export function tokenCleanerController(): ControllerDefinition {
  const accountOf = (secret: Secret) => secret.metadata?.annotations?.[ACCOUNT_NAME];
  return defineController({
    name: "token-cleaner",
    inputs: {
      secrets: input(SECRETS, (secret) => (secret.type === TOKEN_TYPE ? [refOf(secret)] : []), {
        indexes: {
          account: (secret) =>
            secret.type === TOKEN_TYPE
              ? [`${secret.metadata?.namespace}/${accountOf(secret)}`]
              : [],
        },
      }),
      accounts: input(SERVICE_ACCOUNTS, ({ metadata }, listers) =>
        listers
          .of(SECRETS)
          .byIndex("account", `${metadata?.namespace}/${metadata?.name}`)
          .map(refOf),
      ),
    },
    outputs: [{ resource: SECRETS, verbs: ["delete"] }],
    async reconcile({ inputs, client }, key) {
      const secret = inputs.secrets.get(key.namespace, key.name);
      const name = secret && accountOf(secret);
      if (!secret || !name || isTerminating(secret)) return;
      const wantedUid = secret.metadata?.annotations?.[ACCOUNT_UID];
      const matches = (uid: string) => !wantedUid || wantedUid === uid;
      const cached = inputs.accounts.get(key.namespace, name);
      if (cached && matches(uidOf(cached))) return;
      // The cache of accounts may lag behind the one of secrets.
      const live = await client
        .for(SERVICE_ACCOUNTS)
        .get({ name, namespace: key.namespace })
        .catch((error: unknown) => {
          if (isNotFound(error)) return undefined;
          throw error;
        });
      // Should it go before the cache shows it, nothing would tell of its end.
      if (live && matches(uidOf(live))) return { requeueAfterMs: LOOK_AGAIN_MS };
      await client
        .for(SECRETS)
        .delete(key, { preconditions: { uid: uidOf(secret) } })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      return;
    },
  });
}
