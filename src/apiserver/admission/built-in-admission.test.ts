import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../lib/random.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { createAuthorizer } from "../authorization/authorization.ts";
import { memoryReader } from "../authorization/memory-reader.ts";
import { builtInAdmission } from "./built-in-admission.ts";

test("plugins decide in upstream's order, quotas last", () => {
  const reader = memoryReader();
  const sources = { clock: new VirtualClock(), random: seededRandom(1) };
  const plugins = builtInAdmission({ reader, authorizer: createAuthorizer(reader), ...sources });
  assert.deepEqual(
    plugins.map(({ name }) => name),
    [
      "NamespaceLifecycle",
      "LimitRanger",
      "ServiceAccount",
      "NodeRestriction",
      "TaintNodesByCondition",
      "PodSecurity",
      "Priority",
      "DefaultTolerationSeconds",
      "DefaultStorageClass",
      "StorageObjectInUseProtection",
      "PersistentVolumeClaimResize",
      "RuntimeClass",
      "CertificateApproval",
      "CertificateSigning",
      "CertificateSubjectRestriction",
      "DefaultIngressClass",
      "RBACEscalation",
      "ValidatingAdmissionPolicy",
      "ResourceQuota",
    ],
  );
});
