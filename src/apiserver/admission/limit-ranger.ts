import { StatusError } from "../../api/errors.ts";
import { LIMIT_RANGES } from "../../api/generated/resources.ts";
import type {
  Container,
  LimitRangeItem,
  PersistentVolumeClaim,
} from "../../api/generated/types/core-v1.ts";
import { compareQuantities, formatQuantity, type Quantity } from "../../lib/quantity.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "../contract.ts";
import { isPod, isPodCreate, podOf } from "./admitted-pod.ts";
import { type Amounts, parseAmounts, podAmounts } from "../../api/quota/resource-amounts.ts";

const ANNOTATION = "kubernetes.io/limit-ranger";

type List = Record<string, string>;

function isClaim({ resource, subresource }: AdmissionRequest): boolean {
  return resource.group === "" && resource.plural === "persistentvolumeclaims" && !subresource;
}

/** Defaults of an item with what follows from its bounds: max is a limit, min a request. */
function defaultsOf(item: LimitRangeItem): { limits: List; requests: List } {
  const limits = { ...item.max, ...item.default };
  return { limits, requests: { ...item.min, ...limits, ...item.defaultRequest } };
}

/** Fills what a container leaves open; names what was filled. */
function fill(container: Container, defaults: { limits: List; requests: List }): string[] {
  const notes: string[] = [];
  const resources = (container.resources ??= {});
  for (const [field, noun] of [
    ["requests", "request"],
    ["limits", "limit"],
  ] as const) {
    const present = resources[field] ?? {};
    const missing = Object.entries(defaults[field]).filter(([name]) => !(name in present));
    if (missing.length === 0) continue;
    resources[field] = { ...present, ...Object.fromEntries(missing) };
    const names = missing.map(([name]) => name).sort();
    notes.push(`${names.join(", ")} ${noun}`);
  }
  return notes;
}

function applyDefaults(request: AdmissionRequest, items: readonly LimitRangeItem[]): void {
  const pod = podOf(request);
  const notes: string[] = [];
  for (const item of items) {
    if (item.type !== "Container") continue;
    const defaults = defaultsOf(item);
    for (const [kind, containers] of [
      ["container", pod.spec.containers],
      ["init container", pod.spec.initContainers ?? []],
    ] as const) {
      for (const container of containers) {
        for (const note of fill(container, defaults)) {
          notes.push(`${note} for ${kind} ${container.name}`);
        }
      }
    }
  }
  if (notes.length === 0) return;
  const metadata = (pod.metadata ??= {});
  metadata.annotations = {
    ...metadata.annotations,
    [ANNOTATION]: `LimitRanger plugin set: ${notes.join("; ")}`,
  };
}

interface Usage {
  type: string;
  requests: Amounts;
  limits: Amounts;
}

const over = (a: Quantity | undefined, b: Quantity) =>
  a !== undefined && compareQuantities(a, b) > 0;
const under = (a: Quantity | undefined, b: Quantity) =>
  a !== undefined && compareQuantities(a, b) < 0;
const text = (quantity: Quantity | undefined) => (quantity ? formatQuantity(quantity) : "0");

function checkMinimum({ type, requests, limits }: Usage, min: Amounts): string[] {
  const problems: string[] = [];
  for (const [name, bound] of min) {
    const head = `minimum ${name} usage per ${type} is ${text(bound)}`;
    const [request, limit] = [requests.get(name), limits.get(name)];
    if (!request) problems.push(`${head}.  No request is specified`);
    else if (under(request, bound)) problems.push(`${head}, but request is ${text(request)}`);
    if (under(limit, bound)) problems.push(`${head}, but limit is ${text(limit)}`);
  }
  return problems;
}

