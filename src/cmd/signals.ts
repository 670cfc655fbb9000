/** Resolves with the name of the first signal that asks this process to end. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const keepAlive = setInterval(() => {}, 3_600_000);
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      process.once(name, () => {
        clearInterval(keepAlive);
        resolve(name);
      });
    }
  });
}
