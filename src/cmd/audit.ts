import { AuditLog } from "../apiserver/audit/audit-log.ts";
import {
  type AuditPolicy,
  defaultAuditPolicy,
  readAuditPolicy,
} from "../apiserver/audit/audit-policy.ts";
import type { Logger } from "../lib/logger.ts";
import { systemClock } from "../sys/clock.ts";
import { systemRandom } from "../sys/random.ts";
import { RotatingFile } from "../sys/rotating-file.ts";
import type { DataDirectory } from "./data-directory.ts";
import { usage } from "./options.ts";
import { readSettingsFile } from "./settings-file.ts";

const REPORT_EVERY_MS = 60_000;

/** The audit log of an instance; disposing writes what waits. */
export interface OpenAudit extends Disposable {
  log: AuditLog;
}

/** Opens it in the data directory; lines that the disk did not take are counted in the log. */
export function openAudit(
  directory: DataDirectory,
  { policyFile, logger }: { policyFile: string | undefined; logger: Logger },
): OpenAudit {
  const policy = policyFile === undefined ? defaultAuditPolicy() : readPolicyFile(policyFile);
  const sink = new RotatingFile(directory.audit);
  const log = new AuditLog(policy, { sink, clock: systemClock, random: systemRandom });
  let reported = 0;
  const report = () => {
    if (sink.dropped > reported) {
      const lost = sink.dropped - reported;
      logger.warn("audit events were lost: the disk does not keep up", { lost });
    }
    reported = sink.dropped;
    timer = systemClock.setTimer(REPORT_EVERY_MS, report);
  };
  let timer = systemClock.setTimer(REPORT_EVERY_MS, report);
  return {
    log,
    [Symbol.dispose]: () => {
      timer.cancel();
      sink[Symbol.dispose]();
    },
  };
}

/** @throws CommandError with exit code 2 */
export function readPolicyFile(file: string): AuditPolicy {
  try {
    return readAuditPolicy(readSettingsFile(file));
  } catch (error) {
    throw usage(`--audit-policy "${file}": ${(error as Error).message}`);
  }
}
