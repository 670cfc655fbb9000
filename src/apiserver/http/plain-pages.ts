import type { Query } from "../request/query.ts";

/** An answer that is no API object. */
export interface Page {
  status?: number;
  contentType: string;
  etag?: string;
  /** Its address names its content, so that it can be kept for ever. */
  immutable?: boolean;
  /** Where it is now, instead of here. */
  location?: string;
  bytes: Uint8Array;
}

/** A check behind /readyz. `undefined` means healthy, text says what is wrong. */
export interface HealthCheck {
  name: string;
  check(): string | undefined;
}

/** Serves further paths, such as OpenAPI documents; `undefined` when the path is not its own. */
export type PageSource = (
  path: string,
  request: { query: Query; accept: string | undefined },
) => Page | undefined | Promise<Page | undefined>;

/** What /version says, as `version.Info`. */
export type VersionInfo = Readonly<Record<string, string>>;

/** The paths outside /api and /apis. */
export class PlainPages {
  readonly #version: VersionInfo;
  readonly #checks: readonly HealthCheck[];
  readonly #sources: readonly PageSource[];

  constructor(of: {
    version: VersionInfo;
    checks: readonly HealthCheck[];
    sources: readonly PageSource[];
  }) {
    this.#version = of.version;
    this.#checks = of.checks;
    this.#sources = of.sources;
  }

  async page(
    path: string,
    request: { query: Query; accept: string | undefined },
  ): Promise<Page | undefined> {
    const [, first = "", second] = path.split("/");
    switch (first) {
      case "":
        return json({ paths: PATHS });
      case "version":
        return json(this.#version);
      case "healthz":
      case "livez":
        return this.#health(request.query, { only: second, checks: [PING] });
      case "readyz":
        return this.#health(request.query, { only: second, checks: [PING, ...this.#checks] });
      default:
    }
    for (const source of this.#sources) {
      const page = await source(path, request);
      if (page) return page;
    }
    return undefined;
  }

  #health(
    query: Query,
    of: { only: string | undefined; checks: readonly HealthCheck[] },
  ): Page | undefined {
    const excluded = query.all("exclude");
    const checks = of.checks.filter(
      ({ name }) => !excluded.includes(name) && (of.only === undefined || of.only === name),
    );
    if (checks.length === 0) return undefined;
    const results = checks.map(({ name, check }) => ({ name, problem: check() }));
    const failed = results.some(({ problem }) => problem !== undefined);
    if (!failed && !query.has("verbose")) return text("ok", 200);
    const lines = results.map(({ name, problem }) =>
      problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`,
    );
    lines.push(failed ? "check failed" : "check passed", "");
    return text(lines.join("\n"), failed ? 500 : 200);
  }
}

const PING: HealthCheck = { name: "ping", check: () => undefined };
const PATHS = [
  "/.well-known/openid-configuration",
  "/api",
  "/apis",
  "/healthz",
  "/livez",
  "/metrics",
  "/metrics/slis",
  "/openapi/v2",
  "/openapi/v3",
  "/openid/v1/jwks",
  "/readyz",
  "/version",
];

function json(value: unknown): Page {
  return { contentType: "application/json", bytes: Buffer.from(JSON.stringify(value, null, 2)) };
}

function text(content: string, status: number): Page {
  return { status, contentType: "text/plain; charset=utf-8", bytes: Buffer.from(content) };
}
