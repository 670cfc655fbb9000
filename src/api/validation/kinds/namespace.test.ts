import { test } from "node:test";
import { NAMESPACES } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

const STANDARD = "name is neither a standard finalizer name nor is it fully qualified";

test("rules of finalizers of namespaces", () => {
  checkRuleCases(NAMESPACES, {
    base: { spec: { finalizers: ["kubernetes", "example.com/a"] } },
    create: [
      [
        { "spec.finalizers": ["kubernetes", "other"] },
        `spec.finalizers: Invalid value: "other": ${STANDARD}`,
      ],
      [
        { "spec.finalizers": ["kubernetes", "f".repeat(64)] },
        `spec.finalizers: Invalid value: "${"f".repeat(64)}": name part must be no more than 63 characters`,
        `spec.finalizers: Invalid value: "${"f".repeat(64)}": ${STANDARD}`,
      ],
    ],
    subresources: {
      finalize: [
        [
          { "spec.finalizers": ["kubernetes", "other"] },
          `spec.finalizers[1]: Invalid value: "other": ${STANDARD}`,
        ],
      ],
    },
  });
});
