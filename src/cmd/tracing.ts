import { hostname } from "node:os";
import { OtlpExporter } from "../apiserver/tracing/otlp-exporter.ts";
import { Tracer } from "../apiserver/tracing/tracer.ts";
import {
  readTracingConfiguration,
  type TracingConfiguration,
} from "../apiserver/tracing/tracing-configuration.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import { usage } from "./options.ts";
import { serverIdOf } from "./server-identity.ts";
import { readSettingsFile } from "./settings-file.ts";
import { NEPHOS_VERSION } from "./version.ts";

/** A tracer and what sends its spans; disposing sends what waits. */
export interface OpenTracing extends AsyncDisposable {
  tracer: Tracer;
}

/** What the file of `--tracing-config-file` asks for; none without. @throws CommandError */
export function openTracing(
  file: string | undefined,
  of: { clock: Clock; random: Random; logger: Logger },
): OpenTracing | undefined {
  if (file === undefined) return undefined;
  const { collector, samplingRatePerMillion } = readTracingFile(file);
  const resource = {
    "service.name": "apiserver",
    "service.version": NEPHOS_VERSION,
    "service.instance.id": serverIdOf(hostname()),
  };
  const logger = of.logger.with({ component: "tracing" });
  const exporter = new OtlpExporter({
    collector,
    scope: "nephos/apiserver",
    resource,
    clock: of.clock,
    logger,
  });
  const record = (span: Parameters<typeof exporter.add>[0]) => exporter.add(span);
  return {
    tracer: new Tracer({ ...of, samplingRatePerMillion, record }),
    [Symbol.asyncDispose]: () => exporter[Symbol.asyncDispose](),
  };
}

/** @throws CommandError with exit code 2 */
export function readTracingFile(file: string): TracingConfiguration {
  try {
    return readTracingConfiguration(readSettingsFile(file));
  } catch (error) {
    throw usage(`--tracing-config-file "${file}": ${(error as Error).message}`);
  }
}
