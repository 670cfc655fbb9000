// Pods that live in real huge pages, which the test reserves and gives back.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { NODES, PODS } from "../../src/api/generated/resources.ts";
import type { Pod } from "../../src/api/generated/types/core-v1.ts";
import { eventually } from "./eventually.ts";
import { type NodeUnderTest, startNode } from "./node-under-test.ts";

const POOL = "/sys/kernel/mm/hugepages/hugepages-2048kB";
const PAGES = 4;

const read = (file: string) => Number(readFileSync(`${POOL}/${file}`, "utf8"));
const reserve = (pages: number) => writeFileSync(`${POOL}/nr_hugepages`, `${pages}`);

/** Why there are none, or false. Reserves them. */
function reserved(): string | false {
  if (process.getuid?.() !== 0) return "needs root";
  try {
    const before = read("nr_hugepages");
    reserve(before + PAGES);
    if (read("nr_hugepages") === before + PAGES) return false;
    reserve(before);
    return "needs 8 MiB of memory in one piece each 2 MiB";
  } catch (error) {
    return `needs a kernel with huge pages of 2 MiB: ${(error as Error).message}`;
  }
}

const skip = reserved();
let node: NodeUnderTest;

before(async () => {
  if (!skip) node = await startNode();
});
after(async () => {
  await node?.[Symbol.asyncDispose]();
  if (!skip) reserve(read("nr_hugepages") - PAGES);
});

const huge = (amount: string, script: string): Partial<NonNullable<Pod["spec"]>> => ({
  restartPolicy: "Never",
  volumes: [{ name: "pages", emptyDir: { medium: "HugePages" } }],
  containers: [
    {
      name: "app",
      command: ["sh", "-c", script],
      volumeMounts: [{ name: "pages", mountPath: "/pages" }],
      resources: { limits: { "hugepages-2Mi": amount, memory: "32Mi", cpu: "50m" } },
    },
  ],
});

test("a pod gets the huge pages it asks for, no more, and gives them back", { skip }, async () => {
  const { status } = await node.client.for(NODES).get({ name: "node-1" });
  assert.equal(status?.allocatable?.["hugepages-2Mi"], `${read("nr_hugepages") * 2}Mi`);
  const free = read("free_hugepages");
  const script = `busybox fallocate -l 4M /pages/fits && ! busybox fallocate -l 2M /pages/not &&
    grep ' /pages hugetlbfs .*pagesize=2M' /proc/mounts && touch /tmp/done && sleep 1000`;
  const { containers = [], ...spec } = huge("4Mi", script);
  const readinessProbe = { exec: { command: ["test", "-e", "/tmp/done"] }, periodSeconds: 1 };
  await node.run("huge", {
    ...spec,
    containers: containers.map((one) => ({ ...one, readinessProbe })),
  });
  const pod = await node.until("huge", (seen) => {
    const { phase, containerStatuses = [] } = seen?.status ?? {};
    return phase === "Failed" || containerStatuses[0]?.ready === true;
  });
  assert.equal(pod?.status?.phase, "Running");
  assert.equal(read("free_hugepages"), free - 2);
  // What is left is less than this one wants.
  await node.run("greedy", huge(`${read("nr_hugepages") * 2}Mi`, "true"));
  const refused = await node.until("greedy", (seen) => seen?.status?.phase === "Failed");
  assert.equal(refused?.status?.reason, "OutOfhugepages-2Mi");
  for (const name of ["huge", "greedy"]) {
    await node.client.for(PODS).delete({ namespace: "default", name });
    await node.until(name, (seen) => !seen);
  }
  await eventually("the pages are free again", () => read("free_hugepages") === free);
});
