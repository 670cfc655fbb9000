import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { parse as parseYaml } from "yaml";
import { socketOf } from "../agent/runtime/cri/cri-endpoint.ts";
import type { IssuerFlags } from "../apiserver/authentication/oidc/issuer-flags.ts";
import { requireAnchored } from "../apiserver/http/cross-origin.ts";
import type { IngressPorts } from "../controllers/service-load-balancer/contract.ts";
import type { AddressSource } from "../controllers/service-load-balancer/load-balancer-plan.ts";
import { parseDuration } from "../lib/cel/functions/time-text.ts";
import { formatIpv4, parseCidr } from "../lib/ipv4.ts";
import { CommandError } from "./command-error.ts";
import { DEFAULT_DATA_DIRECTORY, openDataDirectory } from "./data-directory.ts";
import type { EncryptionFlags } from "./encryption.ts";
import { readInstance } from "./instance.ts";
import { OIDC_FLAGS, oidcFlags } from "./oidc-options.ts";

/**
 * Settings of `up`: from flags, then the file named by `--config`, then what the data directory was
 * last started with, then defaults.
 */
export interface UpOptions {
  dataDirectory: string;
  host: string;
  port: number;
  nodes: number;
  store: "lmdb" | "memory";
  detach: boolean;
  clusterCidr: string;
  serviceCidr: string;
  clusterDomain: string;
  podSecurity: "privileged" | "baseline" | "restricted";
  /** As before Kubernetes 1.24: each ServiceAccount gets a token that never expires. */
  legacyServiceAccountTokens: boolean;
  /** Discovery lists versions that Kubernetes has removed, for clients that look for them. */
  legacyApis: boolean;
  /** Where Services of type LoadBalancer get addresses; absent: from somebody else. */
  loadBalancer: AddressSource | undefined;
  /** Ports of the nodes on which Ingresses are served; absent: by somebody else. */
  ingress: IngressPorts | undefined;
  /** File with a KubeSchedulerConfiguration. */
  schedulerConfig: string | undefined;
  /** File with an `audit.k8s.io/v1` Policy. */
  auditPolicy: string | undefined;
  /** File with an AuthenticationConfiguration: outside issuers of tokens. */
  authenticationConfig: string | undefined;
  /** One outside issuer of tokens, as kube-apiserver's flags describe it. */
  oidc: IssuerFlags | undefined;
  /** What is encrypted in the data directory, and how. */
  encryption: EncryptionFlags | undefined;
  /** Patterns of the origins whose pages may read answers in a browser. */
  corsAllowedOrigins: readonly string[];
  /** File with a TracingConfiguration: of how many requests spans go where. */
  tracingConfig: string | undefined;
  /** File with a KubeletConfiguration, for every node. */
  agentConfig: string | undefined;
  /** Socket of the container runtime that runs the pods of every node; our own when absent. */
  runtimeEndpoint: string | undefined;
  /** How long a node may be silent before it counts as lost. */
  nodeGraceMs: number | undefined;
  logLevel: "debug" | "info" | "warn" | "error";
}

const FLAGS = {
  "data-dir": { type: "string" },
  listen: { type: "string" },
  nodes: { type: "string" },
  store: { type: "string" },
  detach: { type: "boolean" },
  config: { type: "string" },
  "cluster-cidr": { type: "string" },
  "service-cidr": { type: "string" },
  "cluster-domain": { type: "string" },
  "pod-security": { type: "string" },
  "legacy-service-account-tokens": { type: "boolean" },
  "legacy-apis": { type: "boolean" },
  "load-balancer": { type: "string" },
  ingress: { type: "string" },
  "scheduler-config": { type: "string" },
  "audit-policy": { type: "string" },
  "authentication-config": { type: "string" },
  ...OIDC_FLAGS,
  "encryption-provider-config": { type: "string" },
  "encryption-provider-config-automatic-reload": { type: "boolean" },
  "cors-allowed-origins": { type: "string" },
  "tracing-config-file": { type: "string" },
  "agent-config": { type: "string" },
  "container-runtime-endpoint": { type: "string" },
  "node-monitor-grace-period": { type: "string" },
  "log-level": { type: "string" },
} as const;

