/**
 * Calls `run` `count` times in concurrent batches of 1, 2, 4, … so that a failure every call would
 * meet (a quota, a refused template) is met once and not `count` times. A batch with a failure is
 * the last; the first failure is thrown.
 */
export async function slowStart(count: number, run: (at: number) => Promise<void>): Promise<void> {
  for (let done = 0, size = 1; done < count; size *= 2) {
    const batch = Array.from({ length: Math.min(size, count - done) }, (_, at) => run(done + at));
    const results = await Promise.allSettled(batch);
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
    done += batch.length;
  }
}
