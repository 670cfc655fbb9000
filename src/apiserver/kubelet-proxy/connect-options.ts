import { subresourceFacts } from "../discovery/subresource-kinds.ts";
import type { NodeRequest } from "./node-request.ts";

const FLAGS = ["stdin", "stdout", "stderr", "tty"];

/** What admission sees of a connection: the options object that its query stands for. */
export function connectOptions({ target, served, query }: NodeRequest): Record<string, unknown> {
  const { subresource = "", subpath } = target;
  const { kind } = subresourceFacts(served.resource.plural, subresource);
  const options: Record<string, unknown> = {
    kind: kind?.kind ?? served.resource.kind,
    apiVersion: "v1",
  };
  switch (subresource) {
    case "exec":
    case "attach": {
      for (const flag of FLAGS) if (query.flag(flag)) options[flag] = true;
      const container = query.get("container");
      if (container) options["container"] = container;
      const command = query.all("command");
      if (subresource === "exec" && command.length > 0) options["command"] = command;
      break;
    }
    case "portforward": {
      const ports = query.all("ports").map(Number);
      if (ports.length > 0) options["ports"] = ports;
      break;
    }
    default:
      options["path"] = subpath === undefined ? "" : `/${subpath}`;
  }
  return options;
}
