import { isNotFound } from "../../api/errors.ts";
import { NAMESPACES, PODS } from "../../api/generated/resources.ts";
import { pathOf } from "../../api/resource.ts";
import type { Client } from "../../client/client.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { backoffDelayMs } from "../../lib/backoff.ts";
import { jsonEqual } from "../json-equal.ts";
import { isTerminating, refOf } from "../ownership.ts";
import { deleteContent, deletionConditions, isEmpty } from "./namespace-deletion.ts";

const FINALIZER = "kubernetes";
/** How soon leftovers are looked at again; the end of a pod asks at once. */
const RETRY = { baseMs: 20, maxMs: 5000 };

/**
 * Empties namespaces that are being deleted, then lets them go. It must delete kinds that nobody
 * can declare in advance, so it takes an unrestricted client of its own.
 */
export function namespaceController(options: { client: Client }): ControllerDefinition {
  const rounds = new Map<string, number>();
  return defineController({
    name: "namespace",
    inputs: {
      namespaces: input(NAMESPACES, (namespace) =>
        isTerminating(namespace) ? [refOf(namespace)] : [],
      ),
      // The last pod to go is what the rest waits for.
      pods: input(PODS, (pod, listers) => {
        const name = pod.metadata?.namespace ?? "";
        const namespace = listers.of(NAMESPACES).get(undefined, name);
        return namespace && isTerminating(namespace) && isTerminating(pod) ? [{ name }] : [];
      }),
    },
    outputs: [{ resource: NAMESPACES, verbs: ["update"], subresources: ["status", "finalize"] }],
    async reconcile({ inputs, client, clock }, { name }) {
      const namespace = inputs.namespaces.get(undefined, name);
      const finalizers = namespace?.spec?.finalizers ?? [];
      if (!namespace || !isTerminating(namespace) || !finalizers.includes(FINALIZER)) {
        rounds.delete(name);
        return;
      }
      const remainder = await deleteContent(options.client, name);
      if (isEmpty(remainder)) {
        const spec = {
          ...namespace.spec,
          finalizers: finalizers.filter((one) => one !== FINALIZER),
        };
        await options.client.transport
          .request({
            method: "PUT",
            path: pathOf(NAMESPACES, { name, subresource: "finalize" }),
            body: { ...namespace, apiVersion: "v1", kind: "Namespace", spec },
          })
          .catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          });
        rounds.delete(name);
        return;
      }
      const before = namespace.status?.conditions;
      const conditions = deletionConditions(before, { remainder, nowMs: clock.now() });
      const status = { ...namespace.status, phase: "Terminating" as const, conditions };
      if (!jsonEqual(status, namespace.status)) {
        await client.for(NAMESPACES).updateStatus({ ...namespace, status });
      }
      const round = (rounds.get(name) ?? 0) + 1;
      rounds.set(name, round);
      return { requeueAfterMs: backoffDelayMs(RETRY, round) };
    },
  });
}
