import type { Event } from "../../generated/types/core-v1.ts";
import type { KindRules } from "../kind-rules.ts";

export const EVENT: KindRules<Event> = {
  validate(errors, { involvedObject, metadata }) {
    const about = involvedObject?.namespace;
    const cluster =
      !about && (metadata?.namespace === "default" || metadata?.namespace === "kube-system");
    if (about !== metadata?.namespace && !cluster) {
      errors.invalid("involvedObject.namespace", about ?? "", "does not match event.namespace");
    }
  },
};