/** Flags by name, as `util.parseArgs` describes them. */
export type FlagTable = Record<
  string,
  { type: "string" | "boolean"; short?: string; default?: string; multiple?: boolean }
>;

/** Flags of every command. */
export const commonFlags: FlagTable = {
  "data-dir": { type: "string", default: DEFAULT_DATA_DIRECTORY },
};

/** Pods and Services have addresses, names and containers by these for as long as they live. */
const FIXED = [
  "cluster-cidr",
  "service-cidr",
  "cluster-domain",
  "container-runtime-endpoint",
] as const;
const NODES_MAX = 32;
const POD_SECURITY_LEVELS = ["privileged", "baseline", "restricted"] as const;
const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** Parses the arguments of `up`. @throws CommandError with exit code 2 */
export function parseUpOptions(args: readonly string[]): UpOptions {
  const { values: flags } = parseFlags(args, FLAGS);
  const file = typeof flags["config"] === "string" ? readConfig(flags["config"]) : {};
  const given = (name: keyof typeof FLAGS) => flags[name] ?? file[name];
  const isSet = (name: keyof typeof FLAGS) => flags[name] === true || file[name] === true;
  const dataDirectory = path.resolve(String(given("data-dir") ?? DEFAULT_DATA_DIRECTORY));
  const recorded = recordedSettings(dataDirectory);
  const text = (name: keyof typeof FLAGS, fallback: string): string => {
    return String(given(name) ?? recorded[name] ?? fallback);
  };
  const pathOf = (name: keyof typeof FLAGS): string | undefined => {
    const given = text(name, "");
    return given ? path.resolve(given) : undefined;
  };
  for (const name of FIXED) refuseChange(name, given(name), recorded[name]);
  const { host, port } = parseListen(text("listen", "127.0.0.1:6443"));
  const nodes = Number(text("nodes", "1"));
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > NODES_MAX) {
    throw usage(
      `--nodes must be a whole number from 1 to ${NODES_MAX}, not "${text("nodes", "")}"`,
    );
  }
  const store = text("store", "lmdb");
  if (store === "etcd") throw usage("--store etcd is not built yet; leave it out to use LMDB");
  if (store !== "lmdb" && store !== "memory") {
    throw usage(`--store must be "lmdb" or "memory", not "${store}"`);
  }
  const podSecurity = POD_SECURITY_LEVELS.find(
    (level) => level === text("pod-security", "baseline"),
  );
  if (!podSecurity) {
    throw usage(`--pod-security must be one of ${POD_SECURITY_LEVELS.join(", ")}`);
  }
  const logLevel = LOG_LEVELS.find((level) => level === text("log-level", "info"));
  if (!logLevel) throw usage(`--log-level must be one of ${LOG_LEVELS.join(", ")}`);
  const ingress = parseIngressPorts(text("ingress", "80,443"));
  if (ingress && [ingress.http, ingress.https].includes(port)) {
    throw usage(`--ingress and --listen cannot both take port ${port}`);
  }
  return {
    dataDirectory,
    host,
    port,
    nodes,
    store,
    detach: isSet("detach"),
    clusterCidr: text("cluster-cidr", "10.244.0.0/16"),
    serviceCidr: text("service-cidr", "10.96.0.0/16"),
    clusterDomain: text("cluster-domain", "cluster.local"),
    podSecurity,
    legacyServiceAccountTokens: isSet("legacy-service-account-tokens"),
    legacyApis: isSet("legacy-apis"),
    loadBalancer: parseLoadBalancer(text("load-balancer", "nodes")),
    ingress,
    schedulerConfig: pathOf("scheduler-config"),
    auditPolicy: pathOf("audit-policy"),
    authenticationConfig: pathOf("authentication-config"),
    oidc: oidcOf(given),
    encryption: encryptionOf(
      pathOf("encryption-provider-config"),
      isSet("encryption-provider-config-automatic-reload"),
    ),
    corsAllowedOrigins: parseOrigins(text("cors-allowed-origins", "")),
    tracingConfig: pathOf("tracing-config-file"),
    agentConfig: pathOf("agent-config"),
    runtimeEndpoint: parseEndpoint(text("container-runtime-endpoint", "")),
    nodeGraceMs: parseGrace(given("node-monitor-grace-period")),
    logLevel,
  };
}

