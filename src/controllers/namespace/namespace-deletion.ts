import { isNotFound, StatusError } from "../../api/errors.ts";
import { NETWORK_POLICIES, PODS } from "../../api/generated/resources.ts";
import type { NamespaceCondition } from "../../api/generated/types/core-v1.ts";
import type { ObjectMeta } from "../../api/generated/types/meta-v1.ts";
import { storageNameOf } from "../../api/resource.ts";
import type { Client } from "../../client/client.ts";
import { withCondition } from "../conditions.ts";
import { type Discovered, discoverResources, type ServedResource } from "../discovery.ts";

/** What is left of a namespace after one round of deletion. */
export interface Remainder {
  /** Resource such as "pods" to number of objects still there. */
  remaining: ReadonlyMap<string, number>;
  /** Finalizer to number of objects that wait for it. */
  finalizers: ReadonlyMap<string, number>;
  discoveryFailures: Discovered["failures"];
  contentFailures: readonly string[];
}

/**
 * Deletes everything inside a namespace once and reports what is left. Network policies outlive
 * the last pod: a pod that is still stopping must not become reachable meanwhile.
 */
export async function deleteContent(client: Client, namespace: string): Promise<Remainder> {
  const { resources, failures } = await discoverResources(client.transport);
  const remaining = new Map<string, number>();
  const finalizers = new Map<string, number>();
  const contentFailures: string[] = [];
  const empty = async (resource: ServedResource) => {
    try {
      for (const metadata of await deleteAll(client, { resource, namespace })) {
        const name = resource.group ? `${resource.plural}.${resource.group}` : resource.plural;
        remaining.set(name, (remaining.get(name) ?? 0) + 1);
        for (const one of metadata.finalizers ?? []) {
          finalizers.set(one, (finalizers.get(one) ?? 0) + 1);
        }
      }
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      contentFailures.push(`${storageNameOf(resource)}: ${text}`);
    }
  };
  const deletable = resources.filter(
    ({ namespaced, verbs }) => namespaced && verbs.includes("delete") && verbs.includes("list"),
  );
  const guards = (one: ServedResource) => storageNameOf(one) === storageNameOf(NETWORK_POLICIES);
  await Promise.all(deletable.filter((one) => !guards(one)).map(empty));
  if (!remaining.has(PODS.plural)) await Promise.all(deletable.filter(guards).map(empty));
  return { remaining, finalizers, discoveryFailures: failures, contentFailures };
}

async function deleteAll(
  client: Client,
  { resource, namespace }: { resource: ServedResource; namespace: string },
): Promise<ObjectMeta[]> {
  const objects = client.for(resource);
  const list = async () => (await objects.list({ namespace })).items;
  const before = await list().catch(ignoreUnserved);
  if (before.length === 0) return [];
  if (resource.verbs.includes("deletecollection")) {
    await objects.deleteCollection({ namespace, propagationPolicy: "Background" });
  } else {
    for (const { metadata } of before) {
      if (metadata?.deletionTimestamp) continue;
      await objects
        .delete({ name: metadata?.name ?? "", namespace }, { propagationPolicy: "Background" })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    }
  }
  return (await list()).map(({ metadata }) => metadata ?? {});
}

/** A kind may leave the server, or never be listable, while its discovery still names it. */
function ignoreUnserved(error: unknown): never[] {
  if (isNotFound(error)) return [];
  if (error instanceof StatusError && error.reason === "MethodNotAllowed") return [];
  throw error;
}

/** Nothing is left and nothing was left unasked. */
export function isEmpty(remainder: Remainder): boolean {
  const { remaining, discoveryFailures, contentFailures } = remainder;
  return remaining.size + discoveryFailures.length + contentFailures.length === 0;
}

/** The conditions that tell a person why a namespace does not go away. */
export function deletionConditions(
  before: readonly NamespaceCondition[] | undefined,
  { remainder, nowMs }: { remainder: Remainder; nowMs: number },
): NamespaceCondition[] {
  const { remaining, finalizers, discoveryFailures, contentFailures } = remainder;
  const counted = (counts: ReadonlyMap<string, number>, noun: string) =>
    [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${name} ${noun} ${count} resource instances`)
      .join(", ");
  const facts: [
    type: string,
    bad: string | undefined,
    badReason: string,
    good: [string, string],
  ][] = [
    [
      "NamespaceDeletionDiscoveryFailure",
      discoveryFailures.map((one) => `${one.groupVersion}: ${one.message}`).join(", "),
      "DiscoveryFailed",
      ["ResourcesDiscovered", "All resources successfully discovered"],
    ],
    [
      "NamespaceDeletionGroupVersionParsingFailure",
      "",
      "GroupVersionParsingFailed",
      ["ParsedGroupVersions", "All legacy kube types successfully parsed"],
    ],
    [
      "NamespaceDeletionContentFailure",
      contentFailures.join(", "),
      "ContentDeletionFailed",
      ["ContentDeleted", "All content successfully deleted, may be waiting on finalization"],
    ],
    [
      "NamespaceContentRemaining",
      remaining.size > 0 ? `Some resources are remaining: ${counted(remaining, "has")}` : "",
      "SomeResourcesRemain",
      ["ContentRemoved", "All content successfully removed"],
    ],
    [
      "NamespaceFinalizersRemaining",
      finalizers.size > 0
        ? `Some content in the namespace has finalizers remaining: ${counted(finalizers, "in")}`
        : "",
      "SomeFinalizersRemain",
      ["ContentHasNoFinalizers", "All content-preserving finalizers finished"],
    ],
  ];
  let conditions = [...(before ?? [])];
  for (const [type, bad, badReason, [goodReason, goodMessage]] of facts) {
    const wanted = bad
      ? { type, status: "True", reason: badReason, message: bad }
      : { type, status: "False", reason: goodReason, message: goodMessage };
    conditions = withCondition(conditions, wanted as NamespaceCondition, nowMs);
  }
  return conditions;
}
