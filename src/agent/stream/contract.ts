import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { AttachOptions, ExecOptions, StreamSession } from "../runtime/contract.ts";

/** What streams lead to. */
export interface SessionBackend {
  /** @throws StatusError NotFound, or BadRequest when the container is not running */
  exec(target: ContainerTarget, options: ExecOptions): Promise<StreamSession>;
  attach(target: ContainerTarget, options: AttachOptions): Promise<StreamSession>;
  /** Connects to a port inside the pod's network namespace. */
  portForward(pod: PodTarget, port: number): Promise<Socket>;
}

/** What the node's HTTPS endpoint (kubelet API) needs from the pod manager. */
export interface StreamBackend extends SessionBackend {
  /** Plain bytes of the log as `kubectl logs` prints them; ends unless `follow`. */
  logs(target: ContainerTarget, options: LogOptions, signal: AbortSignal): Promise<Readable>;
  /** Pods on this node as the agent knows them (`/pods`). */
  pods(): Pod[];
  /** `/stats/summary` body. */
  statsSummary(): Promise<unknown>;
  /** The `KubeletConfiguration` in force. */
  configuration(): Readonly<Record<string, unknown>>;
  /** Writes down what runs. @throws StatusError always, as no runtime here can */
  checkpoint(target: ContainerTarget): never;
  /** Prometheus text. */
  metrics(of: MetricsKind): Promise<string>;
}

/** The agent's own counts, or use of resources as the metrics API or dashboards want it. */
export type MetricsKind = "agent" | "resource" | "cadvisor" | "probes";

/** A pod on this node. */
export interface PodTarget {
  namespace: string;
  name: string;
  /** When given, must match. */
  uid?: string;
}

/** A container of it; any kind: init, ordinary, ephemeral. */
export interface ContainerTarget extends PodTarget {
  container: string;
}

/** Options of `PodLogOptions`. */
export interface LogOptions {
  follow?: boolean;
  previous?: boolean;
  sinceSeconds?: number;
  /** Epoch milliseconds. */
  sinceTimeMs?: number;
  timestamps?: boolean;
  tailLines?: number;
  limitBytes?: number;
}
