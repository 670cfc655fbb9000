import path from "node:path";
import type {
  Container,
  Pod,
  PodSecurityContext,
  SeccompProfile,
  SecurityContext,
} from "../../api/generated/types/core-v1.ts";
import type { ImageConfig } from "../image/contract.ts";
import type { ContainerSecurity } from "../runtime/contract.ts";
import { ConfigurationError } from "./environment.ts";

/** Merges the pod's and the container's security context with what the image says. */
export function containerSecurity(
  pod: Pod,
  options: {
    container: Container;
    image: ImageConfig;
    seccompDirectory: string;
    /** Groups that the pod's volumes ask for. */
    volumeGroups?: readonly number[];
  },
): ContainerSecurity {
  const inherited = pod.spec?.securityContext ?? {};
  const own = options.container.securityContext ?? {};
  const runAsUser = own.runAsUser ?? inherited.runAsUser;
  const group = own.runAsGroup ?? inherited.runAsGroup;
  const runAsNonRoot = own.runAsNonRoot ?? inherited.runAsNonRoot;
  const privileged = own.privileged ?? false;
  const addCapabilities = own.capabilities?.add ?? [];
  const escalates = privileged || addCapabilities.some((name) => /^(CAP_)?SYS_ADMIN$/.test(name));
  const groups = new Set(inherited.supplementalGroups ?? []);
  if (inherited.fsGroup !== undefined) groups.add(inherited.fsGroup);
  for (const one of options.volumeGroups ?? []) groups.add(one);
  return {
    user: runAsUser === undefined ? options.image.user || "0" : String(runAsUser),
    ...(group === undefined ? {} : { group }),
    ...(groups.size > 0 ? { supplementalGroups: [...groups] } : {}),
    ...(inherited.supplementalGroupsPolicy === "Strict" && { supplementalGroupsPolicy: "Strict" }),
    privileged,
    allowPrivilegeEscalation: escalates || (own.allowPrivilegeEscalation ?? true),
    addCapabilities,
    dropCapabilities: own.capabilities?.drop ?? [],
    readOnlyRootFilesystem: own.readOnlyRootFilesystem ?? false,
    ...(runAsNonRoot === undefined ? {} : { runAsNonRoot }),
    seccomp: privileged
      ? "unconfined"
      : seccompOf(own.seccompProfile ?? inherited.seccompProfile, options.seccompDirectory),
    ...confinement(own, inherited),
    procMount: own.procMount === "Unmasked" ? "Unmasked" : "Default",
  };
}

/** What AppArmor and SELinux are to be told; the runtime leaves it where the host has neither. */
function confinement(
  own: SecurityContext,
  inherited: PodSecurityContext,
): Pick<ContainerSecurity, "appArmorProfile" | "selinuxLabel"> {
  const profile = own.appArmorProfile ?? inherited.appArmorProfile;
  const { user, role, type, level } = own.seLinuxOptions ?? inherited.seLinuxOptions ?? {};
  const named = user ?? role ?? type ?? level;
  const label = [user ?? "system_u", role ?? "system_r", type ?? "container_t", level ?? "s0"];
  return {
    ...(profile?.type === "Localhost" && { appArmorProfile: profile.localhostProfile ?? "" }),
    ...(profile?.type === "RuntimeDefault" && { appArmorProfile: "runtime-default" }),
    ...(profile?.type === "Unconfined" && { appArmorProfile: "unconfined" }),
    ...(named === undefined ? {} : { selinuxLabel: label.join(":") }),
  };
}

/** Unlike a stock kubelet, no profile at all means the runtime's default one. */
function seccompOf(profile: SeccompProfile | undefined, directory: string): string {
  if (profile?.type === "Unconfined") return "unconfined";
  if (profile?.type === "Localhost") {
    if (!profile.localhostProfile) {
      const message = "localhostProfile must be set if seccompProfile type is Localhost";
      throw new ConfigurationError(message);
    }
    // Joined below "/" first, so that ".." cannot leave the directory.
    return path.join(directory, path.join("/", profile.localhostProfile));
  }
  return "runtime-default";
}
