import { readFileSync } from "node:fs";
import { type IncomingMessage, request as plainRequest } from "node:http";
import { Agent, request as tlsRequest } from "node:https";
import { text } from "node:stream/consumers";
import type { ExtenderTls, PemSource } from "../scheduler/config/extender-configuration.ts";
import type { ExtenderTransport } from "../scheduler/extender/extender.ts";

/** Asks extenders over HTTP and HTTPS; connections are kept, files of `tlsConfig` read once. */
export function createExtenderTransport(): { send: ExtenderTransport } & Disposable {
  const agents = new Map<ExtenderTls, Agent>();
  const agentFor = (tls: ExtenderTls): Agent => {
    const agent = agents.get(tls) ?? new Agent({ keepAlive: true, ...tlsOptions(tls) });
    agents.set(tls, agent);
    return agent;
  };
  const send: ExtenderTransport = async (url, body, { timeoutMs, tls }) => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const isSecured = url.startsWith("https:");
      const agent = isSecured && tls ? { agent: agentFor(tls) } : {};
      const open = isSecured ? tlsRequest : plainRequest;
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const headers = { "Content-Type": "application/json" };
        const outgoing = open(url, { method: "POST", headers, signal, ...agent });
        outgoing.on("error", reject).on("response", resolve);
        outgoing.end(JSON.stringify(body));
      });
      const answer = await text(response);
      const { statusCode } = response;
      if (statusCode !== 200) throw new Error(`it answered ${statusCode}, wanted 200`);
      return parsed(answer);
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new Error(`it did not answer within ${timeoutMs} ms`, { cause: error });
    }
  };
  return {
    send,
    [Symbol.dispose]() {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

function tlsOptions({ insecure, serverName, ca, cert, key }: ExtenderTls): object {
  return {
    rejectUnauthorized: !insecure,
    ...(serverName ? { servername: serverName } : {}),
    ...(ca ? { ca: pemOf(ca) } : {}),
    ...(cert && key ? { cert: pemOf(cert), key: pemOf(key) } : {}),
  };
}

function pemOf(source: PemSource): string {
  return "pem" in source ? source.pem : readFileSync(source.file, "utf8");
}

function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch (error) {
    throw new Error("its answer is no JSON", { cause: error });
  }
}
