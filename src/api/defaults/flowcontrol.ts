import type { FlowSchema, PriorityLevelConfiguration } from "../generated/types/flowcontrol-v1.ts";
import type { PriorityClass } from "../generated/types/scheduling-v1.ts";
import { type Defaulters, defaulter } from "./defaulter.ts";

/** Defaults of flowcontrol.apiserver.k8s.io/v1. */
export const FLOW_CONTROL_DEFAULTS: Defaulters = {
  FlowSchema: defaulter<FlowSchema>(({ spec }) => {
    if (spec) spec.matchingPrecedence ||= 1_000;
  }),
  PriorityLevelConfiguration: defaulter<PriorityLevelConfiguration>(({ spec }) => {
    if (spec?.exempt) {
      spec.exempt.nominalConcurrencyShares ??= 0;
      spec.exempt.lendablePercent ??= 0;
    }
    if (!spec?.limited) return;
    spec.limited.nominalConcurrencyShares ??= 30;
    spec.limited.lendablePercent ??= 0;
    const queuing = spec.limited.limitResponse?.queuing;
    if (!queuing) return;
    queuing.queues ||= 64;
    queuing.handSize ||= 8;
    queuing.queueLengthLimit ||= 50;
  }),
};

/** Defaults of scheduling.k8s.io/v1. */
export const SCHEDULING_DEFAULTS: Defaulters = {
  PriorityClass: defaulter<PriorityClass>((priorityClass) => {
    priorityClass.preemptionPolicy ??= "PreemptLowerPriority";
  }),
};
