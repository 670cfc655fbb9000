import { openDataDirectory } from "./data-directory.ts";
import { isAlive, readInstance } from "./instance.ts";
import { commonFlags, parseFlags, usage } from "./options.ts";
import { type ProcessMemory, readProcessMemory } from "./process-memory.ts";

interface StatusReport {
  running: boolean;
  version: string;
  server: string;
  dataDirectory: string;
  nodes: readonly { name: string; ip: string }[];
  processes: readonly (Partial<ProcessMemory> & {
    role: string;
    pid: number;
    node?: string;
    alive: boolean;
  })[];
  pssBytes: number;
}

/** `nephos status`: processes, memory, nodes; exit code 3 when nothing runs (as in LSB). */
export function status(args: readonly string[]): number {
  const { values } = parseFlags(args, { ...commonFlags, output: { type: "string", short: "o" } });
  const format = values["output"];
  if (format !== undefined && format !== "json")
    throw usage(`-o must be "json", not "${String(format)}"`);
  const directory = openDataDirectory(`${values["data-dir"]}`, { create: false });
  const report = collect(directory.instance, directory.root);
  if (format === "json") process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else process.stdout.write(describe(report));
  return report.running ? 0 : 3;
}

function collect(instanceFile: string, dataDirectory: string): StatusReport {
  const instance = readInstance(instanceFile);
  const processes = (instance?.processes ?? []).map((process) => {
    const alive = isAlive(process);
    const { role, pid, node } = process;
    const memory = alive ? readProcessMemory(pid) : undefined;
    return { role, pid, ...(node ? { node } : {}), alive, ...memory };
  });
  return {
    running: processes.some(({ role, alive }) => role === "nephos" && alive),
    version: instance?.version ?? "",
    server: instance?.server ?? "",
    dataDirectory,
    nodes: (instance?.nodes ?? []).map(({ name, ip }) => ({ name, ip })),
    processes,
    pssBytes: processes.reduce((sum, { pssBytes = 0 }) => sum + pssBytes, 0),
  };
}

const mib = (bytes: number | undefined) => `${((bytes ?? 0) / 1_048_576).toFixed(1)} MiB`;

function describe(report: StatusReport): string {
  if (!report.running) {
    return `Nephos is not running in ${report.dataDirectory}; start it with "nephos up".\n`;
  }
  const lines = [
    `Nephos ${report.version} at ${report.server}, data in ${report.dataDirectory}`,
    `nodes: ${report.nodes.map(({ name, ip }) => `${name} (${ip})`).join(", ")}`,
    `${"PROCESS".padEnd(16)}${"PID".padEnd(9)}${"PSS".padEnd(12)}${"RSS".padEnd(12)}ANONYMOUS`,
  ];
  for (const { role, node, pid, alive, ...memory } of report.processes) {
    const name = node ? `${role}/${node}` : role;
    const figures = alive
      ? `${mib(memory.pssBytes).padEnd(12)}${mib(memory.rssBytes).padEnd(12)}${mib(memory.anonymousBytes)}`
      : "not running";
    lines.push(`${name.padEnd(16)}${`${pid}`.padEnd(9)}${figures}`);
  }
  lines.push(`in all ${mib(report.pssBytes)} (PSS)`);
  return `${lines.join("\n")}\n`;
}
