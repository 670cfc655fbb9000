import { readFileSync } from "node:fs";
import { CommandError } from "./command-error.ts";
import { openDataDirectory } from "./data-directory.ts";
import { commonFlags, parseFlags } from "./options.ts";

/** `nephos kubeconfig`: prints what `up` wrote. */
export function kubeconfig(args: readonly string[]): number {
  const { values } = parseFlags(args, commonFlags);
  const directory = openDataDirectory(`${values["data-dir"]}`, { create: false });
  try {
    process.stdout.write(readFileSync(directory.kubeconfig, "utf8"));
    return 0;
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === "EACCES" ? "run it as root" : "";
    const advice = why || 'start Nephos with "nephos up" first';
    throw new CommandError(`Cannot read "${directory.kubeconfig}": ${advice}`, { cause });
  }
}
