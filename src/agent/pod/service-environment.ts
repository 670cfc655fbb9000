import type { Pod, Service } from "../../api/generated/types/core-v1.ts";

/**
 * The variables that announce Services to containers (`REDIS_SERVICE_HOST`, ...). `kubernetes` of
 * the default namespace is always announced, the others unless `enableServiceLinks` is false.
 */
export function serviceEnvironment(pod: Pod, services: readonly Service[]): Map<string, string> {
  const namespace = pod.metadata?.namespace;
  const links = pod.spec?.enableServiceLinks ?? true;
  const result = new Map<string, string>();
  for (const service of services) {
    const { name = "", namespace: home } = service.metadata ?? {};
    const isMaster = name === "kubernetes" && home === "default";
    if (!isMaster && !(links && home === namespace)) continue;
    // The namespace's own "kubernetes" Service wins over the one of "default".
    if (isMaster && home !== namespace && result.has("KUBERNETES_SERVICE_HOST")) continue;
    addService(service, result);
  }
  return result;
}

function addService(service: Service, into: Map<string, string>): void {
  const ip = service.spec?.clusterIP;
  const ports = service.spec?.ports ?? [];
  const [first] = ports;
  if (!ip || ip === "None" || !first) return;
  const prefix = variableName(service.metadata?.name ?? "");
  into.set(`${prefix}_SERVICE_HOST`, ip);
  into.set(`${prefix}_SERVICE_PORT`, String(first.port));
  for (const { name, port } of ports) {
    if (name) into.set(`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port));
  }
  const host = ip.includes(":") ? `[${ip}]` : ip;
  for (const [at, { port, protocol = "TCP" }] of ports.entries()) {
    const lower = protocol.toLowerCase();
    const url = `${lower}://${host}:${port}`;
    if (at === 0) into.set(`${prefix}_PORT`, url);
    const stem = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
    into.set(stem, url);
    into.set(`${stem}_PROTO`, lower);
    into.set(`${stem}_PORT`, String(port));
    into.set(`${stem}_ADDR`, ip);
  }
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}
