import type { PolicyRule, Subject } from "../../api/generated/types/rbac-v1.ts";
import type { Resource } from "../../api/resource.ts";

/** An object that must exist before the server is ready. */
export interface BootstrapObject {
  resource: Resource;
  object: BootstrapBody;
}

/** The part of such an object that reconciling looks at. */
export interface BootstrapBody {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  rules?: PolicyRule[];
  subjects?: Subject[];
  aggregationRule?: object;
  [field: string]: unknown;
}
