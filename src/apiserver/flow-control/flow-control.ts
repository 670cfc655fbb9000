import { FLOW_SCHEMAS, PRIORITY_LEVEL_CONFIGURATIONS } from "../../api/generated/resources.ts";
import type {
  FlowSchema,
  PriorityLevelConfiguration,
} from "../../api/generated/types/flowcontrol-v1.ts";
import type { Clock } from "../../lib/clock.ts";
import type { ObjectReader } from "../contract.ts";
import {
  classify,
  type CompiledSchema,
  compileSchemas,
  flowOf,
  type FlowRequest,
} from "./flow-classifier.ts";
import { shareSeats } from "./borrowing.ts";
import { FlowCounts, flowMetrics } from "./flow-metrics.ts";
import { PriorityLevel } from "./priority-level.ts";
import type { MetricFamily } from "../../lib/prometheus.ts";

/** Requests that are served at once, by all levels together. */
const SEATS_DEFAULT = 600;

/**
 * While some level is full seats are shared out anew so often. Upstream does it every ten seconds,
 * be any level full or not.
 */
const SHARE_AFTER_MS = 1_000;

/** A request's place: its seat must be given back. */
export interface Seat {
  /** Headers of the answer that say who decided, flat. */
  headers: readonly string[];
  release(): void;
}

interface Flow {
  schema: CompiledSchema;
  level: PriorityLevel;
  counts: FlowCounts;
  seat: Seat;
  exempt: Seat;
}

const NO_SEAT: Seat = { headers: [], release: () => {} };

/** Shares out the server among flows, as FlowSchemas and PriorityLevelConfigurations say. */
export class FlowControl {
  readonly #reader: ObjectReader;
  readonly #clock: Clock;
  readonly #seats: number;
  readonly #levels = new Map<string, PriorityLevel>();
  #schemaObjects: readonly FlowSchema[] = [];
  #levelObjects: readonly PriorityLevelConfiguration[] = [];
  #schemas: readonly CompiledSchema[] = [];
  #flows = new Map<CompiledSchema, Flow>();
  /** By the names of level and schema: a changed schema goes on counting. */
  readonly #counts = new Map<string, FlowCounts>();
  /** When seats were last shared out, in epoch milliseconds. */
  #sharedMs = 0;

  constructor(parts: { reader: ObjectReader; clock: Clock; seats?: number }) {
    this.#reader = parts.reader;
    this.#clock = parts.clock;
    this.#seats = parts.seats ?? SEATS_DEFAULT;
  }

  /** A seat at once, or when there is one. @throws StatusError TooManyRequests */
  enter(request: FlowRequest): Seat | Promise<Seat> {
    const flow = this.#flowOf(request);
    if (!flow) return NO_SEAT;
    if (flow.level.tryAcquire() || (this.#shareAnew() && flow.level.tryAcquire())) {
      flow.counts.dispatched();
      return flow.seat;
    }
    const waiting = flow.level.acquire(flowOf(flow.schema, request));
    return flow.counts.waited(waiting).then(() => flow.seat);
  }

  /** How the server is shared out now, and was since the start. */
  metrics(): MetricFamily[] {
    return flowMetrics(this.#levels, this.#counts);
  }

  /** Who decides about a request that holds no seat, as it may last for hours. */
  visit(request: FlowRequest): Seat {
    return this.#flowOf(request)?.exempt ?? NO_SEAT;
  }

  /** Lends seats that nobody needs to levels that are full; false when that was just done. */
  #shareAnew(): boolean {
    const nowMs = this.#clock.now();
    if (nowMs < this.#sharedMs + SHARE_AFTER_MS) return false;
    this.#sharedMs = nowMs;
    const limited = [...this.#levels.values()].filter(({ isExempt }) => !isExempt);
    const shares = shareSeats(limited.map((level) => level.takeDemand()));
    for (const [at, level] of limited.entries()) level.allot(shares[at] ?? 1);
    return true;
  }

  #flowOf(request: FlowRequest): Flow | undefined {
    this.#refresh();
    const schema = classify(this.#schemas, request);
    return schema && this.#flows.get(schema);
  }

  #refresh(): void {
    const schemas = this.#reader.list(FLOW_SCHEMAS);
    const levels = this.#reader.list(PRIORITY_LEVEL_CONFIGURATIONS);
    if (schemas === this.#schemaObjects && levels === this.#levelObjects) return;
    this.#schemaObjects = schemas;
    this.#levelObjects = levels;
    this.#configureLevels(levels);
    this.#flows = new Map();
    // A schema whose level is missing matches nothing.
    this.#schemas = compileSchemas(schemas).filter((schema) => {
      const level = this.#levels.get(schema.levelName);
      if (!level) return false;
      const headers = [
        "X-Kubernetes-PF-FlowSchema-UID",
        schema.uid,
        "X-Kubernetes-PF-PriorityLevel-UID",
        level.uid,
      ];
      const counts = this.#countsOf(schema);
      const release = () => {
        counts.executing--;
        level.release();
      };
      const seat = { headers, release };
      this.#flows.set(schema, { schema, level, counts, seat, exempt: { ...NO_SEAT, headers } });
      return true;
    });
  }

  #countsOf({ name, levelName }: CompiledSchema): FlowCounts {
    const key = `${levelName}/${name}`;
    const known = this.#counts.get(key) ?? new FlowCounts(levelName, name);
    this.#counts.set(key, known);
    return known;
  }

  #configureLevels(objects: readonly PriorityLevelConfiguration[]): void {
    const sharesOf = ({ spec }: PriorityLevelConfiguration) =>
      spec?.limited?.nominalConcurrencyShares ?? spec?.exempt?.nominalConcurrencyShares ?? 0;
    const total = objects.reduce((sum, object) => sum + sharesOf(object), 0) || 1;
    const names = new Set<string>();
    for (const object of objects) {
      const { name = "", uid = "" } = object.metadata ?? {};
      const spec = object.spec ?? { type: "Exempt" };
      names.add(name);
      let level = this.#levels.get(name);
      if (level?.uid !== uid) {
        level = new PriorityLevel(uid, { spec, clock: this.#clock });
        this.#levels.set(name, level);
      }
      level.configure(spec, Math.ceil((this.#seats * sharesOf(object)) / total));
    }
    for (const name of this.#levels.keys()) if (!names.has(name)) this.#levels.delete(name);
  }
}
