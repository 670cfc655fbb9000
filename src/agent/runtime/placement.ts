import path from "node:path";
import { type Placement, placeProgram } from "../../format/elf/place-program.ts";
import type { MonitorTools } from "./conmon.ts";
import { programMachine, writeProgram } from "./own-program.ts";
import type { RuntimeContext } from "./runtime-context.ts";
import type { SandboxDriver } from "./sandbox-driver.ts";

/** What is to run where. */
export interface PlacedCommand {
  driver: SandboxDriver;
  cgroup: string;
  command: readonly string[];
  /** Runs it in a copy of the lean mount namespace, where there is one, with these along. */
  mounts?: readonly string[] | undefined;
  /** See `Creation`. */
  descriptors?: readonly (number | "ignore")[];
}

/**
 * The command line with which a process starts in `cgroup`, when that is ours to do, and with the
 * mounts that it is to see: through a program that moves itself there first.
 */
export function placed(
  context: RuntimeContext,
  { driver, cgroup, command, mounts }: PlacedCommand,
): readonly string[] {
  const namespace = mounts && driver.needsFewMounts ? context.leanMounts.namespace : undefined;
  if (!driver.placesItself && namespace === undefined) return command;
  const files = driver.placesItself ? entries(context, cgroup) : [];
  const taken = mounts && namespace !== undefined ? mounts : undefined;
  const program = placer(context, {
    groups: files.length,
    gated: false,
    ...(taken && { mounts: taken.length }),
  });
  const along = taken && namespace !== undefined ? [namespace, ...taken] : [];
  return [program, ...files, ...along, ...command];
}

/** The monitor and the command that it runs. */
export function monitorTools(context: RuntimeContext, placement: PlacedCommand): MonitorTools {
  const { descriptors, driver } = placement;
  return {
    ...tools(context, { driver, command: placed(context, placement) }),
    ...(descriptors && { descriptors }),
  };
}

/** A monitor whose runtime waits until a byte comes out of the FIFO `gate`, and enters `cgroup`. */
export function gated(
  context: RuntimeContext,
  { driver, gate, cgroup }: { driver: SandboxDriver; gate: string; cgroup: string },
): MonitorTools {
  const files = entries(context, cgroup);
  const program = placer(context, { groups: files.length, gated: true });
  const command = [program, gate, ...files, ...driver.command];
  return tools(context, { driver, command });
}

function tools(
  { conmon, standIns }: RuntimeContext,
  { driver, command }: Pick<PlacedCommand, "driver" | "command">,
): MonitorTools {
  const [runtime = "", ...runtimeArguments] = command;
  const environment = standIns.environment(driver.command[0] ?? "");
  return { conmon, runtime, runtimeArguments, environment };
}

/** The files by which a process enters the group. */
function entries({ cgroups: { hierarchies, entry } }: RuntimeContext, group: string): string[] {
  return hierarchies.map((hierarchy) => `${hierarchy}${group}/${entry}`);
}

/** The program that does it, written when it is first asked for. */
function placer({ paths, placers }: RuntimeContext, placement: Placement): string {
  const { groups, gated, mounts } = placement;
  const name = gated ? "place-gated" : mounts === undefined ? "place" : `place-${groups}-${mounts}`;
  const known = placers.get(name);
  if (known !== undefined) return known;
  const program = placeProgram(programMachine(), placement);
  const written = writeProgram(path.join(paths.programs, name), program);
  placers.set(name, written);
  return written;
}
