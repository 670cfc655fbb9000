import type { Query } from "./query.ts";
import type { Target } from "./target.ts";

/** The Kubernetes verb of a request for a resource. */
export function verbOf(method: string, target: Target, query: Query): string {
  switch (method) {
    case "GET":
    case "HEAD":
      if (target.subresource) return "get";
      if (target.watch) return "watch";
      if (target.name !== undefined) return "get";
      return query.flag("watch") ? "watch" : "list";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return target.name === undefined ? "deletecollection" : "delete";
    default:
      return method.toLowerCase();
  }
}
