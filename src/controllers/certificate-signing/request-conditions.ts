import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from "../../api/generated/types/certificates-v1.ts";
import { formatTime } from "../../lib/clock.ts";

type ConditionType = "Approved" | "Denied" | "Failed";

/** Whether a condition of that type holds. */
export function hasCondition({ status }: CertificateSigningRequest, type: ConditionType): boolean {
  return (status?.conditions ?? []).some((each) => each.type === type && each.status === "True");
}

/** The conditions with one more that holds since `nowMs`. */
export function withCondition(
  { status }: CertificateSigningRequest,
  of: { type: ConditionType; reason: string; message: string },
  nowMs: number,
): CertificateSigningRequestCondition[] {
  const time = formatTime(nowMs);
  const added = { ...of, status: "True", lastUpdateTime: time, lastTransitionTime: time };
  return [...(status?.conditions ?? []), added];
}