function encryptionOf(file: string | undefined, follow: boolean): EncryptionFlags | undefined {
  if (file !== undefined) return { file, follow };
  if (!follow) return undefined;
  throw usage(
    "--encryption-provider-config-automatic-reload needs --encryption-provider-config FILE",
  );
}

/** As the kubelet's flag of the same name takes it. @throws CommandError with exit code 2 */
export function parseEndpoint(text: string): string | undefined {
  if (text === "") return undefined;
  try {
    socketOf(text);
    return text;
  } catch (error) {
    throw usage(`--container-runtime-endpoint: ${(error as Error).message}`);
  }
}

function oidcOf(given: Parameters<typeof oidcFlags>[0]): IssuerFlags | undefined {
  try {
    return oidcFlags(given);
  } catch (error) {
    throw usage(`--oidc-ca-file: ${(error as Error).message}`);
  }
}

/** What a later `up` in the same data directory falls back on. */
export function settingsToRecord(options: UpOptions): Readonly<Record<string, string>> {
  return {
    listen: `${options.host}:${options.port}`,
    nodes: `${options.nodes}`,
    store: options.store,
    "cluster-cidr": options.clusterCidr,
    "service-cidr": options.serviceCidr,
    "cluster-domain": options.clusterDomain,
    "load-balancer": loadBalancerText(options.loadBalancer),
    ingress: ingressPortsText(options.ingress),
    // Without it what is stored could not be read.
    "encryption-provider-config": options.encryption?.file ?? "",
    "container-runtime-endpoint": options.runtimeEndpoint ?? "",
  };
}

function recordedSettings(dataDirectory: string): Readonly<Record<string, string>> {
  const { instance } = openDataDirectory(dataDirectory, { create: false });
  return readInstance(instance)?.settings ?? {};
}

function refuseChange(
  name: string,
  given: string | number | boolean | undefined,
  recorded: string | undefined,
): void {
  if (given === undefined || recorded === undefined || given === recorded) return;
  const why = "what runs in this data directory is built on it";
  throw new CommandError(
    `Cannot change --${name} from "${recorded}" to "${given}": ${why}; see "nephos down --purge"`,
    { exitCode: 2 },
  );
}

/** Parses flags; refuses unknown ones, and words beside them. @throws CommandError, exit code 2 */
export function parseFlags(
  args: readonly string[],
  options: FlagTable,
): { values: Record<string, string | boolean | undefined> } {
  const { values, positionals } = parseFlagsAndWords(args, options);
  const [word] = positionals;
  if (word !== undefined) throw usage(`"${word}" says nothing here: flags start with --`);
  return { values };
}

/** The same with words beside the flags. @throws CommandError with exit code 2 */
export function parseFlagsAndWords(
  args: readonly string[],
  options: FlagTable,
): { values: Record<string, string | boolean | undefined>; positionals: string[] } {
  const { values, positionals } = parsed(args, options);
  // An empty variable in a script: it must not mean the directory where that happens to run.
  if (values["data-dir"] === "") throw usage("--data-dir must be the path of a directory");
  return { values, positionals };
}

function parsed(
  args: readonly string[],
  options: FlagTable,
): ReturnType<typeof parseFlagsAndWords> {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { values: values as Record<string, string | boolean | undefined>, positionals };
  } catch (error) {
    // Its first sentence; the rest is about positional arguments.
    throw usage((error as Error).message.split(". ")[0] ?? "");
  }
}

