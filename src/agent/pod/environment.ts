import type {
  Container,
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  Pod,
  Service,
} from "../../api/generated/types/core-v1.ts";
import { type DownwardFacts, podField, resourceField } from "../field-reference.ts";
import { expandVariables } from "./expansion.ts";
import { serviceEnvironment } from "./service-environment.ts";

/** A container cannot be configured: a reference leads nowhere. Worded for the pod's status. */
export class ConfigurationError extends Error {
  override name = "ConfigurationError";
}

/** Everything outside the pod that its environment may name. */
export interface EnvironmentSources {
  configMap(name: string): Readonly<Record<string, string>> | undefined;
  /** Decoded values. */
  secret(name: string): Readonly<Record<string, string>> | undefined;
  /** Services of the pod's namespace, and `kubernetes` of "default". */
  services: readonly Service[];
  facts: DownwardFacts;
}

/**
 * Variables that the pod gives to a container, in order: services, `envFrom`, `env`; later ones
 * replace earlier ones and may refer to them. @throws ConfigurationError
 */
export function podEnvironment(
  pod: Pod,
  options: { container: Container; sources: EnvironmentSources },
): Map<string, string> {
  const { container, sources } = options;
  const services = serviceEnvironment(pod, sources.services);
  const result = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    for (const [name, value] of importedVariables(source, sources)) result.set(name, value);
  }
  const lookup = (name: string) => result.get(name) ?? services.get(name);
  for (const variable of container.env ?? []) {
    const value = variableValue(variable, lookup, { pod, container, sources });
    if (value !== undefined) result.set(variable.name, value);
  }
  return new Map([...services, ...result]);
}

function importedVariables(source: EnvFromSource, sources: EnvironmentSources): [string, string][] {
  const reference = source.configMapRef ?? source.secretRef;
  const name = reference?.name ?? "";
  const kind = source.configMapRef ? "configmap" : "secret";
  const data = source.configMapRef ? sources.configMap(name) : sources.secret(name);
  if (!data) {
    if (reference?.optional) return [];
    throw new ConfigurationError(`${kind} "${name}" not found`);
  }
  return Object.entries(data)
    .map(([key, value]): [string, string] => [`${source.prefix ?? ""}${key}`, value])
    .filter(([key]) => key !== "" && !key.includes("="));
}

function variableValue(
  variable: EnvVar,
  lookup: (name: string) => string | undefined,
  context: { pod: Pod; container: Container; sources: EnvironmentSources },
): string | undefined {
  if (variable.valueFrom) return referencedValue(variable.valueFrom, context);
  return expandVariables(variable.value ?? "", lookup);
}

function referencedValue(
  from: EnvVarSource,
  context: { pod: Pod; container: Container; sources: EnvironmentSources },
): string | undefined {
  const { pod, container, sources } = context;
  if (from.fieldRef) return podField(pod, from.fieldRef.fieldPath, sources.facts);
  if (from.resourceFieldRef) {
    const { containerName } = from.resourceFieldRef;
    const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
    const named = all.find(({ name }) => name === containerName);
    return resourceField(named ?? container, from.resourceFieldRef, sources.facts);
  }
  if (from.configMapKeyRef) {
    const { name = "", key, optional } = from.configMapKeyRef;
    return keyOf("configmap", { pod, name, key, optional, data: sources.configMap(name) });
  }
  if (from.secretKeyRef) {
    const { name = "", key, optional } = from.secretKeyRef;
    return keyOf("secret", { pod, name, key, optional, data: sources.secret(name) });
  }
  throw new ConfigurationError("unsupported valueFrom of an environment variable");
}

function keyOf(
  kind: "configmap" | "secret",
  reference: {
    pod: Pod;
    name: string;
    key: string;
    optional: boolean | undefined;
    data: Readonly<Record<string, string>> | undefined;
  },
): string | undefined {
  const { pod, name, key, optional, data } = reference;
  const value = data?.[key];
  if (value !== undefined || optional) return value;
  if (!data) throw new ConfigurationError(`${kind} "${name}" not found`);
  const owner = kind === "configmap" ? "ConfigMap" : "Secret";
  const of = `${owner} ${pod.metadata?.namespace}/${name}`;
  throw new ConfigurationError(`couldn't find key ${key} in ${of}`);
}
