import { formatIpv4, parseCidr, parseIpv4 } from "../../lib/ipv4.ts";
import { fieldOf, type KubeObject, textOf } from "../kube-object.ts";
import type { ServedResource } from "../resource-registry.ts";
import { NumberPool } from "./number-pool.ts";
import {
  addressesOf,
  carryOver,
  completeFamilies,
  invalidService,
  nodePortsOf,
  portsOf,
  type ServicePort,
} from "./service-fields.ts";

/** What one write took from the pools. */
export interface Allocation {
  /** The write failed or was a dry run: gives back what it took. */
  release(): void;
  /** The write is stored: gives back what the old object had and the new one has not. */
  commit(): void;
}

export interface ServiceNetworkOptions {
  /** Such as "10.96.0.0/16". */
  cidr: string;
  /** Node ports, both ends inclusive. */
  nodePorts: { first: number; last: number };
}

const NOTHING: Allocation = { release: () => {}, commit: () => {} };
/** Automatic addresses begin after this many, which are left to those who ask for one. */
const STATIC_BAND_MAX = 256;

/** Gives Services their cluster IPs and node ports. The truth is in the objects: see `rebuild`. */
export class ServiceNetwork {
  readonly #addresses: NumberPool;
  readonly #ports: NumberPool;
  readonly #cidr: string;

