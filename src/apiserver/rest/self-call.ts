import type { UserInfo } from "../contract.ts";
import { splitPath } from "../request/query.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { Call } from "./call.ts";

const SELF: UserInfo = { name: "system:apiserver", groups: ["system:masters"] };

/** A request of the server to itself. */
export function selfCall(
  served: ServedResource,
  at: { name?: string; subresource?: string } = {},
): Call {
  const { group, version, plural } = served.resource;
  return {
    method: "PUT",
    served,
    target: { group, version, resource: plural, watch: false, ...at },
    query: splitPath("").query,
    user: SELF,
    body: { kind: "none" },
    userAgent: "nephos",
    warn: () => {},
  };
}
