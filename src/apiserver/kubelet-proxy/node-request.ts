import type { UserInfo } from "../contract.ts";
import type { Query } from "../request/query.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { Target } from "../request/target.ts";

/** A request for something that lives on a node. */
export interface NodeRequest {
  target: Target;
  served: ServedResource;
  query: Query;
  rawQuery: string;
  user: UserInfo;
}
