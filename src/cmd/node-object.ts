import { newNode } from "../agent/node/node-status.ts";
import { isAlreadyExists } from "../api/errors.ts";
import { NODES } from "../api/generated/resources.ts";
import type { Node, Taint } from "../api/generated/types/core-v1.ts";
import type { Client } from "../client/client.ts";

const WAIT_MS = 30_000;

/**
 * Makes sure that the Node exists and waits until it has a pod range: the network cannot be set up
 * before. @throws Error after 30 s without one
 */
export async function awaitPodCidr(
  client: Client,
  node: { name: string; taints: readonly Taint[]; providerId: string | undefined },
): Promise<string> {
  const nodes = client.for(NODES);
  const wanted = newNode({ ...node, labels: { "kubernetes.io/hostname": node.name } });
  const found = await nodes.create(wanted).catch(async (error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
    return await nodes.get({ name: node.name });
  });
  if (found.spec?.podCIDR) return found.spec.podCIDR;
  const list = await nodes.list({ fieldSelector: `metadata.name=${node.name}` });
  const listed = list.items[0]?.spec?.podCIDR;
  if (listed) return listed;
  return await watchForPodCidr(client, node.name, list.metadata.resourceVersion);
}

function watchForPodCidr(client: Client, name: string, resourceVersion: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let watch: Disposable | undefined;
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      settle(); // first: disposing the watch closes it, which would count as a failure
      watch?.[Symbol.dispose]();
    };
    const timer = setTimeout(() => {
      const why = "does the node lifecycle controller run?";
      finish(() => reject(new Error(`node "${name}" got no pod range within 30 s: ${why}`)));
    }, WAIT_MS);
    const query = { fieldSelector: `metadata.name=${name}`, resourceVersion };
    client
      .for(NODES)
      .watch(query, {
        event(_type, object) {
          const podCidr = (object as Node).spec?.podCIDR;
          if (podCidr) finish(() => resolve(podCidr));
        },
        closed(error) {
          finish(() => reject(error ?? new Error("the watch for the pod range ended")));
        },
      })
      .then(
        (opened) => {
          watch = opened;
        },
        (error: unknown) => finish(() => reject(error)),
      );
  });
}
