import path from "node:path";
import { type DeviceRule, deviceRules } from "../../format/oci/runtime-spec.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Cgroups } from "../../sys/cgroup.ts";
import { createSparePace, type SparePace } from "../spare-pace.ts";
import type { Failpoint } from "./failpoints.ts";

/** How many groups are made ahead, and where first. */
export interface SpareGroupsOptions {
  cgroups: Cgroups;
  clock: Clock;
  logger: Logger;
  /** For pods of one parent. Each, with its container's, takes 0.1 to 0.2 MB of the kernel. */
  max: number;
  /** Those that pods may have; the first one is the most likely to get some. */
  parents: readonly string[];
  failpoint?: Failpoint;
}

/**
 * Groups of pods that are to come, each with one of a container below it, so that a burst only has
 * to rename them: to make them costs 0.5 ms where v1 has seven hierarchies. On v2 none are ahead.
 */
export interface SpareGroups extends Pick<SparePace, "prepareNext">, Disposable {
  /** What an earlier process left goes; from now on, some are made while no pod comes. */
  begin(): void;
  /** Makes a pod's group, if it is not there. @throws ENOSPC, EROFS */
  createPod(group: string): void;
  /** The same for a container; true when `USUAL_RULES` hold in it already. @throws ENOSPC, EROFS */
  createContainer(group: string): boolean;
}

/** For containers without devices and privileges. */
const USUAL_RULES: readonly DeviceRule[] = deviceRules({ privileged: false, devices: [] });

const PREFIX = "spare-";
const CONTAINER = "spare";

/** Keeps them in the kernel until they are disposed of. */
export function createSpareGroups(options: SpareGroupsOptions): SpareGroups {
  const { cgroups, clock, logger, max, parents, failpoint = () => {} } = options;
  /** Of the parents of which pods are expected. */
  const spares = new Map<string, string[]>(parents.slice(0, 1).map((parent) => [parent, []]));
  let made = 0;
  let isOpen = false;

  /** False when there is none more: enough are there, or the node cannot make one. */
  const make = (): boolean => {
    const [wanting] = [...spares].filter(([, groups]) => groups.length < max);
    if (!isOpen || !wanting) return false;
    const [parent, groups] = wanting;
    const group = path.posix.join(parent, `${PREFIX}${++made}`);
    try {
      cgroups.create(path.posix.join(group, CONTAINER));
      failpoint("group-spare");
      cgroups.restrictDevices(path.posix.join(group, CONTAINER), USUAL_RULES);
      groups.push(group);
      return true;
    } catch (error) {
      logger.debug("cannot make a control group ahead", { group, error });
      cgroups.remove(group);
      return false;
    }
  };

  const canRename = cgroups.rename !== undefined && max > 0;
  const pace = createSparePace({ clock: canRename ? clock : undefined, make });

  const renamed = (group: string, name: string): boolean => {
    try {
      cgroups.rename?.(group, name);
      return cgroups.rename !== undefined;
    } catch {
      return false;
    }
  };

  return {
    begin() {
      isOpen = canRename;
      for (const parent of parents) {
        const left = cgroups.names(parent).filter((name) => name.startsWith(PREFIX));
        for (const name of left) cgroups.remove(path.posix.join(parent, name));
      }
      pace.begin();
    },
    createPod(group) {
      const parent = path.posix.dirname(group);
      if (isOpen && parents.includes(parent) && !spares.has(parent)) spares.set(parent, []);
      pace.podComes();
      const spare = spares.get(parent)?.shift();
      if (spare && renamed(spare, path.posix.basename(group))) return failpoint("group-taken");
      cgroups.create(group);
      if (spare) cgroups.remove(spare);
    },
    createContainer(group) {
      const spare = path.posix.join(path.posix.dirname(group), CONTAINER);
      if (isOpen && renamed(spare, path.posix.basename(group))) {
        failpoint("container-group-taken");
        return true;
      }
      cgroups.create(group);
      return false;
    },
    prepareNext: pace.prepareNext,
    [Symbol.dispose]() {
      isOpen = false;
      pace[Symbol.dispose]();
      for (const group of [...spares.values()].flat()) cgroups.remove(group);
      spares.clear();
    },
  };
}
