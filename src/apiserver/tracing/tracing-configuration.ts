import { type GrpcTarget, parseGrpcTarget } from "../../format/grpc/grpc-target.ts";
import { ConfigurationReader } from "../../lib/configuration-reader.ts";

/** Where spans go, and of how many requests. */
export interface TracingConfiguration {
  collector: GrpcTarget;
  samplingRatePerMillion: number;
}

const API_VERSIONS: readonly string[] = [
  "apiserver.config.k8s.io/v1alpha1",
  "apiserver.config.k8s.io/v1beta1",
];
const MILLION = 1_000_000;
/** The port of OTLP over gRPC. */
const DEFAULT_PORT = 4317;

/** Reads a `TracingConfiguration` from decoded YAML or JSON. @throws ConfigurationFileError */
export function readTracingConfiguration(document: unknown): TracingConfiguration {
  const root = new ConfigurationReader(document, { subject: "the tracing configuration" });
  const apiVersion = root.text("apiVersion") ?? "";
  if (!API_VERSIONS.includes(apiVersion)) {
    throw root.error("apiVersion", `must be one of ${API_VERSIONS.join(", ")}`);
  }
  root.requireKind({ apiVersion, kind: "TracingConfiguration" });
  const rate = root.number("samplingRatePerMillion", { min: 0, max: MILLION });
  const endpoint = root.text("endpoint") || `localhost:${DEFAULT_PORT}`;
  root.refuseOthers();
  const collector = parseGrpcTarget(endpoint, DEFAULT_PORT);
  if (!collector) {
    throw root.error("endpoint", 'must be HOST:PORT, "dns:///HOST:PORT" or "unix:///PATH"');
  }
  return { collector, samplingRatePerMillion: rate ?? 0 };
}
