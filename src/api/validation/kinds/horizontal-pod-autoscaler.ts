import { dns1123LabelErrors, pathSegmentErrors } from "../../../lib/names.ts";
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  HPAScalingRules,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from "../../generated/types/autoscaling-v2.ts";
import type { HorizontalPodAutoscalerSpec as FirstVersion } from "../../generated/types/autoscaling-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goQuantity } from "../go-struct.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateContainerResourceName } from "../resource-names.ts";
import { readQuantity, validateSelector } from "../values.ts";

const WINDOW_MAX_S = 3_600;
const PERIOD_MAX_S = 1_800;
/** Sources in the order they are looked at; the first one is judged. */
const JUDGED = ["object", "external", "pods", "resource", "containerResource"] as const;
/** The field that goes with a type of metric. */
const SOURCES: Readonly<Record<string, (typeof JUDGED)[number]>> = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
};
const SCALES_TO_ZERO: readonly string[] = ["External", "Object"];
const ONLY_ONE = "may not set both a target raw value and a target utilization";
const EITHER = "must set either a target raw value or a target utilization";

export const HORIZONTAL_POD_AUTOSCALER: KindRules<HorizontalPodAutoscaler> = {
  validate(errors, { spec }) {
    const { minReplicas, maxReplicas = 0, scaleTargetRef, metrics = [], behavior } = spec ?? {};
    if (minReplicas !== undefined && minReplicas < 1) {
      errors.invalid("spec.minReplicas", minReplicas, "must be greater than or equal to 1");
    }
    if (maxReplicas < 1) errors.invalid("spec.maxReplicas", maxReplicas, "must be greater than 0");
    if (minReplicas !== undefined && maxReplicas < minReplicas) {
      const detail = "must be greater than or equal to `minReplicas`";
      errors.invalid("spec.maxReplicas", maxReplicas, detail);
    }
    validateReference(errors, "spec.scaleTargetRef", scaleTargetRef);
    const { targetCPUUtilizationPercentage: cpu } = (spec ?? {}) as Partial<FirstVersion>;
    if (cpu !== undefined && cpu < 1) {
      const field = "spec.metrics[0].resource.target.averageUtilization";
      errors.invalid(field, cpu, "must be greater than 0");
    }
    for (const [index, metric] of metrics.entries()) {
      validateMetric(errors, `spec.metrics[${index}]`, metric);
    }
    if (minReplicas === 0 && !metrics.some(({ type }) => SCALES_TO_ZERO.includes(type))) {
      const detail =
        "must specify at least one Object or External metric to support scaling to zero replicas";
      errors.forbidden("spec.metrics", detail);
    }
    for (const name of ["scaleUp", "scaleDown"] as const) {
      const rules = behavior?.[name];
      if (rules) validateScaling(errors, `spec.behavior.${name}`, rules);
    }
  },
  subresources: {
    status(errors, { status }) {
      errors.nonNegative("status.currentReplicas", status?.currentReplicas);
      errors.nonNegative("status.desiredReplicas", status?.desiredReplicas);
    },
  },
};

function validateReference(
  errors: FieldErrors,
  field: string,
  reference: CrossVersionObjectReference | undefined,
): void {
  for (const part of ["kind", "name"] as const) {
    const value = reference?.[part];
    if (!errors.present(`${field}.${part}`, value)) continue;
    errors.complaints(`${field}.${part}`, value, pathSegmentErrors(value));
  }
}

function validateMetric(errors: FieldErrors, path: string, metric: MetricSpec): void {
  const { type } = metric;
  if (!type) errors.required(`${path}.type`, "must specify a metric source type");
  const known = Object.keys(SOURCES);
  const refuse = () => errors.notSupported(`${path}.type`, type, known);
  if (!known.includes(type)) refuse();
  const present = JUDGED.filter((name) => metric[name] !== undefined);
  const [first] = present;
  if (first) validateSource(errors, path, { type, [first]: metric[first] });
  const expected = Object.hasOwn(SOURCES, type) ? SOURCES[type] : undefined;
  if (!expected) refuse();
  else if (!present.includes(expected)) {
    errors.required(`${path}.${expected}`, "must populate information for the given metric source");
  }
  if (present.length < 2) return;
  for (const name of present) {
    if (name === expected) continue;
    errors.forbidden(`${path}.${name}`, "must populate the given metric source only");
  }
}

