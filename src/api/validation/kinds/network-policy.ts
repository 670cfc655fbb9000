import type {
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from "../../generated/types/networking-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goStrings } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";
import {
  isCidr,
  isInside,
  validateCidr,
  validatePort,
  validatePortOrName,
  validateSelector,
} from "../values.ts";

function validatePolicyPorts(
  errors: FieldErrors,
  field: string,
  ports: readonly NetworkPolicyPort[] = [],
): void {
  for (const [index, { protocol, port, endPort }] of ports.entries()) {
    const path = `${field}[${index}]`;
    errors.oneOf(`${path}.protocol`, protocol, ["TCP", "UDP", "SCTP"]);
    if (port !== undefined) validatePortOrName(errors, `${path}.port`, port);
    if (endPort === undefined) continue;
    if (port === undefined) {
      const detail = "may not be specified when `port` is not specified";
      errors.invalid(`${path}.endPort`, endPort, detail);
    } else if (typeof port === "string") {
      const detail = "may not be specified when `port` is non-numeric";
      errors.invalid(`${path}.endPort`, endPort, detail);
    } else {
      if (endPort < port) {
        errors.invalid(`${path}.endPort`, port, "must be greater than or equal to `port`");
      }
      validatePort(errors, `${path}.endPort`, endPort);
    }
  }
}

function validatePeers(
  errors: FieldErrors,
  field: string,
  peers: readonly NetworkPolicyPeer[] = [],
): void {
  for (const [index, { podSelector, namespaceSelector, ipBlock }] of peers.entries()) {
    const path = `${field}[${index}]`;
    validateSelector(errors, `${path}.podSelector`, podSelector);
    validateSelector(errors, `${path}.namespaceSelector`, namespaceSelector);
    if (ipBlock) validateBlock(errors, `${path}.ipBlock`, ipBlock);
    if (!podSelector && !namespaceSelector && !ipBlock) {
      errors.required(path, "must specify a peer");
    } else if (ipBlock && (podSelector || namespaceSelector)) {
      errors.forbidden(path, "may not specify both ipBlock and another peer");
    }
  }
}

/** A range, and parts of it that do not count. */
function validateBlock(errors: FieldErrors, path: string, { cidr, except = [] }: IPBlock): void {
  if (!errors.present(`${path}.cidr`, cidr)) return;
  validateCidr(errors, `${path}.cidr`, cidr);
  if (!isCidr(cidr)) return;
  for (const [at, part] of except.entries()) {
    const field = `${path}.except[${at}]`;
    validateCidr(errors, field, part);
    if (!isCidr(part) || isInside(part, cidr)) continue;
    errors.invalid(field, part, "must be a strict subset of `cidr`");
  }
}

export const NETWORK_POLICY: KindRules<NetworkPolicy> = {
  validate(errors, { spec }) {
    validateSelector(errors, "spec.podSelector", spec?.podSelector);
    for (const [index, { ports, from }] of (spec?.ingress ?? []).entries()) {
      validatePolicyPorts(errors, `spec.ingress[${index}].ports`, ports);
      validatePeers(errors, `spec.ingress[${index}].from`, from);
    }
    for (const [index, { ports, to }] of (spec?.egress ?? []).entries()) {
      validatePolicyPorts(errors, `spec.egress[${index}].ports`, ports);
      validatePeers(errors, `spec.egress[${index}].to`, to);
    }
    const types = spec?.policyTypes ?? [];
    if (types.length > 2) {
      const detail = "may not specify more than two policyTypes";
      const shown = goStrings(types, "networking.PolicyType");
      return errors.invalid("spec.policyTypes", shown, detail);
    }
    for (const [index, type] of types.entries()) {
      errors.oneOf(`spec.policyTypes[${index}]`, type, ["Ingress", "Egress"]);
    }
  },
};
