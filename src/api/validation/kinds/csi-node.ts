import { deepEqual } from "../../../lib/deep-equal.ts";
import { qualifiedNameErrors } from "../../../lib/names.ts";
import type { CSINode } from "../../generated/types/storage-v1.ts";
import { goStruct } from "../go-struct.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateDriverName } from "../volume-sources.ts";

const NODE_ID_MAX = 256;

export const CSI_NODE: KindRules<CSINode> = {
  validate(errors, { spec }) {
    const names = new Set<string>();
    for (const [index, driver] of (spec?.drivers ?? []).entries()) {
      const path = `spec.drivers[${index}]`;
      const { allocatable, topologyKeys = [] } = driver;
      const name = driver.name ?? "";
      const nodeID = driver.nodeID ?? "";
      validateDriverName(errors, `${path}.name`, name);
      if (errors.present(`${path}.nodeID`, nodeID) && nodeID.length > NODE_ID_MAX) {
        errors.invalid(`${path}.nodeID`, nodeID, `must be ${NODE_ID_MAX} characters or less`);
      }
      errors.nonNegative(`${path}.allocatable.count`, allocatable?.count);
      if (names.has(name)) errors.duplicate(`${path}.name`, name);
      names.add(name);
      for (const [at, key] of topologyKeys.entries()) {
        if (key === "") errors.required(path);
        if (topologyKeys.indexOf(key) < at) errors.duplicate(path, key);
        errors.complaints(path, key, qualifiedNameErrors(key));
      }
    }
  },
  validateUpdate(errors, { spec }, old) {
    for (const before of old.spec?.drivers ?? []) {
      const now = spec?.drivers?.find(({ name }) => name === before.name);
      if (now && !deepEqual(now, before)) {
        errors.invalid(
          "CSINodeDriver",
          goStruct("storage.CSINodeDriver", now),
          "field is immutable",
        );
      }
    }
  },
};
