import { forbidden, invalid } from "../../api/errors.ts";
import { NAMESPACES, PODS } from "../../api/generated/resources.ts";
import type { Namespace, PodSpec, PodTemplateSpec } from "../../api/generated/types/core-v1.ts";
import type { ObjectMeta } from "../../api/generated/types/meta-v1.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "../contract.ts";
import { podOf } from "./admitted-pod.ts";
import {
  describeViolations,
  formatTarget,
  policyOf,
  SECURITY_LEVELS,
  type SecurityLevel,
  type SecurityPolicy,
  violationsOf,
} from "./pod-security/security-policy.ts";

const TEMPLATES = new Set([
  "/podtemplates",
  "/replicationcontrollers",
  "apps/daemonsets",
  "apps/deployments",
  "apps/replicasets",
  "apps/statefulsets",
  "batch/cronjobs",
  "batch/jobs",
]);
/** Subresources of pods whose object is the pod and may change what runs. */
const POD_SUBRESOURCES = new Set([undefined, "ephemeralcontainers", "resize"]);

/** Cluster-wide defaults of Pod Security; namespaces override them by label. */
export interface PodSecurityOptions {
  /** Defaults to "baseline". */
  enforce?: SecurityLevel;
  /** Defaults to the enforced level, so that workloads warn before their pods fail. */
  warn?: SecurityLevel;
  /** Defaults to the enforced level. */
  audit?: SecurityLevel;
  /** Defaults to kube-system. */
  exemptNamespaces?: readonly string[];
}

interface Subject {
  metadata: ObjectMeta;
  spec: PodSpec;
}

function templateOf(request: AdmissionRequest): PodTemplateSpec | undefined {
  const object = request.object as {
    template?: PodTemplateSpec;
    spec?: {
      template?: PodTemplateSpec;
      jobTemplate?: { spec?: { template?: PodTemplateSpec } };
    };
  };
  return object.template ?? object.spec?.template ?? object.spec?.jobTemplate?.spec?.template;
}

/** Fields of a pod that can change after it was created and that a check looks at. */
function isSignificantUpdate(request: AdmissionRequest): boolean {
  const parts = (object: Record<string, unknown> | undefined) => {
    const { metadata, spec } = (object ?? {}) as { metadata?: ObjectMeta; spec?: PodSpec };
    const images = [spec?.initContainers, spec?.containers, spec?.ephemeralContainers];
    const guarded = Object.entries(metadata?.annotations ?? {}).filter(([key]) =>
      key.includes("apparmor.security.beta.kubernetes.io/"),
    );
    return JSON.stringify([images, guarded, spec?.securityContext]);
  };
  return parts(request.object) !== parts(request.oldObject);
}

