import type { Node, Pod } from "../../api/generated/types/core-v1.ts";
import type { ExtenderConfiguration, ExtenderTls } from "../config/extender-configuration.ts";
import { SCORE_MAX } from "../framework/contract.ts";
import type { PodRecord } from "../pod/pod-profile.ts";
import type { Candidate } from "../preemption/victims.ts";

/** Posts JSON and resolves with the decoded answer. @throws when there is none in time */
export type ExtenderTransport = (
  url: string,
  body: object,
  options: { timeoutMs: number; tls?: ExtenderTls | undefined },
) => Promise<unknown>;

/** An extender's scores go from 0 to 10. */
const EXTENDER_SCORE_MAX = 10;

/** The extender could not be asked, or answered with an error. */
export class ExtenderError extends Error {
  override readonly name = "ExtenderError";
}

/** What an extender leaves of some nodes. */
export interface ExtenderVerdict {
  names: readonly string[];
  /** Reason by node that was turned down. */
  failed: ReadonlyMap<string, string>;
  /** Nodes of `failed` where taking pods away would not help. */
  unresolvable: ReadonlySet<string>;
}

/** One configured webhook. */
export class Extender {
  readonly configuration: ExtenderConfiguration;
  readonly #send: ExtenderTransport;

  constructor(configuration: ExtenderConfiguration, send: ExtenderTransport) {
    this.configuration = configuration;
    this.#send = send;
  }

  /** Whether the pod asks for anything that the extender looks after. */
  isInterestedIn({ profile }: PodRecord): boolean {
    const { managedResources } = this.configuration;
    return (
      managedResources.length === 0 ||
      managedResources.some(({ name }) => profile.requests.has(name))
    );
  }

  get binds(): boolean {
    return this.configuration.bindVerb !== undefined;
  }

  /** @throws ExtenderError, unless the extender is ignorable: then all nodes stay */
  async filter(pod: Pod, nodes: readonly Node[]): Promise<ExtenderVerdict> {
    const names = nodes.map(({ metadata }) => metadata?.name ?? "");
    const everything = {
      names,
      failed: new Map<string, string>(),
      unresolvable: new Set<string>(),
    };
    const { filterVerb, ignorable } = this.configuration;
    if (!filterVerb) return everything;
    try {
      const answer = await this.#ask(filterVerb, this.#args(pod, nodes));
      const failed = new Map(Object.entries(texts(answer["failedNodes"])));
      const left = namesOf(answer);
      const stranger = left?.find((name) => !names.includes(name));
      if (stranger !== undefined) {
        throw this.#failure(filterVerb, `it left node "${stranger}", which was not in question`);
      }
      const lost = Object.entries(texts(answer["failedAndUnresolvableNodes"]));
      for (const [name, reason] of lost) failed.set(name, reason);
      return {
        names: left ?? names.filter((name) => !failed.has(name)),
        failed,
        unresolvable: new Set(lost.map(([name]) => name)),
      };
    } catch (error) {
      if (ignorable) return everything;
      throw error;
    }
  }

  /** Scores to add, by node. A failure means none: scores are never worth a refusal. */
  async prioritize(pod: Pod, nodes: readonly Node[]): Promise<ReadonlyMap<string, number>> {
    const { prioritizeVerb, weight } = this.configuration;
    const scores = new Map<string, number>();
    if (!prioritizeVerb) return scores;
    try {
      const answer = await this.#post(prioritizeVerb, this.#args(pod, nodes));
      for (const one of Array.isArray(answer)
        ? (answer as { host?: string; score?: number }[])
        : []) {
        const score = (one.score ?? 0) * weight * (SCORE_MAX / EXTENDER_SCORE_MAX);
        if (one.host) scores.set(one.host, score);
      }
    } catch {
      return new Map();
    }
    return scores;
  }

  isAskedToPreempt(pod: PodRecord): boolean {
    return this.configuration.preemptVerb !== undefined && this.isInterestedIn(pod);
  }

