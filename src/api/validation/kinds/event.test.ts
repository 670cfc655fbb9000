import { test } from "node:test";
import { EVENTS } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

const ELSEWHERE = 'involvedObject.namespace: Invalid value: "%": does not match event.namespace';
const elsewhere = (namespace: string) => ELSEWHERE.replace("%", namespace);
const TIME = "2024-01-02T03:04:05.000000Z";

test("old events stand beside what they are about, new ones anywhere but in no namespace", () => {
  checkRuleCases(EVENTS, {
    base: { involvedObject: { namespace: "default" } },
    create: [
      [{ "involvedObject.namespace": undefined }],
      [{ "involvedObject.namespace": "other" }, elsewhere("other")],
      [
        { "metadata.namespace": "kube-system", "involvedObject.namespace": undefined },
        elsewhere(""),
      ],
    ],
  });
  checkRuleCases(EVENTS, {
    base: {
      involvedObject: { namespace: "default" },
      eventTime: TIME,
      reportingComponent: "example.com/c",
      reportingInstance: "i",
      action: "Did",
      reason: "Because",
    },
    create: [
      [{ "involvedObject.namespace": "other" }],
      [{ "metadata.namespace": "kube-system", "involvedObject.namespace": undefined }],
      [{ "metadata.namespace": "web", "involvedObject.namespace": undefined }, elsewhere("")],
      [
        { reportingComponent: undefined },
        "reportingComponent: Required value",
        'reportingComponent: Invalid value: "": name part must be non-empty',
        "reportingComponent: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      ],
    ],
  });
});
