import https from "node:https";
import type { Endpoint } from "./node-address.ts";

/** How this server proves itself to node agents, and knows them. */
export interface KubeletTls {
  cert: string | Uint8Array;
  key: string | Uint8Array;
  /** Without it serving certificates of nodes are not checked, as upstream's default is. */
  ca?: string | Uint8Array;
}

const ANSWER_MS = 5_000;
/** A node of thousands of containers tells less than this about itself. */
const ANSWER_BYTES = 16 << 20;

/** Connections to node agents. */
export function kubeletAgent(tls: KubeletTls | undefined, keepAlive: boolean): https.Agent {
  return new https.Agent({
    keepAlive,
    rejectUnauthorized: tls?.ca !== undefined,
    // Nodes are dialled by address; their certificates name the node.
    checkServerIdentity: () => undefined,
    ...(tls ? { cert: asText(tls.cert), key: asText(tls.key) } : {}),
    ...(tls?.ca ? { ca: asText(tls.ca) } : {}),
  });
}

/** Asks agents on the server's own behalf. */
export class KubeletClient implements Disposable {
  readonly #agent: https.Agent;

  constructor(tls: KubeletTls | undefined) {
    this.#agent = kubeletAgent(tls, true);
  }

  /** Body of a page. @throws Error when the agent does not give it within 5 seconds */
  get(endpoint: Endpoint, path: string): Promise<string> {
    const signal = AbortSignal.timeout(ANSWER_MS);
    return new Promise((resolve, reject) => {
      const request = https.get({ ...endpoint, path, agent: this.#agent, signal }, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("error", reject);
        response.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.byteLength;
          if (size > ANSWER_BYTES) response.destroy(new Error(`more than ${ANSWER_BYTES} bytes`));
        });
        response.on("end", () => {
          if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString());
          else reject(new Error(`Cannot get ${path}: status ${response.statusCode ?? 0}`));
        });
      });
      request.on("error", reject);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

function asText(pem: string | Uint8Array): string {
  return typeof pem === "string" ? pem : Buffer.from(pem).toString();
}
