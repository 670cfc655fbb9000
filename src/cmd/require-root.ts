import { CommandError } from "./command-error.ts";

/** Refuses anyone else; `action` completes "Cannot ...". @throws CommandError */
export function requireRoot(action: string): void {
  if (process.getuid?.() === 0) return;
  throw new CommandError(`Cannot ${action}: run it as root, for example with sudo`);
}
