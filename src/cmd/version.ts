import { parseFlags } from "./options.ts";

/** Release of Nephos; a test compares it with package.json. */
export const NEPHOS_VERSION = "0.1.0";

/** Version of the Kubernetes API that is served. */
export const KUBERNETES_VERSION = "v1.32.3";

/** `gitVersion` of the server and `kubeletVersion` of the nodes. */
export const GIT_VERSION: string = `${KUBERNETES_VERSION}+nephos-${NEPHOS_VERSION}`;

/** `nephos version`. */
export function version(args: readonly string[]): number {
  const { values } = parseFlags(args, {
    "data-dir": { type: "string" },
    output: { type: "string", short: "o" },
  });
  const report = { nephos: NEPHOS_VERSION, kubernetes: KUBERNETES_VERSION, node: process.version };
  const text = `Nephos ${report.nephos}, Kubernetes API ${report.kubernetes}, Node.js ${report.node}`;
  process.stdout.write(`${values["output"] === "json" ? JSON.stringify(report) : text}\n`);
  return 0;
}
