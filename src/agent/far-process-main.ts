// The process of far-process.ts: does one job after another, and hangs in its place.
import { statSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { endWithParent } from "../sys/process.ts";
import { diskUsage } from "./eviction/disk-usage.ts";
import type { FarAnswer, FarJob, FarUsage } from "./far-process.ts";
import { fileSystemUsage } from "./metrics/node-usage.ts";
import { bindSubPath } from "./pod/sub-path.ts";
import { prepareHostPath } from "./volume/host-path.ts";
import { prepareLocalDirectory } from "./volume/local-directory.ts";

/** Where many files are looked at, every so many are told of. */
const PROGRESS_EVERY = 1_000;

function say(answer: FarAnswer): void {
  writeSync(1, `${JSON.stringify(answer)}\n`);
}

function progressTeller(): () => void {
  let count = 0;
  return () => {
    if (++count % PROGRESS_EVERY === 0) say({ is: "progress" });
  };
}

async function perform(job: FarJob): Promise<FarUsage | undefined> {
  switch (job.do) {
    case "look":
      statSync(job.file);
      return undefined;
    case "host-path":
      prepareHostPath(job.source);
      return undefined;
    case "local-directory":
      prepareLocalDirectory(
        job.directory,
        job.group && { ...job.group, onEntry: progressTeller() },
      );
      return undefined;
    case "sub-path":
      bindSubPath(job.volume, job);
      return undefined;
    case "usage": {
      const { directory } = job;
      const usage = await diskUsage(directory, { onEntry: progressTeller() });
      return { ...usage, fileSystem: fileSystemUsage(directory) };
    }
    default:
      throw new TypeError("Cannot do an unknown job");
  }
}

// What is done late would be done to what others have by then.
endWithParent(Number(process.argv[2]));
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const usage = await perform(JSON.parse(line) as FarJob);
    say({ is: "done", ...(usage && { usage }) });
  } catch (error) {
    const { name, message, code } = error as Error & { code?: unknown };
    say({ is: "failed", name, message, ...(typeof code === "string" && { code }) });
  }
}
