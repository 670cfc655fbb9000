import type { Cgroups } from "../../sys/cgroup.ts";

/** What a shell runs to move itself into a group; `group` is its word for the path. */
export function joiningScript({ hierarchies, entry }: Cgroups, group: string): string {
  return hierarchies.map((hierarchy) => `echo 0 > ${hierarchy}"${group}"/${entry}`).join(" && ");
}
