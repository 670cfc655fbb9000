import type { NodeMetrics, PodMetrics } from "../generated/types/metrics-v1beta1.ts";
import { addQuantities, formatQuantity, parseQuantity } from "../../lib/quantity.ts";
import { columnsOf, nameOf, type TableKind } from "./table-kind.ts";

export const NODE_METRICS_TABLE: TableKind<NodeMetrics> = {
  columns: columnsOf("Name", "cpu", "memory", "Window"),
  cells: (object) => [
    nameOf(object),
    object.usage?.["cpu"] ?? "",
    object.usage?.["memory"] ?? "",
    object.window ?? "",
  ],
};

export const POD_METRICS_TABLE: TableKind<PodMetrics> = {
  columns: columnsOf("Name", "cpu", "memory", "Window"),
  cells: (object) => [
    nameOf(object),
    sum(object, "cpu"),
    sum(object, "memory"),
    object.window ?? "",
  ],
};

function sum({ containers = [] }: PodMetrics, resource: "cpu" | "memory"): string {
  const amounts = containers.map(({ usage }) => parseQuantity(usage?.[resource] ?? "0"));
  const [first, ...others] = amounts;
  return first ? formatQuantity(others.reduce(addQuantities, first)) : "";
}
