// Child process of the crash test: changes an image store, and dies where it is told to.
import { silentLogger } from "../../lib/logger.ts";
import { systemClock } from "../../sys/clock.ts";
import { systemRandom } from "../../sys/random.ts";
import type { ImageFailpointName } from "./failpoints.ts";
import { createImageStore } from "./image-store.ts";

/** What the process is to do, as JSON in its argument. */
export interface CrashOrder {
  directory: string;
  registriesFile: string;
  work: "import" | "pull" | "remove";
  /** Of an archive, or the image. */
  operand: string;
  failpoint: ImageFailpointName;
  /** From 1 on. */
  visit: number;
}

const order = JSON.parse(process.argv[2] ?? "{}") as CrashOrder;
const { work, operand } = order;
let visits = 0;
const store = await createImageStore({
  ...order,
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
  failpoint(name) {
    if (name === order.failpoint && ++visits === order.visit) process.kill(process.pid, "SIGKILL");
  },
});
if (work === "import") await store.import(operand);
else if (work === "pull") await store.pull(operand);
else await store.remove(operand);
