import { availableParallelism } from "node:os";
import type { AgentConfiguration } from "../agent/config/contract.ts";
import {
  defaultConfiguration,
  readKubeletConfiguration,
} from "../agent/config/kubelet-configuration.ts";
import type { Logger } from "../lib/logger.ts";
import { usage } from "./options.ts";
import { readSettingsFile } from "./settings-file.ts";

/**
 * The `KubeletConfiguration` in a file, or what holds without one. Fields that change nothing here
 * are told of in the log. @throws CommandError with exit code 2
 */
export function readAgentConfig(file: string | undefined, logger: Logger): AgentConfiguration {
  const cpus = availableParallelism();
  if (!file) return defaultConfiguration(cpus);
  try {
    const { configuration, withoutEffect } = readKubeletConfiguration(readSettingsFile(file), cpus);
    if (withoutEffect.length > 0) {
      logger.warn("fields of the agent's configuration have no effect", { file, withoutEffect });
    }
    return configuration;
  } catch (error) {
    throw usage(`--agent-config "${file}": ${(error as Error).message}`);
  }
}
