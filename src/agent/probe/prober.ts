import type { HTTPGetAction, LifecycleHandler, Probe } from "../../api/generated/types/core-v1.ts";
import { type Clock, sleep, type Timer } from "../../lib/clock.ts";
import type { ContainerRuntime } from "../runtime/contract.ts";
import { attempt } from "./attempt.ts";
import {
  HookError,
  type HookOptions,
  type ProbeKind,
  type ProbeReport,
  type Prober,
  type ProbeTarget,
} from "./contract.ts";
import { HTTP_FOR_HTTPS } from "./failure-words.ts";
import { judge, settingsOf, UNASKED } from "./probe-schedule.ts";
import { addressOf, portOf } from "./target-address.ts";

const PROBE_AGENT = "kube-probe/1.32";
const HOOK_AGENT = "kube-lifecycle/1.32";

/** Creates the prober of a node. Attempts of one probe never overlap. */
export function createProber(options: Surroundings): Prober {
  return {
    watch: (target, report) => watchContainer(options, target, report),
    runHook: (hook, target, how) => runHook(options, { hook, target, ...how }),
  };
}

/** What probes are run with. */
export interface Surroundings {
  runtime: ContainerRuntime;
  clock: Clock;
  /** Told of each attempt of a probe that came to something, and how long it took. */
  onAttempt?: (target: ProbeTarget, attempt: ProbeAttempt) => void;
}

/** One question and what became of it. */
export interface ProbeAttempt {
  kind: ProbeKind;
  succeeded: boolean;
  seconds: number;
}

function watchContainer(
  surroundings: Surroundings,
  target: ProbeTarget,
  report: (report: ProbeReport) => void,
): Disposable {
  const { startupProbe, readinessProbe, livenessProbe } = target.container;
  const running = new Set<Disposable>();
  const ask = (kind: ProbeKind, probe: Probe, onReport: (report: ProbeReport) => void) => {
    running.add(repeat(surroundings, { kind, probe, target }, onReport));
  };
  const askOngoing = () => {
    if (readinessProbe) ask("readiness", readinessProbe, report);
    if (livenessProbe) ask("liveness", livenessProbe, report);
  };
  if (startupProbe) {
    ask("startup", startupProbe, (learned) => {
      if (learned.verdict !== undefined) stopAll(running);
      report(learned);
      if (learned.verdict === "healthy") askOngoing();
    });
  } else {
    askOngoing();
  }
  return { [Symbol.dispose]: () => stopAll(running) };
}

function stopAll(running: Set<Disposable>): void {
  for (const one of running) one[Symbol.dispose]();
  running.clear();
}

function repeat(
  { runtime, clock, onAttempt }: Surroundings,
  { kind, probe, target }: { kind: ProbeKind; probe: Probe; target: ProbeTarget },
  report: (report: ProbeReport) => void,
): Disposable {
  const settings = settingsOf(probe);
  let standing = UNASKED;
  let stopped = false;
  let timer: Timer;
  const ask = async () => {
    const context = { target, runtime, timeoutMs: settings.timeoutMs, userAgent: PROBE_AGENT };
    const askedAtMs = clock.monotonicMs();
    const outcome = await attempt(probe, context);
    if (stopped) return;
    const { result } = outcome;
    if (result !== "error") {
      const seconds = (clock.monotonicMs() - askedAtMs) / 1000;
      onAttempt?.(target, { kind, succeeded: result !== "failure", seconds });
    }
    const judgement = judge(standing, result, settings);
    standing = judgement.standing;
    const { verdict } = standing;
    // The container is about to end: to ask it again would only disturb it.
    const isDoomed = kind === "liveness" && verdict === "unhealthy";
    if (!isDoomed) {
      // A period begins with the question, a wait of an early one with the answer.
      const takenMs = judgement.early ? 0 : clock.monotonicMs() - askedAtMs;
      timer = clock.setTimer(Math.max(0, judgement.waitMs - takenMs), () => void ask());
    }
    if (!judgement.changed && !judgement.told) return;
    report({
      probe: kind,
      ...(judgement.changed && verdict ? { verdict } : {}),
      ...(judgement.told && outcome.result !== "success" ? { told: outcome } : {}),
    });
  };
  const delayMs = Math.max(0, target.startedAtMs + settings.initialDelayMs - clock.now());
  timer = clock.setTimer(delayMs, () => void ask());
  return {
    [Symbol.dispose]() {
      stopped = true;
      timer.cancel();
    },
  };
}

async function runHook(
  { runtime, clock }: Surroundings,
  request: { hook: LifecycleHandler; target: ProbeTarget } & HookOptions,
): Promise<void> {
  const { hook, target, timeoutMs } = request;
  if (hook.sleep) {
    await sleep(clock, Math.min(timeoutMs, hook.sleep.seconds * 1000));
    return;
  }
  const context = { target, runtime, timeoutMs, userAgent: HOOK_AGENT, takesAnyAnswer: true };
  const outcome = await attempt(hook, context);
  if (outcome.result === "success") return;
  const plain = outcome.message.endsWith(HTTP_FOR_HTTPS) ? withoutTls(hook.httpGet) : undefined;
  if (plain && (await attempt({ httpGet: plain }, context)).result === "success") {
    const { host, port } = plain;
    request.onFallback?.(addressOf(host || target.podIp, portOf(port, target)));
    return;
  }
  throw new HookError(outcome.message.trim() || "the command failed");
}

/** The same request for whoever may listen to it: without what proves who asks. */
function withoutTls(action: HTTPGetAction | undefined): HTTPGetAction | undefined {
  if (action?.scheme !== "HTTPS") return undefined;
  const kept = (action.httpHeaders ?? []).filter(
    ({ name }) => name.toLowerCase() !== "authorization",
  );
  return { ...action, scheme: "HTTP", httpHeaders: kept };
}
