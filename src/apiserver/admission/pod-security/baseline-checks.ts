import {
  blame,
  containersThat,
  named,
  plural,
  quoteAll,
  type SecurityCheck,
  violation,
} from "./security-check.ts";

const DEFAULT_CAPABILITIES = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);
/** Types of SELinux that confine a container, with the minor version that allowed them first. */
const SELINUX_TYPES: ReadonlyMap<string, number> = new Map([
  ["", 0],
  ["container_engine_t", 31],
  ["container_init_t", 0],
  ["container_kvm_t", 0],
  ["container_t", 0],
]);
/** Settings that touch nothing but the pod, with the minor version that allowed them first. */
const SAFE_SYSCTLS: ReadonlyMap<string, number> = new Map([
  ["kernel.shm_rmid_forced", 0],
  ["net.ipv4.ip_local_port_range", 0],
  ["net.ipv4.ip_local_reserved_ports", 27],
  ["net.ipv4.ip_unprivileged_port_start", 0],
  ["net.ipv4.ping_group_range", 0],
  ["net.ipv4.tcp_fin_timeout", 29],
  ["net.ipv4.tcp_keepalive_intvl", 29],
  ["net.ipv4.tcp_keepalive_probes", 29],
  ["net.ipv4.tcp_keepalive_time", 29],
  ["net.ipv4.tcp_rmem", 32],
  ["net.ipv4.tcp_syncookies", 0],
  ["net.ipv4.tcp_wmem", 32],
]);
const APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/";

const isSafeSeccomp = (type: string) => type === "RuntimeDefault" || type === "Localhost";

const appArmorProfile: SecurityCheck = ({ metadata, spec }) => {
  const types = new Set<string>();
  const isBad = (type: string | undefined) => {
    const bad = type !== undefined && !isSafeSeccomp(type);
    if (bad) types.add(type);
    return bad;
  };
  const pod = isBad(spec.securityContext?.appArmorProfile?.type);
  const containers = containersThat(spec, (security) => isBad(security.appArmorProfile?.type));
  const annotations = Object.entries(metadata.annotations ?? {})
    .filter(([key, value]) => {
      const allowed = value === "" || value === "runtime/default" || value.startsWith("localhost/");
      return key.startsWith(APPARMOR_ANNOTATION) && !allowed;
    })
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const count = types.size + annotations.length;
  if (count === 0) return undefined;
  const who = blame(pod, containers);
  const fields = who
    ? [`${who} must not set AppArmor profile type to ${quoteAll([...types].sort())}`]
    : [];
  return {
    reason: plural("forbidden AppArmor profile", count),
    detail: [...fields, ...annotations].join(", "),
  };
};

const capabilities: SecurityCheck = ({ spec }) => {
  const added = new Set<string>();
  const containers = containersThat(spec, ({ capabilities: asked }) => {
    const bad = (asked?.add ?? []).filter((name) => !DEFAULT_CAPABILITIES.has(name));
    for (const name of bad) added.add(name);
    return bad.length > 0;
  });
  const what = `must not include ${quoteAll([...added].sort())} in securityContext.capabilities.add`;
  return violation("non-default capabilities", blame(false, containers), what);
};

const hostNamespaces: SecurityCheck = ({ spec }) => {
  const used = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((field) => spec[field]);
  if (used.length === 0) return undefined;
  return { reason: "host namespaces", detail: used.map((field) => `${field}=true`).join(", ") };
};

const hostPathVolumes: SecurityCheck = ({ spec }) => {
  const volumes = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name);
  return volumes.length === 0
    ? undefined
    : { reason: "hostPath volumes", detail: named("volume", volumes) };
};

const hostPorts: SecurityCheck = ({ spec }) => {
  const ports = new Set<string>();
  const containers = containersThat(spec, (_security, container) => {
    const used = (container.ports ?? []).filter(({ hostPort }) => hostPort);
    for (const { hostPort } of used) ports.add(String(hostPort));
    return used.length > 0;
  });
  const verb = containers.length === 1 ? "uses" : "use";
  const what = `${verb} ${plural("hostPort", ports.size)} ${[...ports].sort().join(", ")}`;
  return violation("hostPort", blame(false, containers), what);
};

