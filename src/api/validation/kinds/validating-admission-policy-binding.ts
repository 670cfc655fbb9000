import { dns1123SubdomainErrors, pathSegmentErrors } from "../../../lib/names.ts";
import type {
  ParamRef,
  ValidatingAdmissionPolicyBinding,
} from "../../generated/types/admissionregistration-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goStrings } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateMatchResources } from "../match-resources.ts";
import { validateSelector } from "../values.ts";

const ACTIONS = ["Audit", "Deny", "Warn"];

/** Rules of ValidatingAdmissionPolicyBinding. */
export const VALIDATING_ADMISSION_POLICY_BINDING: KindRules<ValidatingAdmissionPolicyBinding> = {
  validate(errors, { spec = {} }) {
    const { policyName, paramRef, matchResources, validationActions = [] } = spec;
    if (errors.present("spec.policyName", policyName)) {
      errors.complaints("spec.policyName", policyName, dns1123SubdomainErrors(policyName));
    }
    if (paramRef) validateParamRef(errors, paramRef);
    if (matchResources) validateMatchResources(errors, "spec.matchResources", matchResources);
    validateActions(errors, validationActions);
  },
};

function validateParamRef(errors: FieldErrors, ref: ParamRef): void {
  const field = "spec.paramRef";
  const { name, selector, parameterNotFoundAction } = ref;
  const exclusive = "name and selector are mutually exclusive";
  if (name) {
    errors.complaints(`${field}.name`, name, pathSegmentErrors(name));
    if (selector) errors.forbidden(`${field}.name`, exclusive);
  }
  if (selector) {
    validateSelector(errors, `${field}.selector`, selector);
    if (name) errors.forbidden(`${field}.selector`, exclusive);
  }
  if (!name && !selector) errors.required(field, "one of name or selector must be specified");
  if (errors.present(`${field}.parameterNotFoundAction`, parameterNotFoundAction)) {
    const allowed = ["Deny", "Allow"];
    errors.oneOf(`${field}.parameterNotFoundAction`, parameterNotFoundAction, allowed);
  }
}

function validateActions(errors: FieldErrors, actions: readonly string[]): void {
  const field = "spec.validationActions";
  if (actions.length === 0) {
    errors.required(field, "at least one validation action is required");
    return;
  }
  for (const [at, action] of actions.entries()) {
    errors.oneOf(`${field}[${at}]`, action, ACTIONS);
    if (actions.indexOf(action) < at) errors.duplicate(`${field}[${at}]`, action);
  }
  if (actions.includes("Deny") && actions.includes("Warn")) {
    const why =
      "must not contain both Deny and Warn (repeating the same validation failure information in " +
      "the API response and headers serves no purpose)";
    errors.invalid(field, goStrings(actions, "admissionregistration.ValidationAction"), why);
  }
}
