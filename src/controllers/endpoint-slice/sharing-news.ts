import type { Service } from "../../api/generated/types/core-v1.ts";
import type { ObjectRef } from "../../client/client.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import { refOf } from "../ownership.ts";
import type { AddressFamily } from "./pod-endpoint.ts";

/** Tells when zones begin or cease to share the endpoints of a service, and why they do not. */
export class SharingNews {
  /** By service and family: "" while they share, else why not. */
  readonly #told = new Map<string, Map<AddressFamily, string>>();

  learn(of: {
    service: Service;
    family: AddressFamily;
    refusal: string | undefined;
    events: EventRecorder;
  }): void {
    const { service, family, refusal = "", events } = of;
    const key = textOf(refOf(service));
    const told = this.#told.get(key) ?? new Map<AddressFamily, string>();
    this.#told.set(key, told);
    if (told.get(family) === refusal) return;
    told.set(family, refusal);
    const message = refusal || "Topology Aware Hints has been enabled";
    tellHints(events, { service, family, message, isOn: refusal === "" });
  }

  end({ service, events }: { service: Service; events: EventRecorder }): void {
    const key = textOf(refOf(service));
    const message = "Topology Aware Hints has been disabled";
    for (const [family, refusal] of this.#told.get(key) ?? []) {
      if (refusal === "") tellHints(events, { service, family, message, isOn: false });
    }
    this.#told.delete(key);
  }

  forget(key: ObjectRef): void {
    this.#told.delete(textOf(key));
  }
}

function textOf({ namespace = "", name }: ObjectRef): string {
  return `${namespace}/${name}`;
}

function tellHints(
  events: EventRecorder,
  of: { service: Service; family: AddressFamily; message: string; isOn: boolean },
): void {
  events.record({
    about: { apiVersion: "v1", kind: "Service", metadata: of.service.metadata },
    type: of.isOn ? "Normal" : "Warning",
    reason: of.isOn ? "TopologyAwareHintsEnabled" : "TopologyAwareHintsDisabled",
    message: `${of.message}, addressType: ${of.family}`,
  });
}
