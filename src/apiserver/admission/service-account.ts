import { forbidden } from "../../api/errors.ts";
import { SERVICE_ACCOUNTS } from "../../api/generated/resources.ts";
import type { Pod, PodSpec, ServiceAccount, Volume } from "../../api/generated/types/core-v1.ts";
import type { ObjectMeta } from "../../api/generated/types/meta-v1.ts";
import { type Clock, sleep } from "../../lib/clock.ts";
import { type Random, randomSuffix } from "../../lib/random.ts";
import { PassingMap } from "../../lib/passing-map.ts";
import { podReferences } from "../../api/pod-references.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "../contract.ts";
import { isMirrorPod, isPod, podOf } from "./admitted-pod.ts";

const MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
/** An odd number, by which other components know the volume as made here. */
const TOKEN_LIFETIME_S = 3607;
const ENFORCE_SECRETS = "kubernetes.io/enforce-mountable-secrets";
/** A new namespace gets its default account a moment later than its first pod. */
const WAIT_STEP_MS = 20;
const WAIT_STEPS_MAX = 100;
/** Of so many accounts the name of the volume is remembered. */
const NAMES_MAX = 1_024;

/** What the plugin needs beside the request. */
export interface ServiceAccountOptions {
  reader: ObjectReader;
  clock: Clock;
  random: Random;
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_LIFETIME_S, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [
              {
                path: "namespace",
                fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" },
              },
            ],
          },
        },
      ],
    },
  };
}

/**
 * The random names of token volumes: the pods of one account get the same, so that those of one
 * template stay alike.
 */
class VolumeNames {
  readonly #names = new PassingMap<string, string>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A name that the pod does not use. */
  nameFor({ uid = "" }: ObjectMeta, spec: PodSpec): string {
    const known = this.#names.get(uid);
    if (known && !spec.volumes?.some((volume) => volume.name === known)) return known;
    const name = `kube-api-access-${randomSuffix(this.#random, 5)}`;
    this.#names.set(uid, name);
    const oldest = this.#names.size > NAMES_MAX ? this.#names.oldest() : undefined;
    if (oldest !== undefined) this.#names.delete(oldest);
    return name;
  }
}

/** Mounts the token where a container mounts nothing of its own at that path. */
function mountToken(spec: PodSpec, nameOf: () => string): void {
  const containers = [...(spec.initContainers ?? []), ...spec.containers].filter(
    ({ volumeMounts }) => !volumeMounts?.some(({ mountPath }) => mountPath === MOUNT_PATH),
  );
  if (containers.length === 0) return;
  const name = nameOf();
  for (const container of containers) {
    const mount = { name, readOnly: true, mountPath: MOUNT_PATH };
    container.volumeMounts = [...(container.volumeMounts ?? []), mount];
  }
  spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

function checkMirrorPod(request: AdmissionRequest, pod: Pod): void {
  const references = podReferences(pod);
  const refuse = (why: string) => forbidden(request.resource, request.name, why);
  if (pod.spec?.serviceAccountName) {
    throw refuse("a mirror pod may not reference service accounts");
  }
  if (references.secrets.size > 0) throw refuse("a mirror pod may not reference secrets");
  const projected = pod.spec?.volumes?.flatMap((volume) => volume.projected?.sources ?? []) ?? [];
  if (projected.some((source) => source.serviceAccountToken)) {
    throw refuse("a mirror pod may not use ServiceAccountToken volume projections");
  }
}

function checkMountableSecrets(
  request: AdmissionRequest,
  { pod, account }: { pod: Pod; account: ServiceAccount },
): void {
  const mountable = new Set(account.secrets?.map(({ name }) => name));
  for (const { name } of account.imagePullSecrets ?? []) mountable.add(name);
  for (const secret of podReferences(pod).secrets) {
    if (mountable.has(secret)) continue;
    throw forbidden(
      request.resource,
      request.name,
      `secret ${JSON.stringify(secret)} is not allowed because service account ${account.metadata?.name} does not reference that secret`,
    );
  }
}

/** Every pod runs as a service account and carries its token. */
export function serviceAccountPlugin({
  reader,
  clock,
  random,
}: ServiceAccountOptions): AdmissionPlugin {
  const names = new VolumeNames(random);
  const accountOf = (namespace: string, name: string) =>
    reader.get(SERVICE_ACCOUNTS, { namespace, name });
  const awaitDefault = async (namespace: string) => {
    for (let step = 0; step < WAIT_STEPS_MAX; step++) {
      await sleep(clock, WAIT_STEP_MS);
      const account = accountOf(namespace, "default");
      if (account) return account;
    }
    return undefined;
  };
  const useAccount = (request: AdmissionRequest, account: ServiceAccount | undefined): void => {
    const { spec } = podOf(request);
    if (!account) {
      const name = spec.serviceAccountName ?? "";
      throw forbidden(
        request.resource,
        request.name,
        `error looking up service account ${request.namespace ?? ""}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
      );
    }
    const automount =
      spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
    if (automount) mountToken(spec, () => names.nameFor(account.metadata ?? {}, spec));
    if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
      spec.imagePullSecrets = account.imagePullSecrets.map((reference) => ({ ...reference }));
    }
  };
  const enforces = (account: ServiceAccount | undefined): account is ServiceAccount =>
    account?.metadata?.annotations?.[ENFORCE_SECRETS] === "true";

  return {
    name: "ServiceAccount",
    handles: (request) =>
      (request.operation === "CREATE" && isPod(request)) ||
      (request.operation === "UPDATE" &&
        request.resource.group === "" &&
        request.resource.plural === "pods" &&
        request.subresource === "ephemeralcontainers"),
    mutate: (request) => {
      const pod = podOf(request);
      if (request.operation !== "CREATE" || isMirrorPod(pod)) return;
      const { spec } = pod;
      const name = spec.serviceAccountName || spec.serviceAccount || "default";
      spec.serviceAccountName = name;
      spec.serviceAccount = name;
      const { namespace = "" } = request;
      const account = accountOf(namespace, name);
      if (account || name !== "default") return useAccount(request, account);
      return awaitDefault(namespace).then((later) => useAccount(request, later));
    },
    validate: (request) => {
      const pod = podOf(request);
      if (isMirrorPod(pod)) return checkMirrorPod(request, pod);
      const name = pod.spec.serviceAccountName ?? "default";
      const account = reader.get(SERVICE_ACCOUNTS, { namespace: request.namespace ?? "", name });
      if (enforces(account)) checkMountableSecrets(request, { pod, account });
    },
  };
}
