import { readFileSync, watch } from "node:fs";
import path from "node:path";
import type { Clock, Timer } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { MetricFamily } from "../lib/prometheus.ts";

/** A file may change unseen, as on some network file systems. */
const REREAD_MS = 60_000;
/** Whoever writes a file is given time to end it. */
const CALM_MS = 100;

/** How a file of settings is followed. */
export interface FollowOptions {
  /** What it says now. */
  text: string;
  /** Takes what it says next. @throws Error when that cannot be used: what was before stays */
  use(text: string): void | Promise<void>;
  /** Names it in the log: "the authentication configuration". */
  subject: string;
  /** Of the names of its figures: "apiserver_authentication_config_controller". */
  metricPrefix: string;
  clock: Clock;
  logger: Logger;
}

/** A file of settings whose changes are taken over as they come. */
export interface FollowedFile extends Disposable {
  metrics(): MetricFamily[];
}

/** Reads `file` anew whenever it changes, until disposed. */
export function followFile(file: string, options: FollowOptions): FollowedFile {
  const { clock, logger, subject } = options;
  let { text } = options;
  const reloads = new Reloads(options);
  const read = async () => {
    try {
      const next = readFileSync(file, "utf8");
      if (next === text) return;
      text = next;
      await options.use(next);
      reloads.count("success", clock.now());
      logger.info(`${subject} was read anew`, { file });
    } catch (error) {
      reloads.count("failure", clock.now());
      logger.error(`${subject} of before stays`, { file, error });
    }
  };
  let timer: Timer = clock.setTimer(REREAD_MS, () => look());
  const look = () => {
    timer.cancel();
    void read();
    timer = clock.setTimer(REREAD_MS, look);
  };
  // The directory, as files are also changed by putting others in their place.
  const watcher = watch(path.dirname(file), { persistent: false }, () => {
    timer.cancel();
    timer = clock.setTimer(CALM_MS, look);
  });
  watcher.on("error", (error) => logger.warn(`cannot watch the file of ${subject}`, { error }));
  return {
    metrics: () => reloads.metrics(),
    [Symbol.dispose]() {
      timer.cancel();
      watcher.close();
    },
  };
}

/** How often the file was read anew, under upstream's names. */
class Reloads {
  readonly #of: Pick<FollowOptions, "subject" | "metricPrefix">;
  readonly #outcomes = new Map<string, { count: number; lastMs: number }>();

  constructor(of: Pick<FollowOptions, "subject" | "metricPrefix">) {
    this.#of = of;
  }

  count(status: "success" | "failure", nowMs: number): void {
    const count = (this.#outcomes.get(status)?.count ?? 0) + 1;
    this.#outcomes.set(status, { count, lastMs: nowMs });
  }

  metrics(): MetricFamily[] {
    const { subject, metricPrefix } = this.#of;
    const all = [...this.#outcomes];
    return [
      {
        name: `${metricPrefix}_automatic_reloads_total`,
        type: "counter",
        help: `Changes of ${subject} that were met, by outcome.`,
        samples: all.map(([status, { count }]) => ({ labels: { status }, value: count })),
      },
      {
        name: `${metricPrefix}_automatic_reload_last_timestamp_seconds`,
        type: "gauge",
        help: `When ${subject} last changed, by outcome.`,
        samples: all.map(([status, { lastMs }]) => ({ labels: { status }, value: lastMs / 1000 })),
      },
    ];
  }
}
