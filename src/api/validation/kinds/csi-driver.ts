import type { CSIDriver, CSIDriverSpec } from "../../generated/types/storage-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { goStrings } from "../go-text.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateImmutable } from "../metadata.ts";

const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;
const POLICIES: readonly string[] = ["File", "None", "ReadWriteOnceWithFSType"];

export const CSI_DRIVER: KindRules<CSIDriver> = {
  validate(errors, { spec }) {
    errors.oneOf("spec.fsGroupPolicy", spec?.fsGroupPolicy, POLICIES);
    validateTokens(errors, spec?.tokenRequests ?? []);
    for (const mode of spec?.volumeLifecycleModes ?? []) {
      errors.oneOf("spec.volumeLifecycleModes", mode, ["Persistent", "Ephemeral"]);
    }
  },
  validateUpdate(errors, { spec }, old) {
    const attach = { now: spec?.attachRequired, old: old.spec?.attachRequired };
    validateImmutable(errors, "spec.attachedRequired", attach);
    const modes = { now: spec?.volumeLifecycleModes, old: old.spec?.volumeLifecycleModes };
    const shown = goStrings(modes.now, "storage.VolumeLifecycleMode");
    validateImmutable(errors, "spec.volumeLifecycleModes", { ...modes, shown });
  },
};

function validateTokens(
  errors: FieldErrors,
  requests: NonNullable<CSIDriverSpec["tokenRequests"]>,
): void {
  const audiences = new Set<string>();
  for (const [index, { audience, expirationSeconds: seconds }] of requests.entries()) {
    const path = `spec.tokenRequests[${index}]`;
    if (audiences.has(audience)) {
      errors.duplicate(`${path}.audience`, audience);
      continue;
    }
    audiences.add(audience);
    if (seconds === undefined) continue;
    const field = `${path}.expirationSeconds`;
    if (seconds < TOKEN_SECONDS_MIN) {
      errors.invalid(field, seconds, "may not specify a duration less than 10 minutes");
    } else if (seconds > TOKEN_SECONDS_MAX) {
      errors.invalid(field, seconds, "may not specify a duration larger than 2^32 seconds");
    }
  }
}
