import {
  readSchedulerConfiguration,
  type SchedulerConfiguration,
} from "../scheduler/config/scheduler-configuration.ts";
import { usage } from "./options.ts";
import { readSettingsFile } from "./settings-file.ts";

/** The configuration in a file; undefined without one. @throws CommandError with exit code 2 */
export function readSchedulerConfig(file: string | undefined): SchedulerConfiguration | undefined {
  if (file === undefined) return undefined;
  try {
    return readSchedulerConfiguration(readSettingsFile(file));
  } catch (error) {
    throw usage(`--scheduler-config "${file}": ${(error as Error).message}`);
  }
}
