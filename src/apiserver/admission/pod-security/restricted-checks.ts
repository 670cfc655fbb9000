import type { Volume } from "../../../api/generated/types/core-v1.ts";
import { BASELINE_CHECKS, REPLACED_CHECKS, seccompProfile } from "./baseline-checks.ts";
import {
  blame,
  containersThat,
  named,
  plural,
  quoteAll,
  type SecurityCheck,
  since,
  violation,
} from "./security-check.ts";

const VOLUME_TYPES = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

/** The version that knew first of pods that name their operating system. */
const OS_MINOR = 25;

/** Linux hardening means nothing on Windows. */
function onLinux(check: SecurityCheck): SecurityCheck {
  return (pod) =>
    pod.spec.os?.name === "windows" && pod.minor >= OS_MINOR ? undefined : check(pod);
}

const allowPrivilegeEscalation: SecurityCheck = ({ spec }) =>
  violation(
    "allowPrivilegeEscalation != false",
    blame(
      false,
      containersThat(spec, (security) => security.allowPrivilegeEscalation !== false),
    ),
    "must set securityContext.allowPrivilegeEscalation=false",
  );

const capabilities: SecurityCheck = ({ spec }) => {
  const added = new Set<string>();
  const keeping = containersThat(spec, (security) => !security.capabilities?.drop?.includes("ALL"));
  const adding = containersThat(spec, (security) => {
    const bad = (security.capabilities?.add ?? []).filter((name) => name !== "NET_BIND_SERVICE");
    for (const name of bad) added.add(name);
    return bad.length > 0;
  });
  const details = [
    ...(keeping.length > 0
      ? [`${named("container", keeping)} must set securityContext.capabilities.drop=["ALL"]`]
      : []),
    ...(adding.length > 0
      ? [
          `${named("container", adding)} must not include ${quoteAll([...added].sort())} in securityContext.capabilities.add`,
        ]
      : []),
  ];
  if (details.length === 0) return undefined;
  return { reason: "unrestricted capabilities", detail: details.join("; ") };
};

function typeOf(volume: Volume): string {
  return Object.keys(volume).find((key) => key !== "name") ?? "unknown";
}

const restrictedVolumes: SecurityCheck = ({ spec }) => {
  const bad = (spec.volumes ?? []).filter((volume) => !VOLUME_TYPES.has(typeOf(volume)));
  if (bad.length === 0) return undefined;
  const types = [...new Set(bad.map(typeOf))].sort();
  const who = named(
    "volume",
    bad.map(({ name }) => name),
  );
  const verb = bad.length === 1 ? "uses" : "use";
  const what = `${plural("restricted volume type", types.length)} ${quoteAll(types)}`;
  return { reason: "restricted volume types", detail: `${who} ${verb} ${what}` };
};

const runAsNonRoot: SecurityCheck = ({ spec }) => {
  const reason = "runAsNonRoot != true";
  const ofPod = spec.securityContext?.runAsNonRoot;
  const explicit = containersThat(spec, (security) => security.runAsNonRoot === false);
  const who = blame(ofPod === false, explicit);
  if (who) return violation(reason, who, "must not set securityContext.runAsNonRoot=false");
  if (ofPod) return undefined;
  const open = containersThat(spec, (security) => security.runAsNonRoot === undefined);
  if (open.length === 0) return undefined;
  const what = "must set securityContext.runAsNonRoot=true";
  return { reason, detail: `pod or ${named("container", open)} ${what}` };
};

const runAsUser: SecurityCheck = ({ spec }) =>
  violation(
    "runAsUser=0",
    blame(
      spec.securityContext?.runAsUser === 0,
      containersThat(spec, (security) => security.runAsUser === 0),
    ),
    "must not set runAsUser=0",
  );

const seccompProfileSet: SecurityCheck = (pod) => {
  const explicit = seccompProfile(pod);
  if (explicit || pod.spec.securityContext?.seccompProfile) return explicit;
  const open = containersThat(pod.spec, (security) => security.seccompProfile === undefined);
  if (open.length === 0) return undefined;
  return {
    reason: "seccompProfile",
    detail: `pod or ${named("container", open)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};

/** A rule that another one took the place of. */
function until(minor: number | undefined, check: SecurityCheck): SecurityCheck {
  if (minor === undefined) return check;
  return (pod) => (pod.minor < minor ? check(pod) : undefined);
}

/** The restricted level: the baseline and what it adds, in the order of upstream's messages. */
export const RESTRICTED_CHECKS: readonly SecurityCheck[] = [
  ...BASELINE_CHECKS.map((check) => until(REPLACED_CHECKS.get(check), check)),
  since(8, onLinux(allowPrivilegeEscalation)),
  since(22, onLinux(capabilities)),
  restrictedVolumes,
  runAsNonRoot,
  since(23, runAsUser),
  since(19, onLinux(seccompProfileSet)),
];
