import { API_SERVICES } from "../../api/generated/resources.ts";
import type { APIService } from "../../api/generated/types/apiregistration-v1.ts";
import type { ObjectReader } from "../contract.ts";
import type { ServiceTarget } from "../remote/service-address.ts";

const PORT_DEFAULT = 443;

/** A group-version that another API server answers for. */
export interface RemoteGroupVersion {
  /** Of the APIService: "v1.example.com". */
  name: string;
  group: string;
  version: string;
  service: ServiceTarget;
  /** PEM in base64; the system's roots without it. */
  caBundle: string;
  insecure: boolean;
  /** What the check of its availability found last. */
  available: boolean;
  groupPriority: number;
  versionPriority: number;
}

/** What APIServices say now. */
export class ApiServiceTable {
  readonly #reader: ObjectReader;
  #objects: readonly APIService[] = [];
  #remotes: readonly RemoteGroupVersion[] = [];
  #byName: ReadonlyMap<string, RemoteGroupVersion> = new Map();
  #generation = 0;

  constructor(reader: ObjectReader) {
    this.#reader = reader;
  }

  /** All that are not local, those of high priority first. */
  remotes(): readonly RemoteGroupVersion[] {
    this.#refresh();
    return this.#remotes;
  }

  /** Who answers for "/apis/{group}/{version}", if not this server. */
  find(group: string, version: string): RemoteGroupVersion | undefined {
    this.#refresh();
    return this.#byName.size === 0 ? undefined : this.#byName.get(`${version}.${group}`);
  }

  /** Grows with every change. */
  get generation(): number {
    this.#refresh();
    return this.#generation;
  }

  #refresh(): void {
    const objects = this.#reader.list(API_SERVICES);
    if (objects === this.#objects) return;
    this.#objects = objects;
    this.#remotes = objects.flatMap(remoteOf).sort(byPriority);
    this.#byName = new Map(this.#remotes.map((remote) => [remote.name, remote]));
    this.#generation++;
  }
}

/** Whether an APIService has the condition. */
export function isAvailable({ status }: APIService): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: is }) => type === "Available" && is === "True",
  );
}

function remoteOf(object: APIService): RemoteGroupVersion[] {
  const { spec, metadata } = object;
  const { group, version, service } = spec ?? {};
  if (!spec || !group || !version || !service?.name || !service.namespace) return [];
  const { name, namespace, port = PORT_DEFAULT } = service;
  return [
    {
      name: metadata?.name ?? "",
      group,
      version,
      service: { name, namespace, port },
      caBundle: spec.caBundle ?? "",
      insecure: spec.insecureSkipTLSVerify ?? false,
      available: isAvailable(object),
      groupPriority: spec.groupPriorityMinimum,
      versionPriority: spec.versionPriority,
    },
  ];
}

function byPriority(a: RemoteGroupVersion, b: RemoteGroupVersion): number {
  return (
    b.groupPriority - a.groupPriority ||
    (a.group < b.group ? -1 : a.group > b.group ? 1 : 0) ||
    b.versionPriority - a.versionPriority ||
    (a.version < b.version ? -1 : 1)
  );
}
