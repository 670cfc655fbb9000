import type { LimitRange } from "../../generated/types/core-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { exceeds, validateAmount } from "../values.ts";

export const LIMIT_RANGE: KindRules<LimitRange> = {
  validate(errors, { spec }) {
    const types = new Set<string>();
    for (const [index, limit] of (spec?.limits ?? []).entries()) {
      const path = `spec.limits[${index}]`;
      if (types.has(limit.type)) errors.duplicate(`${path}.type`, limit.type);
      types.add(limit.type);
      const { max = {}, min = {} } = limit;
      for (const name of new Set([...Object.keys(max), ...Object.keys(min)])) {
        const low =
          min[name] === undefined
            ? undefined
            : validateAmount(errors, `${path}.min[${name}]`, min[name]);
        const high =
          max[name] === undefined
            ? undefined
            : validateAmount(errors, `${path}.max[${name}]`, max[name]);
        if (exceeds(low, high)) {
          const detail = `min value ${min[name]} is greater than max value ${max[name]}`;
          errors.invalid(`${path}.min[${name}]`, min[name], detail);
        }
      }
    }
  },
};