function validateSource(errors: FieldErrors, path: string, metric: MetricSpec): void {
  const { object, pods, resource, containerResource, external } = metric;
  if (object) {
    const field = `${path}.object`;
    validateReference(errors, `${field}.describedObject`, object.describedObject);
    validateIdentifier(errors, `${field}.metric`, object.metric);
    validateTarget(errors, `${field}.target`, object.target);
    if (object.target?.value === undefined && object.target?.averageValue === undefined) {
      const detail = "must set either a target value or averageValue";
      errors.required(`${field}.target.averageValue`, detail);
    }
  }
  if (external) {
    const field = `${path}.external`;
    const { value, averageValue } = external.target ?? {};
    validateIdentifier(errors, `${field}.metric`, external.metric);
    validateTarget(errors, `${field}.target`, external.target);
    if (value === undefined && averageValue === undefined) {
      const detail = "must set either a target value for metric or a per-pod target";
      errors.required(`${field}.target.averageValue`, detail);
    } else if (value !== undefined && averageValue !== undefined) {
      const detail = "may not set both a target value for metric and a per-pod target";
      errors.forbidden(`${field}.target.value`, detail);
    }
  }
  if (pods) {
    const field = `${path}.pods`;
    validateIdentifier(errors, `${field}.metric`, pods.metric);
    validateTarget(errors, `${field}.target`, pods.target);
    if (pods.target?.averageValue === undefined) {
      const detail = "must specify a positive target averageValue";
      errors.required(`${field}.target.averageValue`, detail);
    }
  }
  if (resource) {
    if (!resource.name) errors.required(`${path}.resource.name`, "must specify a resource name");
    validateResourceTarget(errors, `${path}.resource.target`, resource.target);
  }
  if (containerResource) {
    const field = `${path}.containerResource`;
    const { name, container, target } = containerResource;
    if (!name) errors.required(`${field}.name`, "must specify a resource name");
    else validateContainerResourceName(errors, `${field}.name`, name);
    if (!container) errors.required(`${field}.container`, "must specify a container");
    else errors.complaints(`${field}.container`, container, dns1123LabelErrors(container));
    validateResourceTarget(errors, `${field}.target`, target);
  }
}

function validateResourceTarget(
  errors: FieldErrors,
  field: string,
  target: MetricTarget | undefined,
): void {
  validateTarget(errors, field, target);
  const { averageUtilization, averageValue } = target ?? {};
  if (averageUtilization === undefined && averageValue === undefined) {
    errors.required(`${field}.averageUtilization`, EITHER);
  } else if (averageUtilization !== undefined && averageValue !== undefined) {
    errors.forbidden(`${field}.averageValue`, ONLY_ONE);
  }
}

function validateIdentifier(
  errors: FieldErrors,
  field: string,
  metric: MetricIdentifier | undefined,
): void {
  const name = metric?.name ?? "";
  if (!name) errors.required(`${field}.name`, "must specify a metric name");
  else errors.complaints(`${field}.name`, name, pathSegmentErrors(name));
  validateSelector(errors, `${field}.selector`, metric?.selector);
}

function validateTarget(
  errors: FieldErrors,
  field: string,
  target: MetricTarget | undefined,
): void {
  const { type, averageUtilization } = target ?? {};
  if (!type) errors.required(`${field}.type`, "must specify a metric target type");
  if (!["Utilization", "Value", "AverageValue"].includes(type ?? "")) {
    const detail = "must be either Utilization, Value, or AverageValue";
    errors.invalid(`${field}.type`, type ?? "", detail);
  }
  for (const name of ["value", "averageValue"] as const) {
    const text = target?.[name];
    if (text === undefined) continue;
    const amount = readQuantity(errors, `${field}.${name}`, text);
    if (!amount || amount.nanos > 0n) continue;
    errors.invalid(`${field}.${name}`, goQuantity(text), "must be positive");
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.invalid(`${field}.averageUtilization`, averageUtilization, "must be greater than 0");
  }
}

function validateScaling(errors: FieldErrors, field: string, rules: HPAScalingRules): void {
  const { stabilizationWindowSeconds: window, selectPolicy } = rules;
  const place = `${field}.stabilizationWindowSeconds`;
  if (window !== undefined && window < 0) {
    errors.invalid(place, window, "must be greater than or equal to zero");
  } else if (window !== undefined && window > WINDOW_MAX_S) {
    errors.invalid(place, window, `must be less than or equal to ${WINDOW_MAX_S}`);
  }
  errors.oneOf(`${field}.selectPolicy`, selectPolicy, ["Disabled", "Max", "Min"]);
  const policies = rules.policies ?? [];
  if (policies.length === 0)
    errors.required(`${field}.policies`, "must specify at least one Policy");
  for (const [index, { type, value = 0, periodSeconds = 0 }] of policies.entries()) {
    const path = `${field}.policies[${index}]`;
    errors.oneOf(`${path}.type`, type ?? "", ["Percent", "Pods"]);
    if (value <= 0) errors.invalid(`${path}.value`, value, "must be greater than zero");
    if (periodSeconds <= 0) {
      errors.invalid(`${path}.periodSeconds`, periodSeconds, "must be greater than zero");
    } else if (periodSeconds > PERIOD_MAX_S) {
      const detail = `must be less than or equal to ${PERIOD_MAX_S}`;
      errors.invalid(`${path}.periodSeconds`, periodSeconds, detail);
    }
  }
}
