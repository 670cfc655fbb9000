import type { ConfigMap } from "../../generated/types/core-v1.ts";
import { DATA_SIZE_MAX, base64Size, sizeOf, validateFrozen, validateKeys } from "../data-map.ts";
import type { KindRules } from "../kind-rules.ts";

export const CONFIG_MAP: KindRules<ConfigMap> = {
  validate(errors, { data, binaryData }) {
    validateKeys(errors, "data", data);
    validateKeys(errors, "binaryData", binaryData);
    for (const key of Object.keys(data ?? {})) {
      if (binaryData && Object.hasOwn(binaryData, key)) {
        errors.invalid(`data[${key}]`, key, "duplicate of key present in binaryData");
      }
    }
    if (sizeOf(data) + sizeOf(binaryData, base64Size) > DATA_SIZE_MAX) {
      errors.tooLong("[]", DATA_SIZE_MAX);
    }
  },
  validateUpdate: validateFrozen,
};