  constructor({ cidr, nodePorts }: ServiceNetworkOptions) {
    const { base: first, size, prefixLength } = parseCidr(cidr);
    if (prefixLength < 8 || prefixLength > 30) {
      throw new RangeError(
        `Cannot use "${cidr}" for services: the prefix must be 8 to 30 bits long`,
      );
    }
    const band = Math.min(STATIC_BAND_MAX, Math.max(16, Math.floor(size / 16)));
    // The network and the broadcast address are never handed out.
    this.#addresses = new NumberPool({
      first: first + 1,
      size: size - 2,
      dynamicFirst: first + 1 + Math.min(band, size / 4),
    });
    this.#ports = new NumberPool({
      first: nodePorts.first,
      size: nodePorts.last - nodePorts.first + 1,
    });
    this.#cidr = cidr;
  }

  /** Address of the `default/kubernetes` Service: the first of the range. */
  get apiServerAddress(): string {
    return formatIpv4(parseCidr(this.#cidr).base + 1);
  }

  /** Takes what the stored Services hold. */
  rebuild(services: Iterable<KubeObject>): void {
    for (const service of services) {
      for (const address of addressesOf(service)) this.#addresses.take(parseIpv4(address));
      for (const port of nodePortsOf(service)) this.#ports.take(port);
    }
  }

  /** Completes a new Service in place. @throws StatusError Invalid */
  allocate(served: ServedResource, service: KubeObject): Allocation {
    if (!isService(served)) return NOTHING;
    return this.#fill(service, { addresses: [], ports: [] });
  }

  /** Completes a changed Service in place; what it already had stays with it. */
  reallocate(served: ServedResource, service: KubeObject, old: KubeObject): Allocation {
    if (!isService(served)) return NOTHING;
    carryOver(service, old);
    return this.#fill(service, { addresses: addressesOf(old), ports: nodePortsOf(old), old });
  }

  /** The object is gone. */
  released(served: ServedResource, service: KubeObject): void {
    if (!isService(served)) return;
    this.#release({ addresses: addressesOf(service), ports: nodePortsOf(service) });
  }

  #release(of: { addresses: readonly string[]; ports: readonly number[] }): void {
    for (const address of of.addresses) this.#addresses.release(parseIpv4(address));
    for (const port of of.ports) this.#ports.release(port);
  }

  #fill(
    service: KubeObject,
    held: { addresses: string[]; ports: number[]; old?: KubeObject },
  ): Allocation {
    const taken = { addresses: [] as string[], ports: [] as number[] };
    const release = () => this.#release(taken);
    try {
      this.#fillAddress(service, { ...held, taken: taken.addresses });
      this.#fillPorts(service, { held: held.ports, taken: taken.ports });
    } catch (error) {
      release();
      throw error;
    }
    let open = true;
    return {
      release: () => {
        if (open) release();
        open = false;
      },
      commit: () => {
        open = false;
        const [addresses, ports] = [addressesOf(service), nodePortsOf(service)];
        this.#release({
          addresses: held.addresses.filter((address) => !addresses.includes(address)),
          ports: held.ports.filter((port) => !ports.includes(port)),
        });
      },
    };
  }

  #fillAddress(
    service: KubeObject,
    of: { addresses: string[]; taken: string[]; old?: KubeObject },
  ): void {
    const spec = fieldOf(service, "spec");
    if (spec["type"] === "ExternalName") {
      // What the client asks for is refused; nothing at all says nothing.
      for (const field of ["clusterIP", "clusterIPs"]) if (!spec[field]) delete spec[field];
      if (spec["clusterIP"]) spec["clusterIPs"] ??= [spec["clusterIP"]];
      // No traffic of the cluster goes through it; what is no policy is refused.
      if (["Cluster", "Local"].includes(textOf(spec["internalTrafficPolicy"]))) {
        delete spec["internalTrafficPolicy"];
      }
      return;
    }
    completeFamilies(service, of.old);
    const list = spec["clusterIPs"];
    const addressed = of.old && fieldOf(of.old, "spec")["type"] !== "ExternalName";
    let address = textOf(spec["clusterIP"]) || (Array.isArray(list) ? textOf(list[0]) : "");
    if (address === "None") {
      spec["clusterIP"] = "None";
      spec["clusterIPs"] = ["None"];
    } else if (addressed && address !== "") {
      // It may not be changed: that is for validation to tell.
      return;
    } else if (!of.addresses.includes(address)) {
      address = this.#takeAddress(service, address);
      of.taken.push(address);
    }
    if (address !== "None") {
      spec["clusterIP"] = address;
      spec["clusterIPs"] = [address];
    }
  }

  #takeAddress(service: KubeObject, wanted: string): string {
    const refuse = (why: string) =>
      invalidService(service, {
        reason: "FieldValueInvalid",
        message: `Invalid value: []string{"${wanted}"}: failed to allocate IP ${wanted}: ${why}`,
        field: "spec.clusterIPs",
      });
    if (wanted === "") {
      const free = this.#addresses.takeAny();
      if (free === undefined) throw refuse("range is full");
      return formatIpv4(free);
    }
    let number: number;
    try {
      number = parseIpv4(wanted);
    } catch {
      throw refuse("it is not a valid IPv4 address");
    }
    if (!this.#addresses.contains(number)) {
      const range = `The range of valid IPs is ${this.#cidr}`;
      throw refuse(`the provided IP (${wanted}) is not in the valid range. ${range}`);
    }
    if (!this.#addresses.take(number)) throw refuse("provided IP is already allocated");
    return wanted;
  }

  #fillPorts(service: KubeObject, of: { held: number[]; taken: number[] }): void {
    const spec = fieldOf(service, "spec");
    const type = spec["type"];
    const loadBalancer = type === "LoadBalancer";
    const ports = portsOf(service);
    const wanted =
      type === "NodePort" || (loadBalancer && spec["allocateLoadBalancerNodePorts"] !== false);
    for (const [at, port] of ports.entries()) {
      if (type !== "NodePort" && !loadBalancer) break;
      if (!port.nodePort && !wanted) continue;
      if (!port.nodePort) {
        port.nodePort = this.#sharedPort(ports, port) ?? this.#takeAnyPort(service, of.taken);
      } else if (!of.held.includes(port.nodePort) && !of.taken.includes(port.nodePort)) {
        const field = `spec.ports[${at}].nodePort`;
        this.#takePort(service, { field, port: port.nodePort, taken: of.taken });
      }
    }
    if (!loadBalancer || spec["externalTrafficPolicy"] !== "Local") return;
    const wantedPort = Number(spec["healthCheckNodePort"] ?? 0);
    if (wantedPort === 0) {
      spec["healthCheckNodePort"] = this.#takeAnyPort(service, of.taken);
    } else if (!of.held.includes(wantedPort) && !of.taken.includes(wantedPort)) {
      this.#takePort(service, {
        field: "spec.healthCheckNodePort",
        port: wantedPort,
        taken: of.taken,
      });
    }
  }

  /** One port number with two protocols gets one node port. */
  #sharedPort(ports: readonly ServicePort[], port: ServicePort): number | undefined {
    return ports.find(
      (other) => other.port === port.port && other.protocol !== port.protocol && other.nodePort,
    )?.nodePort;
  }

  #takeAnyPort(service: KubeObject, taken: number[]): number {
    const free = this.#ports.takeAny();
    if (free === undefined) {
      throw invalidService(service, {
        reason: "FieldValueInvalid",
        message: "Invalid value: failed to allocate a nodePort: range is full",
        field: "spec.ports",
      });
    }
    taken.push(free);
    return free;
  }

  #takePort(service: KubeObject, of: { field: string; port: number; taken: number[] }): void {
    const refuse = (why: string) =>
      invalidService(service, {
        reason: "FieldValueInvalid",
        message: `Invalid value: ${of.port}: ${why}`,
        field: of.field,
      });
    if (!this.#ports.contains(of.port)) {
      throw refuse(
        "provided port is not in the valid range. The range of valid ports is " +
          `${this.#ports.first}-${this.#ports.last}`,
      );
    }
    if (!this.#ports.take(of.port)) throw refuse("provided port is already allocated");
    of.taken.push(of.port);
  }
}

function isService(served: ServedResource): boolean {
  return served.storage === "core/services";
}
