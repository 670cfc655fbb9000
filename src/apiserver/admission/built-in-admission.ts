import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { RbacAuthorizer } from "../authorization/rbac-authorizer.ts";
import type { AdmissionPlugin, Authorizer, ObjectReader } from "../contract.ts";
import type { AdmissionMetrics } from "../metrics/admission-metrics.ts";
import {
  certificateApprovalPlugin,
  certificateSigningPlugin,
  certificateSubjectRestrictionPlugin,
} from "./certificate-approval.ts";
import { defaultIngressClassPlugin } from "./default-ingress-class.ts";
import { defaultStorageClassPlugin } from "./default-storage-class.ts";
import { defaultTolerationSecondsPlugin } from "./default-toleration-seconds.ts";
import { limitRangerPlugin } from "./limit-ranger.ts";
import { namespaceLifecyclePlugin } from "./namespace-lifecycle.ts";
import { nodeRestrictionPlugin } from "./node-restriction.ts";
import { persistentVolumeClaimResizePlugin } from "./persistent-volume-claim-resize.ts";
import { podSecurityPlugin, type PodSecurityOptions } from "./pod-security.ts";
import { validatingPolicyPlugin } from "./policy/validating-policy.ts";
import { priorityPlugin } from "./priority.ts";
import { rbacEscalationPlugin } from "./rbac-escalation.ts";
import { resourceQuotaPlugin } from "./resource-quota.ts";
import { runtimeClassPlugin } from "./runtime-class.ts";
import { serviceAccountPlugin } from "./service-account.ts";
import { storageObjectInUseProtectionPlugin } from "./storage-object-in-use-protection.ts";
import { taintNodesByConditionPlugin } from "./taint-nodes-by-condition.ts";
import { mutatingWebhooksPlugin } from "./webhook/mutating-webhooks.ts";
import { validatingWebhooksPlugin } from "./webhook/validating-webhooks.ts";

type WebhookParts = Parameters<typeof mutatingWebhooksPlugin>[0];

/** What the built-in plugins work with. */
export interface BuiltInAdmissionOptions {
  reader: ObjectReader;
  authorizer: Authorizer & { rbac: RbacAuthorizer };
  clock: Clock;
  random: Random;
  podSecurity?: PodSecurityOptions;
  /** Counts what policies and webhooks decide. */
  metrics?: AdmissionMetrics;
  /** Without it no webhook is ever asked. */
  webhooks?: Omit<WebhookParts, "reader" | "random">;
}

/** Every built-in plugin, in the order of upstream. */
export function builtInAdmission(options: BuiltInAdmissionOptions): AdmissionPlugin[] {
  const { reader, authorizer, metrics } = options;
  return [
    namespaceLifecyclePlugin(reader),
    limitRangerPlugin(reader),
    serviceAccountPlugin(options),
    nodeRestrictionPlugin(reader),
    taintNodesByConditionPlugin(),
    podSecurityPlugin(reader, options.podSecurity),
    priorityPlugin(reader),
    defaultTolerationSecondsPlugin(),
    defaultStorageClassPlugin(reader),
    storageObjectInUseProtectionPlugin(),
    persistentVolumeClaimResizePlugin(reader),
    runtimeClassPlugin(reader),
    certificateApprovalPlugin(authorizer),
    certificateSigningPlugin(authorizer),
    certificateSubjectRestrictionPlugin(),
    defaultIngressClassPlugin(reader),
    rbacEscalationPlugin(authorizer),
    validatingPolicyPlugin({ reader, authorizer, metrics, kinds: options.webhooks?.kinds }),
    ...(options.webhooks ? webhookPlugins({ ...options, ...options.webhooks }) : []),
    resourceQuotaPlugin(options),
  ];
}

function webhookPlugins(parts: WebhookParts): AdmissionPlugin[] {
  return [mutatingWebhooksPlugin(parts), validatingWebhooksPlugin(parts)];
}
