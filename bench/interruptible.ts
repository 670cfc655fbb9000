/** `timeout` signals a process and its group, the end of its parent signals it again: one wish. */
const SAME_WISH_MS = 1_000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * What `work` comes to. When this process is asked to end meanwhile, that rejects, so that whoever
 * waits cleans up; the work itself goes on until then. A signal that comes later ends the process
 * at once.
 * @throws Error that names the signal
 */
export async function interruptible<T>(work: () => Promise<T>): Promise<T> {
  let reject!: (error: Error) => void;
  const interrupted = new Promise<never>((_, refuse) => (reject = refuse));
  const forget = () => {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  };
  let isInterrupted = false;
  const interrupt = (signal: NodeJS.Signals) => {
    if (isInterrupted) return;
    isInterrupted = true;
    setTimeout(forget, SAME_WISH_MS).unref();
    const error = new Error(`Ended by ${signal}`);
    error.stack = error.message;
    reject(error);
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    return await Promise.race([work(), interrupted]);
  } finally {
    if (!isInterrupted) forget();
  }
}
