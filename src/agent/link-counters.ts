import { readFileSync } from "node:fs";
import type { NetworkCounters } from "./network/contract.ts";

/** Reads what went through each interface of this process's network namespace, by its name. */
export function readLinkCounters(): Map<string, NetworkCounters> {
  return parseLinkCounters(readFileSync("/proc/self/net/dev", "utf8"));
}

/** Source: proc_pid_net(5): eight numbers of what was received, then eight of what was sent. */
export function parseLinkCounters(text: string): Map<string, NetworkCounters> {
  const links = new Map<string, NetworkCounters>();
  for (const line of text.split("\n").slice(2)) {
    const [name = "", numbers] = line.split(":");
    if (numbers === undefined) continue;
    const values = numbers.trim().split(/\s+/).map(Number);
    const at = (index: number) => values[index] ?? 0;
    links.set(name.trim(), {
      receivedBytes: at(0),
      receivedPackets: at(1),
      receiveErrors: at(2),
      receiveDrops: at(3),
      sentBytes: at(8),
      sentPackets: at(9),
      sendErrors: at(10),
      sendDrops: at(11),
    });
  }
  return links;
}

/** The same traffic as the other end of the cable sees it. */
export function mirrored(end: NetworkCounters): NetworkCounters {
  return {
    receivedBytes: end.sentBytes,
    receivedPackets: end.sentPackets,
    receiveErrors: end.sendErrors,
    receiveDrops: end.sendDrops,
    sentBytes: end.receivedBytes,
    sentPackets: end.receivedPackets,
    sendErrors: end.receiveErrors,
    sendDrops: end.receiveDrops,
  };
}
