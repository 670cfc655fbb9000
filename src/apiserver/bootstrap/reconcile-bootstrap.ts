import { isAlreadyExists, isNotFound } from "../../api/errors.ts";
import { pathOf, type Resource } from "../../api/resource.ts";
import type { Transport } from "../../api/transport.ts";
import { uncoveredRules } from "../authorization/rule-coverage.ts";
import type { BootstrapBody, BootstrapObject } from "./bootstrap-object.ts";

const AUTO_UPDATE = "rbac.authorization.kubernetes.io/autoupdate";

/** How many objects were created and how many were completed. */
export interface BootstrapOutcome {
  created: number;
  updated: number;
}

function missingSubjects(stored: BootstrapBody, wanted: BootstrapBody) {
  const known = new Set((stored.subjects ?? []).map((subject) => JSON.stringify(subject)));
  const key = ({
    kind,
    apiGroup,
    name,
    namespace,
  }: NonNullable<BootstrapBody["subjects"]>[number]) =>
    JSON.stringify({
      kind,
      ...(apiGroup ? { apiGroup } : {}),
      name,
      ...(namespace ? { namespace } : {}),
    });
  return (wanted.subjects ?? []).filter((subject) => !known.has(key(subject)));
}

/**
 * The stored object with what it lacks, or `undefined` when it lacks nothing. Additions of
 * administrators stay, and `autoupdate: "false"` keeps an object as it is.
 */
export function completed(stored: BootstrapBody, wanted: BootstrapBody): BootstrapBody | undefined {
  if (stored.metadata.annotations?.[AUTO_UPDATE] === "false") return undefined;
  // The rules of an aggregated role belong to the controller that adds them up.
  const isSum = wanted.aggregationRule !== undefined;
  const rules = isSum ? [] : uncoveredRules(stored.rules ?? [], wanted.rules ?? []);
  const subjects = missingSubjects(stored, wanted);
  if (rules.length + subjects.length === 0) return undefined;
  return {
    ...stored,
    ...(rules.length > 0 ? { rules: [...(stored.rules ?? []), ...rules] } : {}),
    ...(subjects.length > 0 ? { subjects: [...(stored.subjects ?? []), ...subjects] } : {}),
  };
}

async function reconcileOne(
  transport: Transport,
  { resource, object }: BootstrapObject,
): Promise<keyof BootstrapOutcome | undefined> {
  const { name, namespace } = object.metadata;
  const path = pathOf(resource, { namespace, name });
  try {
    const { body } = await transport.request({ method: "GET", path });
    const update = completed(body as BootstrapBody, object);
    if (!update) return undefined;
    await transport.request({ method: "PUT", path, body: update });
    return "updated";
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  try {
    const collection = pathOf(resource, { namespace });
    await transport.request({ method: "POST", path: collection, body: object });
    return "created";
  } catch (error) {
    // Another server of the same cluster was faster.
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
}

function isNamespace(resource: Resource): boolean {
  return resource.group === "" && resource.plural === "namespaces";
}

/**
 * Makes the objects exist and hold at least what they must. Idempotent. The transport must act as
 * a member of `system:masters`.
 */
export async function reconcileBootstrap(
  transport: Transport,
  objects: readonly BootstrapObject[],
): Promise<BootstrapOutcome> {
  const outcome: BootstrapOutcome = { created: 0, updated: 0 };
  const reconcileAll = async (part: readonly BootstrapObject[]) => {
    const results = await Promise.all(part.map((object) => reconcileOne(transport, object)));
    for (const result of results) if (result) outcome[result]++;
  };
  await reconcileAll(objects.filter(({ resource }) => isNamespace(resource)));
  await reconcileAll(objects.filter(({ resource }) => !isNamespace(resource)));
  return outcome;
}
