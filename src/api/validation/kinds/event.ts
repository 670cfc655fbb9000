import { pathSegmentErrors, qualifiedNameErrors } from "../../../lib/names.ts";
import type { Event as CoreEvent, ObjectReference } from "../../generated/types/core-v1.ts";
import type { Event } from "../../generated/types/events-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";

const TEXT_MAX = 128;
const NOTE_MAX = 1024;
/** Fields of a new event that stay, with the name that refusals give them. */
const FIXED: Readonly<Record<string, keyof Event>> = {
  involvedObject: "regarding",
  reason: "reason",
  message: "note",
  source: "deprecatedSource",
  firstTimestamp: "deprecatedFirstTimestamp",
  lastTimestamp: "deprecatedLastTimestamp",
  count: "deprecatedCount",
  type: "type",
  eventTime: "eventTime",
  action: "action",
  related: "related",
  reportingController: "reportingController",
  reportingInstance: "reportingInstance",
};

/** Of `v1`: events of old reporters may say little. */
export const CORE_EVENT: KindRules<CoreEvent> = {
  nameRule: pathSegmentErrors,
  metadataLast: true,
  validate(errors, event) {
    const { metadata, involvedObject, eventTime } = event;
    validateNamespace(errors, metadata?.namespace, { about: involvedObject, old: !eventTime });
    if (!eventTime) return;
    validateReport(errors, {
      reportingController: event.reportingComponent,
      controllerField: "reportingComponent",
      reportingInstance: event.reportingInstance,
      action: event.action,
      reason: event.reason,
      note: event.message,
    });
  },
};

/** Of `events.k8s.io/v1`: who reports what, once. */
export const EVENT: KindRules<Event> = {
  nameRule: pathSegmentErrors,
  metadataLast: true,
  validate(errors, event) {
    const { metadata, regarding, eventTime } = event;
    validateNamespace(errors, metadata?.namespace, { about: regarding, old: !eventTime });
    if (!eventTime) return;
    validateReport(errors, { ...event, controllerField: "reportingController" });
  },
  validateCreate(errors, event) {
    validateSeries(errors, event);
    const { eventTime, type } = event;
    if (!eventTime) errors.required("eventTime");
    if (type !== "Normal" && type !== "Warning") {
      errors.invalid("type", "", `has invalid value: ${type ?? ""}`);
    }
    const unset = {
      firstTimestamp: event.deprecatedFirstTimestamp,
      lastTimestamp: event.deprecatedLastTimestamp,
      count: event.deprecatedCount,
      source: event.deprecatedSource?.component || event.deprecatedSource?.host,
    };
    for (const [name, value] of Object.entries(unset)) {
      if (value) errors.invalid(name, "", "needs to be unset");
    }
  },
  validateUpdate(errors, event, old) {
    if (JSON.stringify(event.series) !== JSON.stringify(old.series)) validateSeries(errors, event);
    for (const [name, field] of Object.entries(FIXED)) {
      validateImmutable(errors, name, { now: event[field], old: old[field] });
    }
  },
};

/**
 * An event stands beside what it is about; those about the cluster in a namespace of its own.
 * Events with a time of their own (not `old`) that name a namespace may stand anywhere.
 */
function validateNamespace(
  errors: FieldErrors,
  namespace: string | undefined,
  { about, old }: { about: ObjectReference | undefined; old: boolean },
): void {
  const own = about?.namespace ?? "";
  if (own === "") {
    if (namespace === "default" || (!old && namespace === "kube-system")) return;
  } else if (!old || own === namespace) return;
  errors.invalid("involvedObject.namespace", own, "does not match event.namespace");
}

interface Report {
  reportingController: string | undefined;
  controllerField: string;
  reportingInstance: string | undefined;
  action: string | undefined;
  reason: string | undefined;
  note: string | undefined;
}

function validateReport(errors: FieldErrors, report: Partial<Report>): void {
  const { reportingController: controller = "", controllerField = "", note = "" } = report;
  errors.present(controllerField, controller);
  errors.complaints(controllerField, controller, qualifiedNameErrors(controller));
  for (const name of ["reportingInstance", "action", "reason"] as const) {
    const value = report[name] ?? "";
    if (!errors.present(name, value) || value.length <= TEXT_MAX) continue;
    errors.invalid(name, "", `can have at most ${TEXT_MAX} characters`);
  }
  if (note.length > NOTE_MAX) {
    errors.invalid("message", "", `can have at most ${NOTE_MAX} characters`);
  }
}

function validateSeries(errors: FieldErrors, { series }: Event): void {
  if (!series) return;
  if (series.count < 2) errors.invalid("series.count", "", "should be at least 2");
  errors.present("series.lastObservedTime", series.lastObservedTime);
}
