import type { Status } from "../../api/status.ts";

/** The body of a request that succeeded and has no object to show. */
export function successStatus(code: number): Status {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code };
}
