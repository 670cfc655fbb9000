import type { SwaggerDocument, SwaggerPath } from "./v2.ts";
import type { JsonSchema } from "./schemas.ts";

/** What another server says of one of its group-versions, and of others that are not asked for. */
export interface RemoteSwagger {
  group: string;
  version: string;
  /** As it came; nothing about it is certain. */
  document: unknown;
}

/** Deeper is no document that somebody wrote. */
const DEPTH_MAX = 500;
const REFERENCE = "#/definitions/";

/**
 * The document with the paths of a group-version that another server has, and the types that these
 * mention. Where both know a type of one name, such as ObjectMeta, this server's stays.
 */
export function withRemote(own: SwaggerDocument, remote: RemoteSwagger): SwaggerDocument {
  const { paths, definitions } = (remote.document ?? {}) as Record<string, unknown>;
  const prefix = `/apis/${remote.group}/${remote.version}/`;
  const kept = entriesOf(paths).filter(([path]) => `${path}/`.startsWith(prefix));
  if (kept.length === 0) return own;
  const known = new Map(entriesOf(definitions));
  const added: [string, JsonSchema][] = [];
  const seen = new Set(Object.keys(own.definitions));
  const visit = (value: unknown, depth = 0): void => {
    if (depth > DEPTH_MAX) return;
    if (Array.isArray(value)) {
      for (const inner of value) visit(inner, depth + 1);
      return;
    }
    for (const [key, inner] of entriesOf(value)) {
      const name = key === "$ref" ? nameIn(inner) : undefined;
      const type = name === undefined || seen.has(name) ? undefined : known.get(name);
      if (name === undefined || !type) {
        visit(inner, depth + 1);
        continue;
      }
      seen.add(name);
      added.push([name, type as JsonSchema]);
      visit(type, depth + 1);
    }
  };
  for (const [, item] of kept) visit(item);
  return {
    ...own,
    paths: { ...own.paths, ...(Object.fromEntries(kept) as Record<string, SwaggerPath>) },
    definitions: { ...own.definitions, ...Object.fromEntries(added) },
  };
}

function entriesOf(value: unknown): [string, unknown][] {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? Object.entries(value) : [];
}

function nameIn(reference: unknown): string | undefined {
  const isOurs = typeof reference === "string" && reference.startsWith(REFERENCE);
  return isOurs ? reference.slice(REFERENCE.length) : undefined;
}
