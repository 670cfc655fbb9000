import { forbidden, STATUS_REASONS, StatusError, type StatusReason } from "../../../api/errors.ts";
import {
  VALIDATING_ADMISSION_POLICIES,
  VALIDATING_ADMISSION_POLICY_BINDINGS,
} from "../../../api/generated/resources.ts";
import type {
  MatchResources,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../../../api/generated/types/admissionregistration-v1.ts";
import type { Resource } from "../../../api/resource.ts";
import type { Environment } from "../../../lib/cel/environment.ts";
import { createKubernetesEnvironment } from "../../../lib/cel/kubernetes-environment.ts";
import type {
  AdmissionPlugin,
  AdmissionRequest,
  Authorizer,
  ObjectReader,
  ServedKinds,
} from "../../contract.ts";
import type { AdmissionMetrics, PolicyOutcome } from "../../metrics/admission-metrics.ts";
import { type CompiledPolicy, compilePolicy } from "./compiled-policy.ts";
import { matchedResource } from "./match-resources.ts";
import { decide, type Decisions } from "./policy-decisions.ts";
import { PolicyInput } from "./policy-input.ts";
import { paramsOf, PolicyConfigError } from "./policy-params.ts";

interface Parts {
  reader: ObjectReader;
  authorizer: Authorizer;
  /** Other versions of what a request is about. */
  kinds?: ServedKinds | undefined;
  metrics?: AdmissionMetrics | undefined;
}

/** Nobody may lock themselves out of the policies. */
const EXEMPT: ReadonlySet<string> = new Set(
  [
    "validatingadmissionpolicies validatingadmissionpolicybindings",
    "mutatingadmissionpolicies mutatingadmissionpolicybindings",
  ].flatMap((names) => names.split(" ").map((name) => `admissionregistration.k8s.io/${name}`)),
);
/** Reviews ask and change nothing. */
const REVIEW_GROUPS: ReadonlySet<string> = new Set([
  "authentication.k8s.io",
  "authorization.k8s.io",
]);
const FAILURES_MAX = 50;
const ANNOTATION_BYTES_MAX = 10 * 1024;

/** ValidatingAdmissionPolicy: refuses what the policies of users do not allow. */
export function validatingPolicyPlugin(parts: Parts): AdmissionPlugin {
  const { reader } = parts;
  let base: Environment | undefined;
  const compiled = new WeakMap<ValidatingAdmissionPolicy, CompiledPolicy>();
  const compiledOf = (policy: ValidatingAdmissionPolicy): CompiledPolicy => {
    let known = compiled.get(policy);
    if (!known) {
      base ??= createKubernetesEnvironment();
      known = compilePolicy(policy, base);
      compiled.set(policy, known);
    }
    return known;
  };
  return {
    name: "ValidatingAdmissionPolicy",
    handles: ({ resource: { group, plural } }) =>
      !REVIEW_GROUPS.has(group) &&
      !EXEMPT.has(`${group}/${plural}`) &&
      reader.list(VALIDATING_ADMISSION_POLICY_BINDINGS).length > 0,
    validate: (request) => new Review(request, parts).run(compiledOf),
  };
}

interface Refusal {
  message: string;
  reason: string | undefined;
}

interface Bound {
  policy: ValidatingAdmissionPolicy;
  binding: ValidatingAdmissionPolicyBinding;
}

/** All policies and bindings on one request. */
class Review {
  readonly #request: AdmissionRequest;
  readonly #parts: Parts;
  /** What expressions see, by the version that a policy is about. */
  readonly #inputs = new Map<Resource, PolicyInput>();
  readonly #refusals: Refusal[] = [];
  readonly #failures: object[] = [];
  readonly #annotations = new Map<string, string[]>();

  constructor(request: AdmissionRequest, parts: Parts) {
    this.#request = request;
    this.#parts = parts;
  }

  /** @throws StatusError of the first policy that refuses */
  async run(compiledOf: (policy: ValidatingAdmissionPolicy) => CompiledPolicy): Promise<void> {
    const { reader } = this.#parts;
    const bindings = reader.list(VALIDATING_ADMISSION_POLICY_BINDINGS);
    for (const policy of reader.list(VALIDATING_ADMISSION_POLICIES)) {
      const name = policy.metadata?.name;
      const constraints = policy.spec?.matchConstraints;
      const matched = constraints ? this.#matched(constraints) : this.#request.resource;
      if (!matched) continue;
      for (const binding of bindings) {
        if (binding.spec?.policyName !== name) continue;
        const { matchResources } = binding.spec ?? {};
        if (matchResources && !this.#matched(matchResources)) continue;
        const input = this.#inputs.get(matched) ?? (await this.#inputOf(matched));
        this.#apply({ policy, binding }, { input, compiled: compiledOf(policy) });
      }
    }
    this.#publish();
    const [first] = this.#refusals;
    if (first) throw refusalOf(this.#request, first);
  }

  #matched(match: MatchResources): Resource | undefined {
    return matchedResource(match, this.#request, this.#parts);
  }

  async #inputOf(resource: Resource): Promise<PolicyInput> {
    const request = this.#request;
    const { kinds } = this.#parts;
    let seen = request;
    if (resource !== request.resource && kinds) {
      const of = { from: request.resource, to: resource };
      const convert = async (object: Record<string, unknown> | undefined) =>
        object ? kinds.convert(object, of) : undefined;
      const object = await convert(request.object);
      const oldObject = await convert(request.oldObject);
      seen = {
        ...request,
        resource,
        ...(object ? { object } : {}),
        ...(oldObject ? { oldObject } : {}),
      };
    }
    const input = new PolicyInput(seen, { ...this.#parts, asked: request.resource });
    this.#inputs.set(resource, input);
    return input;
  }

  #apply(bound: Bound, of: { input: PolicyInput; compiled: CompiledPolicy }): void {
    const { input, compiled } = of;
    const { policy, binding } = bound;
    const ignoresFailures = policy.spec?.failurePolicy === "Ignore";
    const beganMs = this.#parts.metrics?.begin() ?? 0;
    let params: readonly (object | null)[];
    try {
      const { namespace } = this.#request;
      const kind = policy.spec?.paramKind;
      params = paramsOf({ kind, ref: binding.spec?.paramRef, namespace }, this.#parts.reader);
    } catch (error) {
      if (!(error instanceof PolicyConfigError)) throw error;
      const message = `failed to configure binding: ${error.message}`;
      const action = ignoresFailures ? "allow" : "deny";
      this.#count(bound, { action, failed: true, beganMs });
      if (!ignoresFailures) this.#refuse(bound, { message, reason: undefined });
      return;
    }
    for (const param of params) {
      const decisions = decide(compiled, { input, param, ignoresFailures });
      this.#take(bound, decisions);
      const denied = decisions.denials.length > 0;
      const actions = denied ? (binding.spec?.validationActions ?? []) : ["Allow"];
      for (const each of actions) {
        const action = each.toLowerCase() as PolicyOutcome["action"];
        this.#count(bound, { action, failed: false, beganMs });
      }
    }
  }

  #count(
    { policy, binding }: Bound,
    of: Pick<PolicyOutcome, "action" | "failed" | "beganMs">,
  ): void {
    const names = { policy: policy.metadata?.name ?? "", binding: binding.metadata?.name ?? "" };
    this.#parts.metrics?.policy({ ...names, ...of });
  }

  #take(bound: Bound, { denials, annotations, annotationErrors }: Decisions): void {
    const { policy, binding } = bound;
    const actions = binding.spec?.validationActions ?? [];
    const names = { policy: policy.metadata?.name ?? "", binding: binding.metadata?.name ?? "" };
    for (const { index, message, reason } of denials) {
      if (actions.includes("Deny")) this.#refuse(bound, { message, reason });
      if (actions.includes("Warn")) {
        this.#request.warn(
          `Validation failed for ValidatingAdmissionPolicy '${names.policy}' ` +
            `with binding '${names.binding}': ${message}`,
        );
      }
      if (actions.includes("Audit")) {
        const failure = { message, ...names, expressionIndex: index, validationActions: actions };
        this.#failures.push(failure);
      }
    }
    for (const { key, value } of annotations) {
      const known = this.#annotations.get(`${names.policy}/${key}`) ?? [];
      const shown = value.slice(0, ANNOTATION_BYTES_MAX);
      if (!known.includes(shown)) {
        this.#annotations.set(`${names.policy}/${key}`, [...known, shown]);
      }
    }
    for (const message of annotationErrors) this.#refuse(bound, { message, reason: undefined });
  }

  #refuse({ policy, binding }: Bound, { message, reason }: Refusal): void {
    const who = `'${policy.metadata?.name}' with binding '${binding.metadata?.name}'`;
    const text = `ValidatingAdmissionPolicy ${who} denied request: ${message}`;
    this.#refusals.push({ message: text, reason });
  }

  #publish(): void {
    const { annotate } = this.#request;
    if (!annotate) return;
    for (const [key, values] of this.#annotations) annotate(key, values.join(", "));
    if (this.#failures.length === 0) return;
    const failures = this.#failures.slice(0, FAILURES_MAX);
    annotate("validation.policy.admission.k8s.io/validation_failure", JSON.stringify(failures));
  }
}

const REASON_CODES: Readonly<Record<string, number>> = {
  Forbidden: STATUS_REASONS.Forbidden,
  Unauthorized: STATUS_REASONS.Unauthorized,
  RequestEntityTooLarge: STATUS_REASONS.RequestEntityTooLarge,
  Invalid: STATUS_REASONS.Invalid,
};

function refusalOf(request: AdmissionRequest, { message, reason }: Refusal): StatusError {
  const { resource } = request;
  const { generateName } = (request.object?.["metadata"] ?? {}) as { generateName?: string };
  const name = request.name || generateName || "";
  const { message: text } = forbidden(resource, name, message);
  const known = reason && REASON_CODES[reason] ? reason : "Invalid";
  return new StatusError(known as StatusReason, text, {
    subject: { group: resource.group, kind: resource.plural, name },
    causes: [{ message }],
    code: REASON_CODES[known] ?? STATUS_REASONS.Invalid,
  });
}
