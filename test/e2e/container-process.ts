import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import type { InstanceUnderTest } from "./instance-under-test.ts";

/** PIDs, on this machine, of the first process of every container of the pods. */
export async function containerPids(
  instance: InstanceUnderTest,
  ...pods: readonly string[]
): Promise<number[]> {
  const template = '-o=jsonpath={.status.containerStatuses[*].containerID}{" "}';
  const ids: string[] = [];
  for (const pod of pods) {
    const [namespace = "", name = ""] = pod.split("/");
    const text = await instance.ok("get", "pod", name, "--namespace", namespace, template);
    ids.push(...text.trim().split(" "));
  }
  const first = firstProcesses();
  return ids.map((id) => {
    const found = first.find(({ cgroup }) => cgroup.includes(id.replace(/^.*\//, "")));
    return found?.pid ?? assert.fail(`no process of container ${id} of ${pods.join(", ")}`);
  });
}

/** Processes that are the first of a PID namespace of their own. */
function firstProcesses(): { pid: number; cgroup: string }[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      const status = readFileSync(`/proc/${name}/status`, "utf8");
      if (!/^NSpid:\s+\d+(\s+\d+)*\s+1$/m.test(status)) return [];
      return [{ pid: Number(name), cgroup: readFileSync(`/proc/${name}/cgroup`, "utf8") }];
    } catch {
      return [];
    }
  });
}
