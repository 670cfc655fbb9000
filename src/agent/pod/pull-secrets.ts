import { SECRETS } from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { type KeyringEntry, parseDockerConfig } from "../../format/oci/registry-credentials.ts";
import { identityOf, referenceTo } from "./pod-containers.ts";
import type { PodParts } from "./pod-context.ts";
import { messageOf } from "./pod-failure.ts";

/** Keys of the two types of Secrets that hold credentials of registries. */
const KEYS: Readonly<Record<string, string>> = {
  "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
  "kubernetes.io/dockercfg": ".dockercfg",
};

/**
 * Credentials in the Secrets that the pod names for its images. The image may be public: a Secret
 * that cannot be read is told as an event, and the others are used.
 */
export async function readKeyring(
  pod: Pod,
  parts: Pick<PodParts, "client" | "events" | "logger">,
): Promise<KeyringEntry[]> {
  const { namespace } = identityOf(pod);
  const keyring: KeyringEntry[] = [];
  const missing: string[] = [];
  for (const { name = "" } of pod.spec?.imagePullSecrets ?? []) {
    if (!name) continue;
    try {
      const secret = await parts.client.for(SECRETS).get({ name, namespace });
      const encoded = secret.data?.[KEYS[secret.type ?? ""] ?? ""];
      if (encoded === undefined) throw new TypeError(`it holds no credentials of registries`);
      keyring.push(...parseDockerConfig(Buffer.from(encoded, "base64").toString("utf8")));
    } catch (error) {
      missing.push(name);
      const secret = `${namespace}/${name}`;
      parts.logger.warn("cannot use a pull secret", { secret, message: messageOf(error) });
    }
  }
  if (missing.length > 0) {
    parts.events.record({
      about: referenceTo(pod),
      type: "Warning",
      reason: "FailedToRetrieveImagePullSecret",
      message:
        `Unable to retrieve some image pull secrets (${missing.join(", ")}); ` +
        "attempting to pull the image may not succeed.",
    });
  }
  return keyring;
}
