import { fieldOf, type KubeObject } from "../kube-object.ts";
import { formatTime } from "../../lib/clock.ts";
import type { Strategy } from "./strategy.ts";

const PHASE_SINCE = "lastPhaseTransitionTime";

function beginPhase(volume: KubeObject, nowMs: number): void {
  volume["status"] = { ...fieldOf(volume, "status"), [PHASE_SINCE]: formatTime(nowMs) };
}

/** Volumes tell since when they are in their phase, whoever moves them on. */
export const PERSISTENT_VOLUME: Partial<Strategy> = {
  returnsDeleted: true,
  prepareCreate: (volume, { nowMs }) => {
    volume["status"] = { phase: "Pending" };
    beginPhase(volume, nowMs);
  },
  prepareStatus: (volume, old, { nowMs }) => {
    const [now, before] = [fieldOf(volume, "status"), fieldOf(old, "status")];
    const isOwn = now[PHASE_SINCE] === undefined || now[PHASE_SINCE] === before[PHASE_SINCE];
    if (now["phase"] !== before["phase"] && isOwn) beginPhase(volume, nowMs);
  },
};
