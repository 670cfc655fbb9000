import type { Page } from "./page.ts";
import type { Query } from "../request/query.ts";
import { type HealthCheck, healthPage } from "./health-pages.ts";
import { checkRouted } from "./negotiation.ts";

/** Serves further paths, such as OpenAPI documents; `undefined` when the path is not its own. */
export type PageSource = (
  path: string,
  request: { query: Query; accept: string | undefined },
) => Page | undefined | Promise<Page | undefined>;

/** What /version says, as `version.Info`. */
export type VersionInfo = Readonly<Record<string, string>>;

/** What must be well for the server to live, and what beside that for it to be ready. */
export interface HealthChecks {
  live: readonly HealthCheck[];
  ready: readonly HealthCheck[];
}

/** The paths outside /api and /apis. */
export class PlainPages {
  readonly #version: VersionInfo;
  readonly #apiPaths: () => readonly string[];
  readonly #live: readonly HealthCheck[];
  readonly #ready: readonly HealthCheck[];
  readonly #sources: readonly PageSource[];

  constructor(of: {
    version: VersionInfo;
    /** Roots of the groups and versions that are served. */
    apiPaths: () => readonly string[];
    checks: HealthChecks;
    sources: readonly PageSource[];
  }) {
    this.#version = of.version;
    this.#apiPaths = of.apiPaths;
    this.#live = [PING, ...of.checks.live];
    this.#ready = [PING, ...of.checks.live, ...of.checks.ready];
    this.#sources = of.sources;
  }

  async page(
    path: string,
    request: { query: Query; accept: string | undefined },
  ): Promise<Page | undefined> {
    const [, first = "", second] = path.split("/");
    switch (first) {
      case "":
        return json({ paths: this.#paths() });
      case "version":
        checkRouted(request.accept, ["application/json"]);
        return json(this.#version);
      case "healthz":
      case "livez":
        return healthPage(this.#live, { name: first, only: second, query: request.query });
      case "readyz":
        return healthPage(this.#ready, { name: first, only: second, query: request.query });
      default:
    }
    for (const source of this.#sources) {
      const page = await source(path, request);
      if (page) return page;
    }
    return undefined;
  }

  #paths(): string[] {
    const health = [
      ...["/healthz", "/livez"].flatMap((path) => below(path, this.#live)),
      ...below("/readyz", this.#ready),
    ];
    return [...PATHS, ...health, ...this.#apiPaths()].toSorted();
  }
}

function below(path: string, checks: readonly HealthCheck[]): string[] {
  return [path, ...checks.map(({ name }) => `${path}/${name}`)];
}

const PING: HealthCheck = { name: "ping", check: () => undefined };
const PATHS = [
  "/.well-known/openid-configuration",
  "/api",
  "/apis",
  "/metrics",
  "/metrics/slis",
  "/openapi/v2",
  "/openapi/v3",
  "/openid/v1/jwks",
  "/version",
];

function json(value: unknown): Page {
  return { contentType: "application/json", bytes: Buffer.from(JSON.stringify(value, null, 2)) };
}