const privileged: SecurityCheck = ({ spec }) =>
  violation(
    "privileged",
    blame(
      false,
      containersThat(spec, (security) => security.privileged === true),
    ),
    "must not set securityContext.privileged=true",
  );

const procMount: SecurityCheck = ({ spec }) => {
  const values = new Set<string>();
  const containers = containersThat(spec, (security) => {
    const bad = security.procMount !== undefined && security.procMount !== "Default";
    if (bad) values.add(security.procMount ?? "");
    return bad;
  });
  const what = `must not set securityContext.procMount to ${quoteAll([...values].sort())}`;
  return violation("procMount", blame(false, containers), what);
};

const seLinuxOptions: SecurityCheck = ({ spec, minor }) => {
  const types = new Set<string>();
  let user = false;
  let role = false;
  const isBad = (options: { type?: string; user?: string; role?: string } | undefined) => {
    if (!options) return false;
    const known = SELINUX_TYPES.get(options.type ?? "") ?? Number.POSITIVE_INFINITY;
    const badType = known > minor;
    if (badType) types.add(options.type ?? "");
    user ||= !!options.user;
    role ||= !!options.role;
    return badType || !!options.user || !!options.role;
  };
  const pod = isBad(spec.securityContext?.seLinuxOptions);
  const containers = containersThat(spec, (security) => isBad(security.seLinuxOptions));
  const what = [
    ...(types.size > 0 ? [named("type", [...types].sort())] : []),
    ...(user ? ["user may not be set"] : []),
    ...(role ? ["role may not be set"] : []),
  ].join("; ");
  return violation(
    "seLinuxOptions",
    blame(pod, containers),
    `set forbidden securityContext.seLinuxOptions: ${what}`,
  );
};

/** Explicit bad values; shared with the stricter check of the restricted level. */
export const seccompProfile: SecurityCheck = ({ spec }) => {
  const types = new Set<string>();
  const isBad = (type: string | undefined) => {
    const bad = type !== undefined && !isSafeSeccomp(type);
    if (bad) types.add(type);
    return bad;
  };
  const pod = isBad(spec.securityContext?.seccompProfile?.type);
  const containers = containersThat(spec, (security) => isBad(security.seccompProfile?.type));
  const what = `must not set securityContext.seccompProfile.type to ${quoteAll([...types].sort())}`;
  return violation("seccompProfile", blame(pod, containers), what);
};

const sysctls: SecurityCheck = ({ spec, minor }) => {
  const unsafe = (spec.securityContext?.sysctls ?? [])
    .map(({ name }) => name.replaceAll("/", "."))
    .filter((name) => (SAFE_SYSCTLS.get(name) ?? Number.POSITIVE_INFINITY) > minor);
  if (unsafe.length === 0) return undefined;
  return { reason: "forbidden sysctls", detail: unsafe.join(", ") };
};

const windowsHostProcess: SecurityCheck = ({ spec }) => {
  const pod = spec.securityContext?.windowsOptions?.hostProcess === true;
  const containers = containersThat(spec, ({ windowsOptions }) => !!windowsOptions?.hostProcess);
  const what = "must not set securityContext.windowsOptions.hostProcess=true";
  return violation("hostProcess", blame(pod, containers), what);
};

/** Checks that the restricted level replaces by stricter ones, from a minor version on. */
export const REPLACED_CHECKS: ReadonlyMap<SecurityCheck, number> = new Map([
  [capabilities, 22],
  [hostPathVolumes, 0],
  [seccompProfile, 19],
]);

/** The baseline level, in the order of upstream's messages. */
export const BASELINE_CHECKS: readonly SecurityCheck[] = [
  appArmorProfile,
  capabilities,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  privileged,
  procMount,
  seLinuxOptions,
  seccompProfile,
  sysctls,
  windowsHostProcess,
];
