import type { Container, Pod } from "../../api/generated/types/core-v1.ts";
import type { ImageConfig } from "../image/contract.ts";
import { ConfigurationError } from "./environment.ts";
import { identityOf } from "./pod-containers.ts";

/**
 * Holds a container to its `runAsNonRoot`. The name of an image's user proves nothing: what it means
 * is written in the image itself. @throws ConfigurationError, in a kubelet's words
 */
export function requireNonRoot(
  pod: Pod,
  { container, image }: { container: Container; image: ImageConfig },
): void {
  const own = container.securityContext ?? {};
  const inherited = pod.spec?.securityContext ?? {};
  if (!(own.runAsNonRoot ?? inherited.runAsNonRoot)) return;
  const runAsUser = own.runAsUser ?? inherited.runAsUser;
  const { name, namespace, uid } = identityOf(pod);
  const where = `(pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
  const refuse = (why: string) => new ConfigurationError(`${why} ${where}`);
  if (runAsUser !== undefined) {
    if (runAsUser !== 0) return;
    throw refuse("container's runAsUser breaks non-root policy");
  }
  const [user = ""] = (image.user ?? "").split(":");
  if (/^0*$/.test(user)) {
    throw refuse("container has runAsNonRoot and image will run as root");
  }
  if (/^\d+$/.test(user)) return;
  const unproven = `image has non-numeric user (${user}), cannot verify user is non-root`;
  throw refuse(`container has runAsNonRoot and ${unproven}`);
}
