import type { UserInfo } from "../contract.ts";

const PREFIX = "system:node:";

/** Name of the node that the user is; `undefined` for users that are none. */
export function nodeNameOf(user: UserInfo): string | undefined {
  if (!user.name.startsWith(PREFIX) || !user.groups.includes("system:nodes")) return undefined;
  return user.name.slice(PREFIX.length) || undefined;
}
