import { CronError, parseCron } from "../../../lib/cron.ts";
import { dns1123SubdomainErrors } from "../../../lib/names.ts";
import type { CronJob } from "../../generated/types/batch-v1.ts";
import { goSelector } from "../go-text.ts";
import { validateJobSpec } from "../job-spec.ts";
import type { KindRules } from "../kind-rules.ts";

const CRON_JOB_NAME_MAX = 52;

export const CRON_JOB: KindRules<CronJob> = {
  nameRule: (name) => {
    const long = `must be no more than ${CRON_JOB_NAME_MAX} characters`;
    return [...dns1123SubdomainErrors(name), ...(name.length > CRON_JOB_NAME_MAX ? [long] : [])];
  },
  validate(errors, { spec }) {
    if (!spec) return errors.required("spec");
    if (errors.present("spec.schedule", spec.schedule)) {
      if (spec.schedule.includes("TZ")) {
        const detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        errors.invalid("spec.schedule", spec.schedule, detail);
      } else {
        try {
          parseCron(spec.schedule);
        } catch (error) {
          if (!(error instanceof CronError)) throw error;
          errors.invalid("spec.schedule", spec.schedule, error.message);
        }
      }
    }
    const policies = ["Allow", "Forbid", "Replace"];
    errors.oneOf("spec.concurrencyPolicy", spec.concurrencyPolicy, policies);
    for (const name of [
      "startingDeadlineSeconds",
      "successfulJobsHistoryLimit",
      "failedJobsHistoryLimit",
    ] as const) {
      errors.nonNegative(`spec.${name}`, spec[name]);
    }
    if (spec.timeZone === "") {
      errors.invalid("spec.timeZone", "", "timeZone must be nil or non-empty string");
    } else if (spec.timeZone?.toLowerCase() === "local") {
      const detail =
        "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
      errors.invalid("spec.timeZone", spec.timeZone, detail);
      // There is a file of this one name.
      if (spec.timeZone !== "Local") {
        errors.invalid("spec.timeZone", spec.timeZone, `unknown time zone ${spec.timeZone}`);
      }
    } else if (spec.timeZone !== undefined && !isTimeZone(spec.timeZone)) {
      errors.invalid("spec.timeZone", spec.timeZone, `unknown time zone ${spec.timeZone}`);
    }
    if (spec.jobTemplate?.spec) {
      validateJobSpec(errors, "spec.jobTemplate.spec", spec.jobTemplate.spec);
      const { selector, manualSelector } = spec.jobTemplate.spec;
      if (selector) {
        const detail = "`selector` will be auto-generated";
        errors.invalid("spec.jobTemplate.spec.selector", goSelector(selector), detail);
      }
      if (manualSelector) {
        const field = "spec.jobTemplate.spec.manualSelector";
        errors.notSupported(field, manualSelector, ["nil", "false"]);
      }
    } else errors.required("spec.jobTemplate.spec.template");
  },
};

function isTimeZone(name: string): boolean {
  // Offsets such as "+01:00" are no names.
  if (!/^[A-Za-z._0-9+][A-Za-z._0-9+-]*(\/[A-Za-z._0-9+][A-Za-z._0-9+-]*)*$/.test(name)) {
    return false;
  }
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
