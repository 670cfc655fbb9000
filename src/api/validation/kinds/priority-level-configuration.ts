import { deepEqual } from "../../../lib/deep-equal.ts";
import type {
  LimitedPriorityLevelConfiguration,
  PriorityLevelConfiguration,
  QueuingConfiguration,
} from "../../generated/types/flowcontrol-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { MANDATORY_LEVELS } from "../../mandatory-flow.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateFixed } from "./flow-schema.ts";

/** With this a version that is gone told zero shares from none. */
const PRESERVE_ZERO = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";
const QUEUES_MAX = 10_000_000;
const HASH_BITS = 60;

export const PRIORITY_LEVEL_CONFIGURATION: KindRules<PriorityLevelConfiguration> = {
  validate(errors, { metadata, spec }) {
    if (metadata?.annotations?.[PRESERVE_ZERO] !== undefined) {
      errors.forbidden("metadata.annotations", `annotation '${PRESERVE_ZERO}' is forbidden`);
    }
    const type = spec?.type ?? "";
    if ((metadata?.name === "exempt") !== (type === "Exempt")) {
      const detail = "type must be 'Exempt' if and only if name is 'exempt'";
      errors.invalid("spec.type", type, detail);
    }
    if (type === "Exempt") {
      if (spec?.limited) {
        errors.forbidden("spec.limited", "must be nil if the type is not Limited");
      }
      validateShares(errors, "spec.exempt", spec?.exempt?.nominalConcurrencyShares);
      errors.within("spec.exempt.lendablePercent", spec?.exempt?.lendablePercent, [0, 100]);
    } else if (type === "Limited") {
      if (spec?.exempt) {
        errors.forbidden("spec.exempt", "must be nil if the type is Limited");
      }
      if (!spec?.limited) {
        errors.required("spec.limited", "must not be empty when type is Limited");
      } else validateLimited(errors, "spec.limited", spec.limited);
    } else errors.notSupported("spec.type", type, ["Exempt", "Limited"]);
    const { name } = metadata ?? {};
    const { exempt, ...levels } = MANDATORY_LEVELS;
    validateFixed(errors, { name, spec, fixed: levels });
    if (
      name === "exempt" &&
      !deepEqual({ ...exempt, ...spec, exempt: 0 }, { ...exempt, exempt: 0 })
    ) {
      const detail = "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value";
      errors.invalid("spec", spec, detail);
    }
  },
  subresources: {
    status(errors, { status }) {
      const types = new Set<string | undefined>();
      for (const [index, { type }] of (status?.conditions ?? []).entries()) {
        const path = `status.conditions[${index}].type`;
        if (types.has(type)) errors.duplicate(path, type);
        types.add(type);
        if (!type) errors.required(path, "must not be empty");
      }
    },
  },
};

function validateShares(errors: FieldErrors, field: string, shares = 0): void {
  if (shares >= 0) return;
  errors.invalid(`${field}.nominalConcurrencyShares`, shares, "must be a non-negative integer");
}

function validateLimited(
  errors: FieldErrors,
  field: string,
  limited: LimitedPriorityLevelConfiguration,
): void {
  const { nominalConcurrencyShares: shares, lendablePercent, borrowingLimitPercent } = limited;
  validateShares(errors, field, shares);
  errors.within(`${field}.lendablePercent`, lendablePercent, [0, 100]);
  if (borrowingLimitPercent !== undefined && borrowingLimitPercent < 0) {
    const detail = "if specified, must be a non-negative integer";
    errors.invalid(`${field}.borrowingLimitPercent`, borrowingLimitPercent, detail);
  }
  const { type, queuing } = limited.limitResponse ?? {};
  const place = `${field}.limitResponse`;
  if (type === "Reject") {
    if (queuing) {
      const detail = "must be nil if limited.limitResponse.type is not Limited";
      errors.forbidden(`${place}.queuing`, detail);
    }
  } else if (type === "Queue") {
    if (!queuing) {
      const detail = "must not be empty if limited.limitResponse.type is Limited";
      errors.required(`${place}.queuing`, detail);
    } else validateQueuing(errors, `${place}.queuing`, queuing);
  } else errors.notSupported(`${place}.type`, type ?? "", ["Queue", "Reject"]);
}

function validateQueuing(errors: FieldErrors, field: string, queuing: QueuingConfiguration): void {
  const { queueLengthLimit = 0, queues = 0, handSize = 0 } = queuing;
  if (queueLengthLimit <= 0) {
    errors.invalid(`${field}.queueLengthLimit`, queueLengthLimit, "must be positive");
  }
  if (queues <= 0) errors.invalid(`${field}.queues`, queues, "must be positive");
  else if (queues > QUEUES_MAX) {
    errors.invalid(`${field}.queues`, queues, `must not be greater than ${QUEUES_MAX}`);
  }
  const refuse = (detail: string) => errors.invalid(`${field}.handSize`, handSize, detail);
  if (handSize <= 0) refuse("must be positive");
  else if (handSize > queues) refuse(`should not be greater than queues (${queues})`);
  else if (entropyBits(queues, handSize) > HASH_BITS) {
    const of = `deckSize ${queues} and handSize ${handSize}`;
    refuse(`required entropy bits of ${of} should not be greater than ${HASH_BITS}`);
  }
}

/** Bits that dealing a hand of queues takes. */
function entropyBits(queues: number, handSize: number): number {
  return Math.ceil(Math.log2(queues) * handSize);
}
