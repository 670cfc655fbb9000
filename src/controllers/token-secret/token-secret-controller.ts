import { isNotFound } from "../../api/errors.ts";
import { SECRETS, SERVICE_ACCOUNTS } from "../../api/generated/resources.ts";
import type { Secret, ServiceAccount } from "../../api/generated/types/core-v1.ts";
import type { Client, ObjectRef } from "../../client/client.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { randomSuffix } from "../../lib/random.ts";
import { isTerminating, refOf, uidOf } from "../ownership.ts";
import {
  ACCOUNT_NAME,
  ACCOUNT_UID,
  accountNameOf,
  accountReferences,
  completeTokenSecret,
  isTokenOf,
  TOKEN_TYPE,
  type TokenSecretFacts,
} from "./token-secret-plan.ts";

const ACCOUNT_INDEX = "token-account";

const secretIndexes = {
  [ACCOUNT_INDEX]: (secret: Secret) => {
    const name = accountNameOf(secret);
    return name ? [`${secret.metadata?.namespace}/${name}`] : [];
  },
};

/** Fills Secrets that ask for a token of a ServiceAccount: CA, namespace and the token itself. */
export function tokenSecretController(facts: TokenSecretFacts): ControllerDefinition {
  return defineController({
    name: "token-secret",
    inputs: {
      secrets: input(SECRETS, (secret) => (accountNameOf(secret) ? [refOf(secret)] : []), {
        indexes: secretIndexes,
      }),
      accounts: input(SERVICE_ACCOUNTS, ({ metadata }, listers) =>
        listers
          .of(SECRETS)
          .byIndex(ACCOUNT_INDEX, `${metadata?.namespace}/${metadata?.name}`)
          .map(refOf),
      ),
    },
    outputs: [{ resource: SECRETS, verbs: ["update"] }],
    async reconcile({ inputs, client }, key) {
      const secret = inputs.secrets.get(key.namespace, key.name);
      if (!secret || isTerminating(secret)) return;
      const account = inputs.accounts.get(key.namespace, accountNameOf(secret) ?? "");
      // One without its account is for the token cleaner.
      if (!account || !isTokenOf(secret, account)) return;
      const whole = completeTokenSecret(secret, account, facts);
      if (!whole) return;
      await client
        .for(SECRETS)
        .update(whole)
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    },
  });
}

/** Gives each ServiceAccount a token Secret of its own, as Kubernetes did until 1.24. */
export function legacyTokenController(facts: TokenSecretFacts): ControllerDefinition {
  return defineController({
    name: "legacy-token",
    inputs: {
      accounts: input(SERVICE_ACCOUNTS, (account) => [refOf(account)]),
      secrets: input(SECRETS, (secret) => {
        const name = accountNameOf(secret);
        return name ? [{ name, namespace: secret.metadata?.namespace }] : [];
      }),
    },
    outputs: [
      { resource: SERVICE_ACCOUNTS, verbs: ["update"] },
      { resource: SECRETS, verbs: ["create", "delete"] },
    ],
    async reconcile({ inputs, client, random }, key) {
      const cached = inputs.accounts.get(key.namespace, key.name);
      if (!cached || isTerminating(cached)) return;
      const known = (name: string) => inputs.secrets.get(key.namespace, name);
      if (isSettled(cached, accountReferences(cached, known))) return;
      // Both caches may lag: what is written must not rest on either of them.
      const account = await client.for(SERVICE_ACCOUNTS).get(key).catch(ignoreNotFound);
      if (!account || isTerminating(account)) return;
      const live = await liveSecrets(client, account);
      const { kept, hasToken } = accountReferences(account, (name) => live.get(name));
      if (isSettled(account, { kept, hasToken })) return;
      const secrets = hasToken
        ? kept
        : [...kept, await createToken(client, account, { facts, random })];
      await refer(client, account, { secrets, created: hasToken ? undefined : secrets.at(-1) });
    },
  });
}

function isSettled(
  account: ServiceAccount,
  { kept, hasToken }: { kept: readonly object[]; hasToken: boolean },
): boolean {
  return hasToken && kept.length === (account.secrets?.length ?? 0);
}

async function liveSecrets(client: Client, account: ServiceAccount): Promise<Map<string, Secret>> {
  const { namespace } = account.metadata ?? {};
  const live = new Map<string, Secret>();
  for (const { name } of account.secrets ?? []) {
    const secret =
      name && (await client.for(SECRETS).get({ name, namespace }).catch(ignoreNotFound));
    if (name && secret) live.set(name, secret);
  }
  return live;
}

async function createToken(
  client: Client,
  account: ServiceAccount,
  { facts, random }: { facts: TokenSecretFacts; random: Parameters<typeof randomSuffix>[0] },
): Promise<{ name: string }> {
  const { name = "", namespace = "" } = account.metadata ?? {};
  const secretName = `${name}-token-${randomSuffix(random, 5)}`;
  const empty: Secret = {
    apiVersion: "v1",
    kind: "Secret",
    type: TOKEN_TYPE,
    metadata: {
      name: secretName,
      namespace,
      annotations: { [ACCOUNT_NAME]: name, [ACCOUNT_UID]: uidOf(account) },
    },
  };
  await client.for(SECRETS).create(completeTokenSecret(empty, account, facts) ?? empty);
  return { name: secretName };
}

/** Points the account at its Secrets; a Secret that it cannot be pointed at is taken back. */
async function refer(
  client: Client,
  account: ServiceAccount,
  of: { secrets: { name: string }[]; created: { name: string } | undefined },
): Promise<void> {
  try {
    await client.for(SERVICE_ACCOUNTS).update({ ...account, secrets: of.secrets });
  } catch (error) {
    if (of.created) {
      const ref: ObjectRef = { ...of.created, namespace: account.metadata?.namespace };
      await client.for(SECRETS).delete(ref).catch(ignoreNotFound);
    }
    if (!isNotFound(error)) throw error;
  }
}

function ignoreNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
  return undefined;
}
