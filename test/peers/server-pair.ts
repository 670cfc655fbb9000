import { Cleanup } from "../../src/lib/cleanup.ts";
import { type KubeApiServer, startKubeApiServer } from "./kube-apiserver.ts";
import { startNephosApiServer } from "./nephos-apiserver.ts";
import type { ServerUnderTest } from "./server-under-test.ts";

/** Both API servers, without controllers. */
export interface ServerPair extends AsyncDisposable {
  ours: ServerUnderTest;
  theirs: KubeApiServer;
}

/**
 * Starts both at once, each with what 1.20 had in alpha and we have for good; `more` are flags of
 * kube-apiserver.
 */
export async function startPair(more: readonly string[] = []): Promise<ServerPair> {
  await using cleanup = new Cleanup();
  const flags = ["--feature-gates=BoundServiceAccountTokenVolume=true", ...more];
  const starting = [startNephosApiServer(), startKubeApiServer({ flags })] as const;
  for (const outcome of await Promise.allSettled(starting)) {
    if (outcome.status === "fulfilled") cleanup.use(outcome.value);
  }
  const [ours, theirs] = await Promise.all(starting);
  const running = cleanup.move();
  return { ours, theirs, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}
