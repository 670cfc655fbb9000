import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { MetricFamily } from "../lib/prometheus.ts";

/** Of proc_pid_stat(5), counted after the command's name, which may hold spaces. */
const START_TICKS_AT = 19;
const VSIZE_AT = 20;
/** USER_HZ, the same on every Linux of today. */
const TICKS_PER_SECOND = 100;

/** What this process uses, in the names that every Prometheus client has for it. */
export function processMetrics(): MetricFamily[] {
  const { user, system } = process.cpuUsage();
  const { heapUsed, heapTotal, external, rss } = process.memoryUsage();
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const startSeconds = Number(fields[START_TICKS_AT]) / TICKS_PER_SECOND;
  return [
    gauge("process_cpu_seconds_total", (user + system) / 1e6, { type: "counter" }),
    gauge("process_resident_memory_bytes", rss),
    gauge("process_virtual_memory_bytes", Number(fields[VSIZE_AT])),
    gauge("process_open_fds", readdirSync("/proc/self/fd").length),
    gauge("process_max_fds", openFilesMax()),
    gauge("process_start_time_seconds", bootSeconds() + startSeconds),
    gauge("nodejs_heap_size_used_bytes", heapUsed),
    gauge("nodejs_heap_size_total_bytes", heapTotal),
    gauge("nodejs_external_memory_bytes", external),
  ];
}

/** How large the files of a store are. */
export function storeMetrics(directory: string): MetricFamily[] {
  const sizes = readdirSync(directory).map(
    (name) => statSync(path.join(directory, name), { throwIfNoEntry: false })?.blocks ?? 0,
  );
  const bytes = sizes.reduce((sum, blocks) => sum + blocks * 512, 0);
  const labels = { storage_cluster_id: "etcd-0" };
  return [gauge("apiserver_storage_size_bytes", bytes, { labels })];
}

const HELP: Readonly<Record<string, string>> = {
  process_cpu_seconds_total: "Seconds of processor time, of user and system.",
  process_resident_memory_bytes: "Resident memory in bytes.",
  process_virtual_memory_bytes: "Virtual memory in bytes.",
  process_open_fds: "Open file descriptors.",
  process_max_fds: "Open file descriptors at most.",
  process_start_time_seconds: "Start of the process in seconds since 1970.",
  nodejs_heap_size_used_bytes: "Bytes of the heap that hold objects.",
  nodejs_heap_size_total_bytes: "Bytes of the heap.",
  nodejs_external_memory_bytes: "Bytes of buffers outside the heap.",
  apiserver_storage_size_bytes: "Bytes that the files of the store take.",
};

function gauge(
  name: string,
  value: number,
  { type = "gauge", labels = {} }: Partial<Pick<MetricFamily, "type">> & { labels?: object } = {},
): MetricFamily {
  return { name, type, help: HELP[name] ?? "", samples: [{ labels: { ...labels }, value }] };
}

function openFilesMax(): number {
  const limits = readFileSync("/proc/self/limits", "utf8");
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
}

function bootSeconds(): number {
  return Number(/^btime (\d+)/m.exec(readFileSync("/proc/stat", "utf8"))?.[1] ?? 0);
}