/** Keeps pods to the Pod Security Standards that their namespace asks for. */
export function podSecurityPlugin(
  reader: ObjectReader,
  options: PodSecurityOptions = {},
): AdmissionPlugin {
  const { enforce = "baseline" } = options;
  const { warn = enforce, audit = enforce } = options;
  const exempt = new Set(options.exemptNamespaces ?? ["kube-system"]);
  const latest = (level: SecurityLevel) => ({ level, version: "latest" });
  const defaults: SecurityPolicy = {
    enforce: latest(enforce),
    warn: latest(warn),
    audit: latest(audit),
  };
  const policyFor = (labels: Readonly<Record<string, string>> | undefined) =>
    policyOf(labels ?? {}, defaults);

  /** Read once from the labels of a namespace, which are others when it changes. */
  const known = new WeakMap<object, SecurityPolicy>();
  const policyIn = (namespace: Namespace | undefined): SecurityPolicy => {
    const labels = namespace?.metadata?.labels;
    let policy = labels && known.get(labels);
    if (policy) return policy;
    ({ policy } = policyFor(labels));
    if (labels && Object.isFrozen(labels)) known.set(labels, policy);
    return policy;
  };

  const judge = (request: AdmissionRequest, subject: Subject, enforced: boolean) => {
    const policy = policyIn(reader.get(NAMESPACES, { name: request.namespace ?? "" }));
    if (enforced) {
      const violations = violationsOf(policy.enforce, subject);
      if (violations.length > 0) {
        const target = JSON.stringify(formatTarget(policy.enforce));
        const why = `violates PodSecurity ${target}: ${describeViolations(violations)}`;
        throw forbidden(request.resource, request.name, why);
      }
    }
    // A pod that the enforced level will refuse deserves the warning on its workload too.
    const warned = violationsOf(policy.warn, subject);
    if (warned.length === 0) return;
    const target = JSON.stringify(formatTarget(policy.warn));
    request.warn(`would violate PodSecurity ${target}: ${describeViolations(warned)}`);
  };

  const warnOfPresentPods = (request: AdmissionRequest, policy: SecurityPolicy) => {
    const broken = new Map<string, string[]>();
    for (const pod of reader.list(PODS, request.name)) {
      if (!pod.spec) continue;
      const subject = { metadata: pod.metadata ?? {}, spec: pod.spec };
      const violations = violationsOf(policy.enforce, subject);
      if (violations.length === 0) continue;
      const reasons = violations.map(({ reason }) => reason).join(", ");
      broken.set(reasons, [...(broken.get(reasons) ?? []), pod.metadata?.name ?? ""]);
    }
    if (broken.size === 0) return;
    const level = JSON.stringify(formatTarget(policy.enforce));
    request.warn(
      `existing pods in namespace ${JSON.stringify(request.name)} violate the new PodSecurity enforce level ${level}`,
    );
    for (const [reasons, [first, ...others]] of broken) {
      const noun = others.length === 1 ? "other pod" : "other pods";
      const more = others.length > 0 ? ` (and ${others.length} ${noun})` : "";
      request.warn(`${first}${more}: ${reasons}`);
    }
  };

  const judgeNamespace = (request: AdmissionRequest) => {
    const next = policyFor((request.object as unknown as Namespace).metadata?.labels);
    const old = policyFor((request.oldObject as Namespace | undefined)?.metadata?.labels);
    const changed = JSON.stringify(next.problems) !== JSON.stringify(old.problems);
    if (next.problems.length > 0 && (request.operation === "CREATE" || changed)) {
      throw invalid(
        NAMESPACES,
        request.name,
        next.problems.map(({ label, message }) => ({
          reason: "FieldValueInvalid",
          field: `metadata.labels[${label}]`,
          message,
        })),
      );
    }
    if (request.operation === "CREATE" || exempt.has(request.name)) return;
    const rank = ({ enforce: { level } }: SecurityPolicy) => SECURITY_LEVELS.indexOf(level);
    if (rank(next.policy) > rank(old.policy)) warnOfPresentPods(request, next.policy);
  };

  const isWrite = ({ operation }: AdmissionRequest) =>
    operation === "CREATE" || operation === "UPDATE";
  const kindOf = ({ resource, subresource }: AdmissionRequest) => {
    const key = `${resource.group}/${resource.plural}`;
    if (key === "/pods") return POD_SUBRESOURCES.has(subresource) ? "pod" : undefined;
    if (subresource) return undefined;
    if (key === "/namespaces") return "namespace";
    return TEMPLATES.has(key) ? "template" : undefined;
  };

  return {
    name: "PodSecurity",
    handles: (request) => {
      const kind = isWrite(request) ? kindOf(request) : undefined;
      return kind !== undefined && (kind === "namespace" || !exempt.has(request.namespace ?? ""));
    },
    validate: (request) => {
      const kind = kindOf(request);
      if (kind === "namespace") return judgeNamespace(request);
      if (kind === "template") {
        const template = templateOf(request);
        if (!template?.spec) return;
        return judge(request, { metadata: template.metadata ?? {}, spec: template.spec }, false);
      }
      if (request.operation === "UPDATE" && !isSignificantUpdate(request)) return;
      const { metadata = {}, spec } = podOf(request);
      judge(request, { metadata, spec }, true);
    },
  };
}
