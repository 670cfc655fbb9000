import { ensurePki } from "../apiserver/pki/pki.ts";
import { systemClock } from "../sys/clock.ts";
import { V8_HEAP } from "../sys/garbage-relief.ts";
import { OUTER_MEMORY, startMemoryRelief } from "../sys/memory-relief.ts";
import { systemRandom } from "../sys/random.ts";
import { startApiPart } from "./api-part.ts";
import { openAudit } from "./audit.ts";
import { planClusterNetwork } from "./cluster-network.ts";
import { openIssuers } from "./authentication-config.ts";
import { ensureApiService } from "./cluster-objects.ts";
import { CommandError } from "./command-error.ts";
import { openDataDirectory } from "./data-directory.ts";
import { openEncryption } from "./encryption.ts";
import { identify, isAlive, readInstance, writeInstance } from "./instance.ts";
import { createJsonLogger } from "./json-logger.ts";
import { judgeSettings } from "./judge-settings.ts";
import { writeKubeconfig } from "./kubeconfig-file.ts";
import { installLastResort } from "./last-resort.ts";
import { parseUpOptions, settingsToRecord, usage } from "./options.ts";
import { openStore } from "./open-store.ts";
import { untilSignal } from "./signals.ts";
import { openTracing } from "./tracing.ts";
import { NEPHOS_VERSION } from "./version.ts";

/**
 * `nephos apiserver`: the API server alone, in the foreground, for controllers, schedulers and nodes
 * that run elsewhere. Needs no root: it touches its data directory and its port.
 */
export async function apiserver(args: readonly string[]): Promise<number> {
  const options = parseUpOptions(args);
  if (options.detach) throw usage("apiserver stays in the foreground: leave out --detach");
  judgeSettings(options);
  const directory = openDataDirectory(options.dataDirectory, { create: true });
  const { host, port } = options;
  const known = readInstance(directory.instance);
  const running = known?.processes.find(isAlive);
  if (running) {
    const where = `process ${running.pid} (${running.role}) still uses ${directory.root}`;
    throw new CommandError(`Cannot start the API server: ${where}; see "nephos down"`);
  }
  const logger = createJsonLogger(options.logLevel);
  installLastResort(logger);
  const network = planClusterNetwork(options);
  const server = `https://${host}:${port}`;
  writeInstance(directory.instance, {
    version: NEPHOS_VERSION,
    server,
    startedAtMs: systemClock.now(),
    processes: [identify("nephos", process.pid)],
    nodes: known?.nodes ?? [],
    settings: settingsToRecord(options),
  });
  const sources = { clock: systemClock, random: systemRandom, logger };
  using encryption = await openEncryption(options.encryption, sources);
  using relief = startMemoryRelief(systemClock, OUTER_MEMORY, V8_HEAP);
  await using opened = await openStore(options, { directory, encryption, relief });
  const { store, metrics } = opened;
  const pki = await ensurePki(directory.pki, {
    clock: systemClock,
    random: systemRandom,
    addresses: {
      server: [host, network.apiServerIp],
      serviceIp: network.apiServerIp,
      clusterDomain: network.clusterDomain,
      nodes: [],
    },
  });
  const { podSecurity } = options;
  const listeners = [{ host, port, flag: "--listen" }];
  using audit = openAudit(directory, { policyFile: options.auditPolicy, logger });
  using issuers = openIssuers({
    file: options.authenticationConfig,
    flags: options.oidc,
    clock: systemClock,
    logger,
  });
  await using tracing = openTracing(options.tracingConfig, sources);
  await using api = await startApiPart({
    store,
    pki,
    network,
    podSecurity,
    legacyApis: options.legacyApis,
    corsAllowedOrigins: options.corsAllowedOrigins,
    tracer: tracing?.tracer,
    readyChecks: encryption?.checks ?? [],
    listeners,
    logger,
    audit: audit.log,
    issuers,
    metrics,
  });
  // Endpoints may not name a loopback address.
  const endpoint = host.startsWith("127.") ? {} : { endpoint: { ip: host, port } };
  await ensureApiService(api.client, { apiServerIp: network.apiServerIp, ...endpoint });
  const caPem = pki.ca.pem.certPem;
  writeKubeconfig(directory.kubeconfig, { server, caPem, keys: pki.admin });
  process.stdout.write(`The API server answers on ${server}\n`);
  process.stdout.write(`export KUBECONFIG=${directory.kubeconfig}\n`);
  await untilSignal();
  return 0;
}
