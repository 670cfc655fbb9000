import type { Environment } from "../../../lib/cel/environment.ts";
import { createKubernetesEnvironment } from "../../../lib/cel/kubernetes-environment.ts";
import {
  BOOL,
  DYN,
  NULL,
  type ObjectField,
  type ObjectType,
  STRING,
  type Type,
} from "../../../lib/cel/types.ts";
import { deepEqual } from "../../../lib/deep-equal.ts";
import { JsonPathError, parseJsonPath } from "../../../lib/json-path.ts";
import {
  dns1035LabelErrors,
  dns1123SubdomainErrors,
  qualifiedNameErrors,
} from "../../../lib/names.ts";
import type {
  AuditAnnotation,
  ExpressionWarning,
  ParamKind,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicySpec,
  Validation,
  Variable,
} from "../../generated/types/admissionregistration-v1.ts";
import { checkExpression } from "../../policy/expression-problem.ts";
import { policyEnvironment } from "../../policy/policy-environment.ts";
import { judging, storedExpressions } from "../../policy/stored-expressions.ts";
import { validateConditions } from "../conditions.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateMatchConditions } from "../match-conditions.ts";
import { validateMatchResources } from "../match-resources.ts";

const REASONS = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
const ANNOTATIONS_MAX = 20;
const VALUE_EXPRESSION_MAX = 5 * 1024;

/** Words of the expression language, which name no variable. */
const RESERVED: ReadonlySet<string> = new Set(
  (
    "true false null in as break const continue else for function if import let loop package " +
    "namespace return var void while"
  ).split(" "),
);

/** Rules of ValidatingAdmissionPolicy. */
export const VALIDATING_ADMISSION_POLICY: KindRules<ValidatingAdmissionPolicy> = {
  validateCreate(errors, { metadata, spec = {} }) {
    new Checker(errors, spec).check(metadata?.name ?? "");
  },
  validateUpdate(errors, { metadata, spec = {} }, old) {
    // What was accepted once stays valid, whatever later versions think of it.
    if (deepEqual(spec, old.spec)) return;
    new Checker(errors, spec, storedExpressions(old.spec)).check(metadata?.name ?? "");
  },
  subresources: {
    status(errors, { status }) {
      for (const [at, warning] of (status?.typeChecking?.expressionWarnings ?? []).entries()) {
        validateWarning(errors, `status.typeChecking.expressionWarnings[${at}]`, warning);
      }
      validateConditions(errors, "status.conditions", status?.conditions);
    },
  },
};

class Checker {
  readonly #errors: FieldErrors;
  readonly #spec: ValidatingAdmissionPolicySpec;
  readonly #params: Record<string, Type>;
  readonly #fields = new Map<string, ObjectField>();
  readonly #composed: ObjectType;
  readonly #stored: ReadonlySet<string>;
  #base: Environment | undefined;

  constructor(
    errors: FieldErrors,
    spec: ValidatingAdmissionPolicySpec,
    stored: ReadonlySet<string> = new Set(),
  ) {
    this.#errors = errors;
    this.#spec = spec;
    this.#stored = stored;
    this.#params = spec.paramKind ? { params: DYN } : {};
    this.#composed = { kind: "object", name: "kubernetes.variables", fields: this.#fields };
  }

  check(name: string): void {
    const errors = this.#errors;
    const { failurePolicy, paramKind, matchConstraints, matchConditions } = this.#spec;
    if (errors.present("spec.failurePolicy", failurePolicy)) {
      errors.oneOf("spec.failurePolicy", failurePolicy, ["Fail", "Ignore"]);
    }
    if (paramKind) validateParamKind(errors, paramKind);
    if (!matchConstraints) errors.required("spec.matchConstraints");
    else {
      validateMatchResources(errors, "spec.matchConstraints", matchConstraints);
      if (!matchConstraints.resourceRules?.length) {
        errors.required("spec.matchConstraints.resourceRules");
      }
    }
    const conditions = matchConditions ?? [];
    validateMatchConditions(errors, "spec.matchConditions", {
      conditions,
      environment: () => this.#environment({ composed: false, authorizer: true }),
      stored: this.#stored,
    });
    for (const [at, variable] of (this.#spec.variables ?? []).entries()) {
      this.#variable(`spec.variables[${at}]`, variable);
    }
    this.#checks(name);
  }

  #checks(name: string): void {
    const errors = this.#errors;
    const { validations = [], auditAnnotations = [] } = this.#spec;
    if (validations.length === 0 && auditAnnotations.length === 0) {
      const why = "validations or auditAnnotations must contain at least one item";
      errors.required("spec.validations", why);
      errors.required("spec.auditAnnotations", why);
    }
    for (const [at, validation] of validations.entries()) {
      this.#validation(`spec.validations[${at}]`, validation);
    }
    if (auditAnnotations.length > ANNOTATIONS_MAX) {
      const why = `must not have more than ${ANNOTATIONS_MAX} auditAnnotations`;
      errors.invalid("spec.auditAnnotations", auditAnnotations, why);
    }
    const keys = new Set<string>();
    for (const [at, annotation] of auditAnnotations.entries()) {
      const field = `spec.auditAnnotations[${at}]`;
      this.#annotation(field, annotation, name);
      if (keys.has(annotation.key)) errors.duplicate(`${field}.key`, annotation.key);
      keys.add(annotation.key);
    }
  }

