import { CommandError } from "./command-error.ts";
import { holdersOf, type PortHolder } from "./port-holder.ts";

/** Where an API server is to be reached, and for whom. */
export interface ApiListener {
  host: string;
  port: number;
  /** Where this address comes from: the flag that chooses another. */
  flag: string;
}

const EVERYWHERE: readonly string[] = ["0.0.0.0", "::"];

/** Says what stands in the way of a listener; any other error is returned as it is. */
export function explainListener(
  cause: Error,
  { host, port, flag }: ApiListener,
  holders: readonly PortHolder[] = holdersOf(port),
): Error {
  if ((cause as NodeJS.ErrnoException).code !== "EADDRINUSE") return cause;
  const holder = holders.find(({ address }) => address === host || EVERYWHERE.includes(address));
  const who = holder?.pid ? `process ${holder.pid} (${holder.name})` : "another program";
  const where = holder ? ` listens on ${holder.address}:${port}` : " uses it";
  // Of all addresses, none is left to choose.
  const other = EVERYWHERE.includes(holder?.address ?? "")
    ? "stop it, or have it listen on addresses of its own only"
    : `stop it (another Nephos by "nephos down" with its --data-dir), or choose another with ${flag}`;
  const message = `Cannot listen on ${host}:${port} as ${who}${where}; ${other}`;
  return new CommandError(message, { cause });
}
