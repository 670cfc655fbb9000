import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Who listens on a TCP port of this network namespace. */
export interface PortHolder {
  /** "0.0.0.0" and "::" are all of them. */
  address: string;
  /** Undefined where that may not be known. */
  pid: number | undefined;
  /** As the kernel has it: at most 15 characters. */
  name: string | undefined;
}

const LISTENS = "0A";
const TABLES = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];

/** All that have `port` open for others now. Looks through all processes; never throws. */
export function holdersOf(port: number): PortHolder[] {
  const found = new Map<string, string>();
  for (const line of TABLES.flatMap((table) => (read(table) ?? "").split("\n").slice(1))) {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    const [address = "", hexPort = ""] = local.split(":");
    if (state === LISTENS && Number.parseInt(hexPort, 16) === port) {
      found.set(`socket:[${inode}]`, addressOf(address));
    }
  }
  if (found.size === 0) return [];
  const owners = ownersOf(found);
  return Array.from(found, ([socket, address]) => {
    const pid = owners.get(socket);
    return { address, pid, name: pid ? read(`/proc/${pid}/comm`)?.trim() : undefined };
  });
}

function ownersOf(sockets: ReadonlyMap<string, string>): Map<string, number> {
  const owners = new Map<string, number>();
  for (const pid of list("/proc").filter((name) => /^\d+$/.test(name))) {
    for (const fd of list(`/proc/${pid}/fd`)) {
      const target = linkOf(`/proc/${pid}/fd/${fd}`);
      if (target !== undefined && sockets.has(target)) owners.set(target, Number(pid));
    }
  }
  return owners;
}

/** The kernel writes words of the machine's own, little, byte order. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  if (bytes.length > 4)
    return bytes.every((byte) => byte === 0) ? "::" : mappedOrHex(bytes.swap32());
  return [...bytes.swap32()].join(".");
}

function mappedOrHex(bytes: Buffer): string {
  const isMapped = bytes.subarray(0, 12).toString("hex") === "00000000000000000000ffff";
  if (isMapped) return [...bytes.subarray(12)].join(".");
  return (bytes.toString("hex").match(/.{4}/g) ?? []).join(":");
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // it ended meanwhile
  }
}

function linkOf(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
