import { headerNameErrors } from "../../../lib/names.ts";
import type { Container, LifecycleHandler, Probe } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { validatePort, validatePortOrName } from "../values.ts";

export const PROBES = ["livenessProbe", "readinessProbe", "startupProbe"] as const;
const SECONDS_AND_COUNTS = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;

/** Probes and hooks of a container that has the pod's grace period to end in. */
export function validateHooks(
  errors: FieldErrors,
  container: Container,
  { path, graceSeconds }: { path: string; graceSeconds: number | undefined },
): void {
  for (const hook of ["postStart", "preStop"] as const) {
    const handler = container.lifecycle?.[hook];
    const field = `${path}.lifecycle.${hook}`;
    if (handler) validateHandler(errors, handler, { field, graceSeconds });
  }
  for (const name of PROBES) {
    const probe = container[name];
    if (probe) validateProbe(errors, probe, { field: `${path}.${name}`, name });
  }
}

function validateProbe(
  errors: FieldErrors,
  probe: Probe,
  { field, name }: { field: string; name: (typeof PROBES)[number] },
): void {
  validateHandler(errors, probe, { field, graceSeconds: undefined });
  for (const part of SECONDS_AND_COUNTS) errors.nonNegative(`${field}.${part}`, probe[part]);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) {
    errors.invalid(`${field}.terminationGracePeriodSeconds`, grace, "must be greater than 0");
  }
  if (name === "readinessProbe") {
    if (grace !== undefined) {
      const detail = "must not be set for readinessProbes";
      errors.invalid(`${field}.terminationGracePeriodSeconds`, grace, detail);
    }
  } else if ((probe.successThreshold ?? 1) !== 1) {
    errors.invalid(`${field}.successThreshold`, probe.successThreshold, "must be 1");
  }
}

type Handler = LifecycleHandler & Pick<Probe, "grpc">;

function validateHandler(
  errors: FieldErrors,
  handler: Handler,
  { field, graceSeconds }: { field: string; graceSeconds: number | undefined },
): void {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  let count = 0;
  const only = (name: string): boolean => {
    if (++count === 1) return true;
    errors.forbidden(`${field}.${name}`, "may not specify more than 1 handler type");
    return false;
  };
  if (exec && only("exec") && (exec.command ?? []).length === 0) {
    errors.required(`${field}.exec.command`);
  }
  if (httpGet && only("httpGet")) {
    errors.present(`${field}.httpGet.path`, httpGet.path);
    validatePortOrName(errors, `${field}.httpGet.port`, httpGet.port);
    errors.oneOf(`${field}.httpGet.scheme`, httpGet.scheme, ["HTTP", "HTTPS"]);
    for (const { name } of httpGet.httpHeaders ?? []) {
      errors.complaints(`${field}.httpGet.httpHeaders`, name, headerNameErrors(name ?? ""));
    }
  }
  if (tcpSocket && only("tcpSocket")) {
    validatePortOrName(errors, `${field}.tcpSocket.port`, tcpSocket.port);
  }
  if (grpc && only("grpc")) validatePort(errors, `${field}.grpc.port`, grpc.port);
  if (sleep && only("sleep") && graceSeconds !== undefined) {
    if (sleep.seconds <= 0 || sleep.seconds > graceSeconds) {
      const detail =
        `must be greater than 0 and less than terminationGracePeriodSeconds (${graceSeconds}). ` +
        "Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.";
      errors.invalid(`${field}.sleep`, sleep.seconds, detail);
    }
  }
  if (count === 0) errors.required(field, "must specify a handler type");
}
