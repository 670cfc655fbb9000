import type { ImageConfig } from "../agent/image/contract.ts";
import type { ContainerSecurity } from "../agent/runtime/contract.ts";
import type * as cri from "../format/cri/generated.ts";
import { ProfileType, SupplementalGroupsPolicy } from "../format/cri/generated.ts";

type Context = cri.LinuxContainerSecurityContext;

/** Who the process of a container is, and what it may do. */
export function containerSecurity(
  context: Context | undefined,
  image: ImageConfig,
): ContainerSecurity {
  const unmasked = context !== undefined && context.maskedPaths.length === 0;
  const user = context?.runAsUser ? `${context.runAsUser.value}` : context?.runAsUsername;
  const group = context?.runAsGroup?.value;
  const isStrict = context?.supplementalGroupsPolicy === SupplementalGroupsPolicy.Strict;
  const appArmorProfile = appArmorOf(context);
  const selinuxLabel = selinuxOf(context);
  return {
    user: user || image.user || "0",
    ...(group !== undefined && { group }),
    supplementalGroups: context?.supplementalGroups ?? [],
    ...(isStrict && { supplementalGroupsPolicy: "Strict" }),
    privileged: context?.privileged ?? false,
    allowPrivilegeEscalation: !(context?.noNewPrivs ?? false),
    addCapabilities: context?.capabilities?.addCapabilities ?? [],
    dropCapabilities: context?.capabilities?.dropCapabilities ?? [],
    readOnlyRootFilesystem: context?.readonlyRootfs ?? false,
    seccomp: context?.privileged ? "unconfined" : seccompOf(context),
    procMount: unmasked && context.readonlyPaths.length === 0 ? "Unmasked" : "Default",
    ...(appArmorProfile !== undefined && { appArmorProfile }),
    ...(selinuxLabel !== undefined && { selinuxLabel }),
  };
}

/** The newer field, else the older one; neither means no filter. */
function seccompOf(context: Context | undefined): string {
  const { seccomp, seccompProfilePath: old = "" } = context ?? {};
  return (seccomp ? profileOf(seccomp) : namedProfile(old)) ?? "unconfined";
}

/** The same; neither leaves it to the runtime. */
function appArmorOf(context: Context | undefined): string | undefined {
  const { apparmor, apparmorProfile: old = "" } = context ?? {};
  return apparmor ? profileOf(apparmor) : namedProfile(old);
}

function profileOf({ profileType, localhostRef }: cri.SecurityProfile): string {
  if (profileType === ProfileType.Localhost) return localhostRef.replace(/^localhost\//, "");
  return profileType === ProfileType.RuntimeDefault ? "runtime-default" : "unconfined";
}

function namedProfile(name: string): string | undefined {
  if (name.startsWith("localhost/")) return name.slice("localhost/".length);
  if (name === "unconfined") return name;
  return ["runtime/default", "docker/default"].includes(name) ? "runtime-default" : undefined;
}

/** What is not said is as of a container everywhere. */
function selinuxOf(context: Context | undefined): string | undefined {
  const { user = "", role = "", type = "", level = "" } = context?.selinuxOptions ?? {};
  if (!user && !role && !type && !level) return undefined;
  return [user || "system_u", role || "system_r", type || "container_t", level || "s0"].join(":");
}
