import { probeHost } from "../sys/probe/host-probe.ts";
import { CommandError } from "./command-error.ts";
import { commonFlags, parseFlags } from "./options.ts";

/** `nephos doctor`: what this host can do; exit code 1 when a required feature is missing. */
export function doctor(args: readonly string[]): number {
  const { values } = parseFlags(args, {
    ...commonFlags,
    output: { type: "string", short: "o" },
  });
  const features = probeHost();
  if (values["output"] === "json") {
    process.stdout.write(`${JSON.stringify(features, null, 2)}\n`);
  } else {
    for (const { name, required, available, detail } of features) {
      const mark = available ? "yes" : required ? "MISSING" : "no";
      process.stdout.write(`${name.padEnd(20)} ${mark.padEnd(8)} ${detail}\n`);
    }
  }
  return features.some(({ required, available }) => required && !available) ? 1 : 0;
}

/** Refuses with one sentence when this host cannot run Nephos. @throws CommandError */
export function requireHost(): void {
  const missing = probeHost().filter(({ required, available }) => required && !available);
  if (missing.length === 0) return;
  const list = missing.map(({ name, detail }) => `${name} (${detail})`).join(", ");
  throw new CommandError(`Cannot start Nephos as this host lacks ${list}.`);
}
