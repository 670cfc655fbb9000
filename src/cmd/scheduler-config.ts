import { readFileSync } from "node:fs";
import { decodeYaml } from "../format/yaml-decode.ts";
import {
  readSchedulerConfiguration,
  type SchedulerConfiguration,
} from "../scheduler/config/scheduler-configuration.ts";
import { usage } from "./options.ts";

/** The configuration in a file; undefined without one. @throws CommandError with exit code 2 */
export function readSchedulerConfig(file: string | undefined): SchedulerConfiguration | undefined {
  if (file === undefined) return undefined;
  try {
    return readSchedulerConfiguration(decodeYaml(readFileSync(file, "utf8")).value);
  } catch (error) {
    throw usage(`--scheduler-config "${file}": ${(error as Error).message}`);
  }
}
