import { silentLogger } from "../lib/logger.ts";
import { systemClock } from "../sys/clock.ts";
import { readAgentConfig } from "./agent-config.ts";
import { readPolicyFile } from "./audit.ts";
import { openIssuers } from "./authentication-config.ts";
import { planClusterNetwork } from "./cluster-network.ts";
import { judgeEncryption } from "./encryption.ts";
import { type UpOptions, usage } from "./options.ts";
import { readSchedulerConfig } from "./scheduler-config.ts";
import { readTracingFile } from "./tracing.ts";

/**
 * Reads every file that the flags name and plans the network, as the daemon will: what cannot start
 * must leave nothing behind, not even a data directory. @throws CommandError with exit code 2
 */
export function judgeSettings(options: UpOptions): void {
  const { authenticationConfig: file, oidc: flags, auditPolicy, schedulerConfig } = options;
  readAgentConfig(options.agentConfig, silentLogger);
  readSchedulerConfig(schedulerConfig);
  if (options.tracingConfig !== undefined) readTracingFile(options.tracingConfig);
  judgeEncryption(options.encryption);
  if (auditPolicy !== undefined) readPolicyFile(auditPolicy);
  openIssuers({ file, flags, clock: systemClock, logger: silentLogger })[Symbol.dispose]();
  try {
    planClusterNetwork(options);
  } catch (error) {
    throw usage((error as Error).message);
  }
}
