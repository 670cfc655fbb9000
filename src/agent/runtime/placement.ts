import path from "node:path";
import { placeProgram } from "../../format/elf/place-program.ts";
import type { MonitorTools } from "./conmon.ts";
import { programMachine, writeProgram } from "./own-program.ts";
import type { RuntimeContext } from "./runtime-context.ts";
import type { SandboxDriver } from "./sandbox-driver.ts";

/** What is to run where. */
export interface PlacedCommand {
  driver: SandboxDriver;
  cgroup: string;
  command: readonly string[];
  /** See `Creation`. */
  descriptors?: readonly (number | "ignore")[];
}

/**
 * The command line with which a process starts in `cgroup`: through a program that moves itself
 * there first, when that is ours to do.
 */
export function placed(
  context: RuntimeContext,
  { driver, cgroup, command }: PlacedCommand,
): readonly string[] {
  if (!driver.placesItself) return command;
  return [placer(context, false), ...entries(context, cgroup), ...command];
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
  const command = [placer(context, true), gate, ...entries(context, cgroup), ...driver.command];
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
function placer({ paths, cgroups, placers }: RuntimeContext, isGated: boolean): string {
  const known = placers.get(isGated);
  if (known !== undefined) return known;
  const placement = { groups: cgroups.hierarchies.length, gated: isGated };
  const file = path.join(paths.programs, isGated ? "place-gated" : "place");
  const written = writeProgram(file, placeProgram(programMachine(), placement));
  placers.set(isGated, written);
  return written;
}
