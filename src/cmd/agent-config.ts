import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { AgentConfiguration } from "../agent/config/contract.ts";
import {
  defaultConfiguration,
  readKubeletConfiguration,
} from "../agent/config/kubelet-configuration.ts";
import { decodeYaml } from "../format/yaml-decode.ts";
import type { Logger } from "../lib/logger.ts";
import { usage } from "./options.ts";

/**
 * The `KubeletConfiguration` in a file, or what holds without one. Fields that change nothing here
 * are told of in the log. @throws CommandError with exit code 2
 */
export function readAgentConfig(file: string | undefined, logger: Logger): AgentConfiguration {
  const cpus = availableParallelism();
  if (!file) return defaultConfiguration(cpus);
  try {
    const { value } = decodeYaml(readFileSync(file, "utf8"));
    const { configuration, withoutEffect } = readKubeletConfiguration(value, cpus);
    if (withoutEffect.length > 0) {
      logger.warn("fields of the agent's configuration have no effect", { file, withoutEffect });
    }
    return configuration;
  } catch (error) {
    throw usage(`--agent-config "${file}": ${(error as Error).message}`);
  }
}