function checkMaximum({ type, requests, limits }: Usage, max: Amounts): string[] {
  const problems: string[] = [];
  for (const [name, bound] of max) {
    const head = `maximum ${name} usage per ${type} is ${text(bound)}`;
    const [request, limit] = [requests.get(name), limits.get(name)];
    if (!limit) problems.push(`${head}.  No limit is specified`);
    else if (over(limit, bound)) problems.push(`${head}, but limit is ${text(limit)}`);
    if (over(request, bound)) problems.push(`${head}, but request is ${text(request)}`);
  }
  return problems;
}

function checkRatio({ type, requests, limits }: Usage, ratios: Amounts): string[] {
  const problems: string[] = [];
  for (const [name, bound] of ratios) {
    const head = `${name} max limit to request ratio per ${type} is ${text(bound)}`;
    const [request, limit] = [requests.get(name), limits.get(name)];
    if (!request || request.nanos === 0n) {
      problems.push(`${head}, but no request is specified or request is 0`);
    } else if (!limit || limit.nanos === 0n) {
      problems.push(`${head}, but no limit is specified or limit is 0`);
    } else if (limit.nanos * 1_000_000_000n > bound.nanos * request.nanos) {
      const ratio = Number((limit.nanos * 1_000_000n) / request.nanos) / 1e6;
      problems.push(`${head}, but provided ratio is ${ratio.toFixed(6)}`);
    }
  }
  return problems;
}

function check(item: LimitRangeItem, usage: Usage): string[] {
  return [
    ...checkMinimum(usage, parseAmounts(item.min)),
    ...checkMaximum(usage, parseAmounts(item.max)),
    ...checkRatio(usage, parseAmounts(item.maxLimitRequestRatio)),
  ];
}

function podUsages(request: AdmissionRequest): Usage[] {
  const { spec } = podOf(request);
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  return [
    ...containers.map(({ resources }) => ({
      type: "Container",
      requests: parseAmounts(resources?.requests),
      limits: parseAmounts(resources?.limits),
    })),
    { type: "Pod", requests: podAmounts(spec, "requests"), limits: podAmounts(spec, "limits") },
  ];
}

/** A claim is bounded by what it requests alone. */
function claimProblems(request: AdmissionRequest, item: LimitRangeItem): string[] {
  const claim = request.object as unknown as PersistentVolumeClaim;
  const requests = parseAmounts(claim.spec?.resources?.requests);
  const usage = { type: "PersistentVolumeClaim", requests, limits: requests };
  return [
    ...new Set([
      ...checkMinimum(usage, parseAmounts(item.min)),
      ...checkMaximum(usage, parseAmounts(item.max)),
    ]),
  ].filter((problem) => !problem.includes("but limit is"));
}

/** Gives containers the defaults of the namespace's LimitRanges and keeps them in bounds. */
export function limitRangerPlugin(reader: ObjectReader): AdmissionPlugin {
  const itemsOf = ({ namespace }: AdmissionRequest) =>
    reader.list(LIMIT_RANGES, namespace).flatMap(({ spec }) => spec?.limits ?? []);

  return {
    name: "LimitRanger",
    handles: (request) =>
      isPodCreate(request) ||
      (isClaim(request) && (request.operation === "CREATE" || request.operation === "UPDATE")),
    mutate: (request) => {
      if (isPod(request)) applyDefaults(request, itemsOf(request));
    },
    validate: (request) => {
      const items = itemsOf(request);
      if (items.length === 0) return;
      const usages = isPod(request) ? podUsages(request) : [];
      const problems = items.flatMap((item) =>
        item.type === "PersistentVolumeClaim"
          ? isClaim(request)
            ? claimProblems(request, item)
            : []
          : usages.filter(({ type }) => type === item.type).flatMap((usage) => check(item, usage)),
      );
      if (problems.length === 0) return;
      const detail = problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`;
      const { plural } = request.resource;
      const message = `${plural} ${JSON.stringify(request.name)} is forbidden: ${detail}`;
      throw new StatusError("Forbidden", message, {
        subject: { kind: plural, name: request.name },
      });
    },
  };
}
