import { ConfigurationReader } from "../../lib/configuration-reader.ts";

/** Which paths may be asked for without credentials; authorization decides on each of them. */
export interface AnonymousAccess {
  enabled: boolean;
  /** These paths alone, to the letter; absent: all. */
  paths?: readonly string[];
}

/** As kube-apiserver has it without a word on it. */
export const ANONYMOUS_ANYWHERE: AnonymousAccess = { enabled: true };

const SUBJECT = "the authentication configuration";

/** What an `AuthenticationConfiguration` says of it. @throws ConfigurationFileError */
export function readAnonymousAccess(document: unknown): AnonymousAccess {
  const root = new ConfigurationReader(document, { subject: SUBJECT });
  if (root.value("anonymous") === undefined) return ANONYMOUS_ANYWHERE;
  const from = root.object("anonymous");
  const enabled = from.boolean("enabled");
  const conditions = from.list("conditions");
  const paths = conditions.map((condition) => {
    const path = condition.requiredText("path");
    condition.refuseOthers();
    return path;
  });
  from.refuseOthers();
  if (!enabled && paths.length > 0) {
    throw from.error("conditions", "must be left out where enabled is not true");
  }
  return paths.length > 0 ? { enabled, paths } : { enabled };
}

/** Whether a request without credentials is one of `system:anonymous`. */
export function isOpen({ enabled, paths }: AnonymousAccess, path: string): boolean {
  return enabled && (paths === undefined || paths.includes(path));
}
