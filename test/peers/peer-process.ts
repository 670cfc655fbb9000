import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 50;
const KILL_AFTER_MS = 10_000;
const EXCERPT_CHARS = 2_000;

/** How a process is started. */
export interface PeerCommand {
  name: string;
  file: string;
  args: readonly string[];
  /** Added to the environment of this process. */
  environment?: Readonly<Record<string, string>>;
  /** File that gets both of its outputs. */
  log: string;
}

/** How long something may take. */
interface Patience {
  patienceMs: number;
}

/**
 * A child process that cannot outlive this one: the kernel kills it when this process ends, however
 * it ends. Disposing asks it to stop, waits, and kills it after 10 s.
 */
export class PeerProcess implements AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<string>;
  readonly #log: string;

  private constructor(child: ChildProcess, { name, log }: PeerCommand) {
    this.name = name;
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.#log = log;
    // What it writes to goes with this process, too: it must have ended by then.
    const kill = () => child.kill("SIGKILL");
    process.prependOnceListener("exit", kill);
    child.once("exit", () => process.off("exit", kill));
    this.#exited = once(child, "exit").then(
      ([code, signal]) => String(signal ?? code),
      (error: Error) => error.message,
    );
  }

  /** Starts it in a process group of its own, so that Ctrl-C reaches it through us only. */
  static start(command: PeerCommand): PeerProcess {
    const log = openSync(command.log, "a");
    const bound = ["--pdeathsig", "KILL", command.file, ...command.args];
    const child = spawn("setpriv", bound, {
      stdio: ["ignore", log, log],
      env: { ...process.env, ...command.environment },
      detached: true,
    });
    closeSync(log);
    return new PeerProcess(child, command);
  }

  /**
   * Resolves when `probe` says true; what it throws counts as not yet.
   * @throws Error with the end of its log when the process ends before, or the time is over
   */
  async untilReady(probe: () => Promise<boolean>, { patienceMs }: Patience): Promise<void> {
    const endMs = Date.now() + patienceMs;
    let how: string | undefined;
    void this.#exited.then((ended) => (how = ended));
    while (!(await probe().catch(() => false))) {
      if (how !== undefined) throw new Error(`${this.name} ended (${how}):\n${this.logEnd()}`);
      if (Date.now() > endMs) {
        throw new Error(`${this.name} is not ready after ${patienceMs} ms:\n${this.logEnd()}`);
      }
      await delay(POLL_MS);
    }
  }

  /** The last lines that it wrote. */
  logEnd(): string {
    return readFileSync(this.#log, "utf8").slice(-EXCERPT_CHARS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    const patience = new AbortController();
    const lateMs = delay(KILL_AFTER_MS, undefined, { signal: patience.signal }).then(
      () => this.#child.kill("SIGKILL"),
      () => {},
    );
    await this.#exited;
    patience.abort();
    await lateMs;
  }
}
