import { type GrpcTarget, parseGrpcTarget } from "../../format/grpc/grpc-target.ts";
import type { ConfigurationReader } from "../../lib/configuration-reader.ts";

/** Where spans go, and of how many pods' steps. */
export interface TracingRules {
  collector: GrpcTarget;
  samplingRatePerMillion: number;
}

const MILLION = 1_000_000;
/** The port of OTLP over gRPC. */
const DEFAULT_PORT = 4317;

/** Reads the field `tracing`; undefined where nothing is recorded. @throws ConfigurationFileError */
export function readTracing(root: ConfigurationReader): TracingRules | undefined {
  const tracing = root.object("tracing");
  const samplingRatePerMillion = tracing.number("samplingRatePerMillion", { min: 0, max: MILLION });
  const collector = parseGrpcTarget(
    tracing.text("endpoint") || `localhost:${DEFAULT_PORT}`,
    DEFAULT_PORT,
  );
  tracing.refuseOthers();
  if (!collector) {
    throw tracing.error("endpoint", 'must be HOST:PORT, "dns:///HOST:PORT" or "unix:///PATH"');
  }
  return samplingRatePerMillion ? { collector, samplingRatePerMillion } : undefined;
}