  /**
   * The candidates that the extender leaves, each with the victims that it leaves.
   * @throws ExtenderError, unless the extender is ignorable: then all stay
   */
  async preempt(pod: Pod, candidates: readonly Candidate[]): Promise<readonly Candidate[]> {
    const { preemptVerb = "", ignorable } = this.configuration;
    try {
      const answer = await this.#ask(preemptVerb, this.#preemptionArgs(pod, candidates));
      const left = (answer["nodeNameToMetaVictims"] ?? {}) as Record<string, MetaVictims>;
      return candidates.flatMap((candidate) => {
        const named = left[candidate.node];
        if (!named) return [];
        const kept = keptVictims(candidate, named);
        if (kept.victims.length > 0) return [kept];
        throw this.#failure(preemptVerb, `it left no victim on node "${candidate.node}"`);
      });
    } catch (error) {
      if (ignorable) return candidates;
      throw error;
    }
  }

  /** @throws ExtenderError */
  async bind({ name, namespace, uid }: PodRecord, node: string): Promise<void> {
    const { bindVerb = "" } = this.configuration;
    await this.#ask(bindVerb, { podName: name, podNamespace: namespace, podUID: uid, node });
  }

  #args(pod: Pod, nodes: readonly Node[]): object {
    return this.configuration.nodeCacheCapable
      ? { pod, nodenames: nodes.map(({ metadata }) => metadata?.name ?? "") }
      : { pod, nodes: { items: nodes } };
  }

  #preemptionArgs(pod: Pod, candidates: readonly Candidate[]): object {
    const byUid = this.configuration.nodeCacheCapable;
    const victimsOf = ({ victims, violations }: Candidate) => ({
      pods: victims.map((victim) => (byUid ? { uid: victim.uid } : victim.pod)),
      numPDBViolations: violations,
    });
    const victims = Object.fromEntries(candidates.map((one) => [one.node, victimsOf(one)]));
    return { pod, [byUid ? "nodeNameToMetaVictims" : "nodeNameToVictims"]: victims };
  }

  async #ask(verb: string, body: object): Promise<Record<string, unknown>> {
    const answer = (await this.#post(verb, body)) ?? {};
    const { error } = answer as { error?: unknown };
    if (typeof error === "string" && error !== "") throw this.#failure(verb, error);
    return answer as Record<string, unknown>;
  }

  async #post(verb: string, body: object): Promise<unknown> {
    const { timeoutMs, tls } = this.configuration;
    try {
      return await this.#send(this.#url(verb), body, { timeoutMs, tls });
    } catch (error) {
      throw this.#failure(verb, error instanceof Error ? error.message : String(error));
    }
  }

  #failure(verb: string, why: string): ExtenderError {
    return new ExtenderError(`extender ${this.#url(verb)}: ${why}`);
  }

  #url(verb: string): string {
    return `${this.configuration.urlPrefix.replace(/\/$/, "")}/${verb}`;
  }
}

/** Victims as an extender names them. */
interface MetaVictims {
  pods?: readonly { uid?: string }[] | null;
  numPDBViolations?: number;
}

function keptVictims(candidate: Candidate, { pods, numPDBViolations }: MetaVictims): Candidate {
  const kept = new Set((pods ?? []).map(({ uid }) => uid));
  return {
    ...candidate,
    victims: candidate.victims.filter(({ uid }) => kept.has(uid)),
    violations: numPDBViolations ?? 0,
  };
}

function namesOf(answer: Record<string, unknown>): string[] | undefined {
  const { nodenames, nodes } = answer as {
    nodenames?: string[] | null;
    nodes?: { items?: Node[] | null } | null;
  };
  if (Array.isArray(nodenames)) return nodenames;
  return nodes?.items?.map(({ metadata }) => metadata?.name ?? "");
}

function texts(value: unknown): Record<string, string> {
  return typeof value === "object" && value !== null ? (value as Record<string, string>) : {};
}
