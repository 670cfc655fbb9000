import { test } from "node:test";
import { CRON_JOBS } from "../../generated/resources.ts";
import { SAMPLE_POD } from "../pod/sample-pod.ts";
import { checkRuleCases } from "../rule-cases.ts";

const NAME = "c".repeat(53);
const POD = { ...SAMPLE_POD.spec, restartPolicy: "Never" };

test("rules of cron jobs", () => {
  checkRuleCases(CRON_JOBS, {
    base: {
      spec: {
        schedule: "* * * * *",
        timeZone: "Etc/GMT+1",
        jobTemplate: { spec: { template: { spec: POD } } },
      },
    },
    create: [
      [
        { "metadata.name": NAME },
        `metadata.name: Invalid value: "${NAME}": must be no more than 52 characters`,
      ],
      [
        { "spec.timeZone": "Local" },
        'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
      ],
      [
        { "spec.timeZone": "LOCAL" },
        'spec.timeZone: Invalid value: "LOCAL": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
        'spec.timeZone: Invalid value: "LOCAL": unknown time zone LOCAL',
      ],
      [
        { "spec.timeZone": "+01:00" },
        'spec.timeZone: Invalid value: "+01:00": unknown time zone +01:00',
      ],
    ],
  });
});
