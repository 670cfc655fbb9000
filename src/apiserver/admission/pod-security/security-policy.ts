import type { PodSpec } from "../../../api/generated/types/core-v1.ts";
import type { ObjectMeta } from "../../../api/generated/types/meta-v1.ts";
import { BASELINE_CHECKS } from "./baseline-checks.ts";
import { RESTRICTED_CHECKS } from "./restricted-checks.ts";
import type { Violation } from "./security-check.ts";

const PREFIX = "pod-security.kubernetes.io/";
const MODES = ["enforce", "audit", "warn"] as const;

/** Levels of the Pod Security Standards, from the loosest. */
export const SECURITY_LEVELS = ["privileged", "baseline", "restricted"] as const;
export type SecurityLevel = (typeof SECURITY_LEVELS)[number];

/** A level as of a version of the standards. */
export interface SecurityTarget {
  level: SecurityLevel;
  /** "latest" or "v1.32". */
  version: string;
}

/** What a namespace wants. */
export type SecurityPolicy = Record<(typeof MODES)[number], SecurityTarget>;

/** A label that says nothing that exists. */
export interface LabelProblem {
  label: string;
  message: string;
}

function isLevel(text: string): text is SecurityLevel {
  return (SECURITY_LEVELS as readonly string[]).includes(text);
}

/** "baseline:latest" */
export function formatTarget({ level, version }: SecurityTarget): string {
  return `${level}:${version}`;
}

/**
 * The policy of a namespace by its labels, over defaults. A level that cannot be read becomes
 * restricted for enforcement, so that a typing error never opens a namespace.
 */
export function policyOf(
  labels: Readonly<Record<string, string>>,
  defaults: SecurityPolicy,
): { policy: SecurityPolicy; problems: LabelProblem[] } {
  const problems: LabelProblem[] = [];
  const targetOf = (mode: (typeof MODES)[number]): SecurityTarget => {
    const target = { ...defaults[mode] };
    const level = labels[PREFIX + mode];
    const version = labels[`${PREFIX}${mode}-version`];
    if (level !== undefined && isLevel(level)) target.level = level;
    else if (level !== undefined) {
      target.level = mode === "enforce" ? "restricted" : "privileged";
      const message = `Invalid value: ${JSON.stringify(level)}: must be one of ${SECURITY_LEVELS.join(", ")}`;
      problems.push({ label: PREFIX + mode, message });
    }
    if (version !== undefined && /^(latest|v1\.(0|[1-9]\d*))$/.test(version)) {
      target.version = version;
    } else if (version !== undefined) {
      const message = `Invalid value: ${JSON.stringify(version)}: must be "latest" or "v1.x"`;
      problems.push({ label: `${PREFIX}${mode}-version`, message });
    }
    return target;
  };
  const policy = {
    enforce: targetOf("enforce"),
    audit: targetOf("audit"),
    warn: targetOf("warn"),
  };
  return { policy, problems };
}

/** Everything in which a pod breaks the level as of its version; empty when it keeps it. */
export function violationsOf(
  { level, version }: SecurityTarget,
  pod: { metadata: ObjectMeta; spec: PodSpec },
): Violation[] {
  if (level === "privileged") return [];
  const checks = level === "baseline" ? BASELINE_CHECKS : RESTRICTED_CHECKS;
  const minor = version === "latest" ? Number.MAX_SAFE_INTEGER : Number(version.slice(3));
  return checks.flatMap((check) => check({ ...pod, minor }) ?? []);
}

/** `reason (detail), reason (detail)` */
export function describeViolations(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => `${reason} (${detail})`).join(", ");
}
