import { createEventRecorder } from "../client/api-event-recorder.ts";
import type { Client } from "../client/client.ts";
import type { ControllerDefinition } from "../client/controller.ts";
import { type RunningController, runController } from "../client/controller-runner.ts";
import type { InformerFactory } from "../client/informer.ts";
import { runGarbageCollector } from "../controllers/garbage-collector/garbage-collector.ts";
import { Cleanup } from "../lib/cleanup.ts";
import type { Logger } from "../lib/logger.ts";
import type { SchedulerConfiguration } from "../scheduler/config/scheduler-configuration.ts";
import { runScheduler } from "../scheduler/scheduler.ts";
import type { SchedulerMetrics } from "../scheduler/scheduler-metrics.ts";
import { systemClock } from "../sys/clock.ts";
import { systemRandom } from "../sys/random.ts";
import { eventSourceOf } from "./event-source.ts";
import { createExtenderTransport } from "./extender-transport.ts";

/** What controllers and scheduler work with, wherever their API server is. */
export interface ControllersPartOptions {
  client: Client;
  informers: InformerFactory;
  logger: Logger;
}

const sources = { clock: systemClock, random: systemRandom };

/** Runs controllers, each with the client that `clientOf` gives it, and the garbage collector. */
export function startControllersPart(
  definitions: readonly ControllerDefinition[],
  options: ControllersPartOptions & {
    clientOf: (controller: string) => Client;
    /** Is told of each that runs. */
    started?: (controller: RunningController) => void;
  },
): AsyncDisposable {
  const { client, clientOf, informers, logger, started } = options;
  const running = new Cleanup();
  for (const definition of definitions) {
    const { name } = definition;
    const events = running.use(
      createEventRecorder({ ...sources, client, component: eventSourceOf(name), logger }),
    );
    const parts = { ...sources, informers, logger: logger.with({ component: name }), events };
    const controller = running.use(runController(definition, { ...parts, client: clientOf(name) }));
    started?.(controller);
  }
  const collector = { ...sources, client, informers };
  running.use(
    runGarbageCollector({ ...collector, logger: logger.with({ component: "garbage-collector" }) }),
  );
  return running;
}

const EVENT_DELAY_MS = 400;

/** Runs the scheduler. */
export function startSchedulerPart(
  options: ControllersPartOptions & {
    schedulerConfiguration?: SchedulerConfiguration | undefined;
    metrics?: SchedulerMetrics;
  },
): AsyncDisposable {
  const { client, informers, logger, metrics, schedulerConfiguration: configuration } = options;
  const running = new Cleanup();
  const component = "default-scheduler";
  // Late and one at a time: to place a burst, and to start it, comes before to tell of it.
  const few = { delayMs: EVENT_DELAY_MS, sendersMax: 1 };
  const recorder = { ...sources, client, component, logger, ...few };
  const events = running.use(createEventRecorder(recorder));
  const extenders = running.use(createExtenderTransport());
  const parts = { ...sources, client, informers, events, configuration, metrics };
  running.use(
    runScheduler({
      ...parts,
      extenderTransport: extenders.send,
      logger: logger.with({ component: "scheduler" }),
    }),
  );
  return running;
}
