import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const KIB_UNITS = [
  ["Gi", 1024 * 1024],
  ["Mi", 1024],
  ["Ki", 1],
] as const;

/**
 * Bytes in preallocated pages by resource name, such as "hugepages-2Mi"; a size that the kernel
 * knows and has no page of counts zero. Source: the kernel's admin-guide/mm/hugetlbpage.rst.
 */
export function readHugePages(root = "/sys/kernel/mm/hugepages"): Map<string, number> {
  const pages = new Map<string, number>();
  let names: string[] = [];
  try {
    names = readdirSync(root);
  } catch {
    // A kernel without them.
  }
  for (const name of names) {
    const kib = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1]);
    if (!kib) continue;
    const count = Number(readFileSync(path.join(root, name, "nr_hugepages"), "utf8"));
    pages.set(`hugepages-${sizeText(kib)}`, count * kib * 1024);
  }
  return new Map([...pages].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sizeText(kib: number): string {
  const [unit, size] = KIB_UNITS.find(([, one]) => kib % one === 0) ?? ["Ki", 1];
  return `${kib / size}${unit}`;
}