/** A mistake in how the command was called. */
export function usage(message: string): CommandError {
  return new CommandError(`${message}; see "nephos help"`, { exitCode: 2 });
}

/** ADDRESS:PORT. @throws CommandError with exit code 2 */
export function parseListen(text: string, flag = "--listen"): { host: string; port: number } {
  const match = /^(\d+\.\d+\.\d+\.\d+|localhost):(\d+)$/.exec(text);
  const port = Number(match?.[2]);
  if (!match || port < 1 || port > 65_535) {
    throw usage(`${flag} must be ADDRESS:PORT such as 127.0.0.1:6443, not "${text}"`);
  }
  return { host: match[1] === "localhost" ? "127.0.0.1" : (match[1] ?? ""), port };
}

/** A duration such as "50s". @throws CommandError with exit code 2 */
export function parseGrace(text: string | number | boolean | undefined): number | undefined {
  if (text === undefined) return undefined;
  const nanos = parseDuration(String(text));
  if (nanos !== undefined && nanos >= 1_000_000_000n) return Number(nanos) / 1e6;
  throw usage(
    `--node-monitor-grace-period must be a duration of at least 1s such as 50s, not "${text}"`,
  );
}

/** "80,443", or "none". @throws CommandError with exit code 2 */
export function parseIngressPorts(text: string): IngressPorts | undefined {
  if (text === "none") return undefined;
  const [, http, https] = (/^(\d+),(\d+)$/.exec(text) ?? []).map(Number);
  const isPort = (port: number | undefined) => port !== undefined && port > 0 && port <= 65_535;
  if (
    http === undefined ||
    https === undefined ||
    !isPort(http) ||
    !isPort(https) ||
    http === https
  ) {
    throw usage(`--ingress must be "none" or two ports such as 80,443, not "${text}"`);
  }
  return { http, https };
}

/** The same as `parseIngressPorts` takes. */
export function ingressPortsText(ports: IngressPorts | undefined): string {
  return ports ? `${ports.http},${ports.https}` : "none";
}

function parseOrigins(text: string): readonly string[] {
  const patterns = text.split(",").filter(Boolean);
  for (const pattern of patterns) {
    try {
      requireAnchored(pattern);
    } catch (error) {
      throw usage(`--cors-allowed-origins: ${(error as Error).message}`);
    }
  }
  return patterns;
}

const POOL_PREFIX_MIN = 16;

function parseLoadBalancer(text: string): AddressSource | undefined {
  if (text === "none") return undefined;
  if (text === "nodes") return { from: "nodes" };
  try {
    const range = parseCidr(text);
    if (range.prefixLength >= POOL_PREFIX_MIN) return { from: "pool", range };
  } catch {
    // Refused like a range that is too large.
  }
  throw usage(
    `--load-balancer must be "nodes", "none" or a range of at most /${POOL_PREFIX_MIN}, not "${text}"`,
  );
}

function loadBalancerText(source: AddressSource | undefined): string {
  if (!source) return "none";
  if (source.from === "nodes") return "nodes";
  return `${formatIpv4(source.range.base)}/${source.range.prefixLength}`;
}

function readConfig(file: string): Record<string, string | number | boolean> {
  try {
    const content: unknown = parseYaml(readFileSync(file, "utf8"));
    if (content === null || typeof content !== "object" || Array.isArray(content)) {
      throw new Error("it must be a map of flag names to values");
    }
    const unknown = Object.keys(content).find((key) => !(key in FLAGS) || key === "config");
    if (unknown) throw new Error(`"${unknown}" is not a setting`);
    return content as Record<string, string | number | boolean>;
  } catch (error) {
    // Its first line; the rest shows the place.
    const [why = ""] = (error as Error).message.split("\n");
    throw usage(`Cannot read the configuration "${file}": ${why}`);
  }
}