  #environment(of: { composed: boolean; authorizer: boolean }): Environment {
    this.#base ??= createKubernetesEnvironment();
    const composed = of.composed ? { variables: this.#composed } : {};
    const { authorizer } = of;
    return policyEnvironment(this.#base, {
      variables: { ...this.#params, ...composed },
      authorizer,
    });
  }

  #expression(
    field: string,
    source: string,
    of: { types?: readonly Type[]; authorizer: boolean },
  ): Type {
    const composed = (this.#spec.variables ?? []).length > 0;
    const whole = this.#environment({ composed, authorizer: of.authorizer });
    const environment = judging(whole, { source, stored: this.#stored });
    const types = of.types ?? [];
    const { program, problem } = checkExpression(source, { environment, types });
    if (problem) this.#errors.invalid(field, source, problem);
    return program?.type ?? DYN;
  }

  #variable(field: string, { name, expression }: Variable): void {
    const errors = this.#errors;
    if (!name?.trim()) errors.required(`${field}.name`, "name is not specified");
    else if (!/^[A-Za-z_]\w*$/.test(name) || RESERVED.has(name)) {
      errors.invalid(`${field}.name`, name, "name is not a valid CEL identifier");
    }
    if (!expression?.trim()) {
      errors.required(`${field}.expression`, "expression is not specified");
      return;
    }
    const type = this.#expression(`${field}.expression`, expression, { authorizer: true });
    this.#fields.set(name, { name, type });
  }

  #validation(field: string, validation: Validation): void {
    const errors = this.#errors;
    const { expression, message = "", messageExpression = "", reason } = validation;
    if (!expression?.trim()) {
      errors.required(`${field}.expression`, "expression is not specified");
    } else {
      const of = { types: [BOOL], authorizer: true };
      this.#expression(`${field}.expression`, expression, of);
    }
    if (messageExpression && !messageExpression.trim()) {
      const why = "must be non-empty if specified";
      errors.invalid(`${field}.messageExpression`, messageExpression, why);
    } else if (messageExpression) {
      const of = { types: [STRING], authorizer: false };
      this.#expression(`${field}.messageExpression`, messageExpression, of);
    }
    if (message && !message.trim()) {
      errors.invalid(`${field}.message`, message, "message must be non-empty if specified");
    } else if (/[\n\r]/.test(message.trim())) {
      errors.invalid(`${field}.message`, message, "message must not contain line breaks");
    }
    errors.oneOf(`${field}.reason`, reason, REASONS);
  }

  #annotation(field: string, { key, valueExpression }: AuditAnnotation, name: string): void {
    const errors = this.#errors;
    if (!name) errors.invalid(`${field}.key`, key, "requires metadata.name be non-empty");
    else errors.complaints(`${field}.key`, `${name}/${key}`, qualifiedNameErrors(`${name}/${key}`));
    const place = `${field}.valueExpression`;
    const source = valueExpression?.trim() ?? "";
    if (source === "") errors.required(place, "valueExpression is not specified");
    else if (Buffer.byteLength(source) > VALUE_EXPRESSION_MAX) {
      errors.required(place, `must not exceed ${VALUE_EXPRESSION_MAX} bytes in length`);
    } else this.#expression(place, source, { types: [STRING, NULL], authorizer: true });
  }
}

/** What a check of types found, and in which expression. */
function validateWarning(errors: FieldErrors, field: string, found: ExpressionWarning): void {
  errors.present(`${field}.warning`, found.warning);
  const place = `${field}.fieldRef`;
  const path = (found.fieldRef ?? "").trim();
  if (!errors.present(place, path)) return;
  try {
    // A reference may begin with a name, as "spec.validations[0].expression" does.
    parseJsonPath(/^\w/.test(path) ? `{.${path}}` : `{${path}}`);
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    errors.invalid(place, path, `invalid JSONPath: ${error.message}`);
  }
}

function validateParamKind(errors: FieldErrors, { apiVersion, kind }: ParamKind): void {
  if (errors.present("spec.paramKind.apiVersion", apiVersion)) {
    const parts = apiVersion.split("/");
    const [group = "", version = ""] = parts.length === 1 ? ["", apiVersion] : parts;
    const field = "spec.paramKind.apiVersion";
    const join = (value: string, complaints: readonly string[]) => {
      if (complaints.length > 0) errors.invalid(field, value, complaints.join(","));
    };
    if (parts.length > 2) {
      errors.invalid(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
    } else {
      if (group) join(group, dns1123SubdomainErrors(group));
      if (version === "") errors.invalid(field, apiVersion, "version must be specified");
      else join(version, dns1035LabelErrors(version));
    }
  }
  if (errors.present("spec.paramKind.kind", kind)) {
    const complaints = dns1035LabelErrors(kind.toLowerCase());
    const prefix = "may have mixed case, but should otherwise match: ";
    if (complaints.length === 0) return;
    errors.invalid("spec.paramKind.kind", kind, prefix + complaints.join(","));
  }
}
