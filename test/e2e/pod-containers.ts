import { PODS } from "../../src/api/generated/resources.ts";
import type { Container, ContainerStatus, Pod } from "../../src/api/generated/types/core-v1.ts";
import type { NodeUnderTest } from "./node-under-test.ts";

/** A container that runs a script. */
export function scripted(name: string, script: string, more: Partial<Container> = {}): Container {
  return { name, command: ["sh", "-c", script], ...more };
}

export function statusOf(pod: Pod | undefined, name: string): ContainerStatus | undefined {
  return pod?.status?.containerStatuses?.find((status) => status.name === name);
}

/** What the runtime calls the container; "" before it has one. */
export function idOf(pod: Pod | undefined, name: string): string {
  return statusOf(pod, name)?.containerID?.replace("nephos://", "") ?? "";
}

/** What a script says that is run inside a container, both streams together. */
export async function runInside(
  node: NodeUnderTest,
  of: { pod: string; container: string },
  script: string,
): Promise<string> {
  const pod = await node.client.for(PODS).get({ namespace: "default", name: of.pod });
  const id = idOf(pod, of.container);
  const { stdout, stderr } = await node.runtime().execSync(id, ["sh", "-c", script], 10_000);
  return stdout + stderr;
}

/** Deletes a pod and waits until it is gone. */
export async function removePod(node: NodeUnderTest, name: string): Promise<void> {
  await node.client.for(PODS).delete({ namespace: "default", name });
  await node.until(name, (pod) => pod === undefined);
}
