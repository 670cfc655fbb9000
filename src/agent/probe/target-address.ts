import type { ProbeTarget } from "./contract.ts";

/** A number, or the name of one of the container's ports. @throws Error in a kubelet's words */
export function portOf(port: number | string, { container }: ProbeTarget): number {
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  const number = named ?? Number(port);
  if (Number.isNaN(number)) throw new Error(`strconv.Atoi: parsing "${port}": invalid syntax`);
  if (number > 0 && number < 65_536) return number;
  throw new Error(`invalid port number: ${number}`);
}

/** "10.0.0.1:80", "[fd00::1]:80" */
export function addressOf(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
