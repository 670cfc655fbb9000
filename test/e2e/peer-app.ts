// Runs inside pods of the end-to-end tests, as a module from a ConfigMap: answers who it is over
// HTTP and UDP, and does to others what its requests ask for. Node.js alone, no imports of ours.
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { createServer, request } from "node:http";
import { hostname } from "node:os";

const HTTP_PORT = Number(process.env["LISTEN_HTTP"] ?? 8080);
const UDP_PORT = Number(process.env["LISTEN_UDP"] ?? 8081);
const TIMEOUT_MS = 2_000;

function get(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, timeout: TIMEOUT_MS }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => {
        text += String(chunk);
      });
      answer.once("end", () => resolve(text));
    });
    asked.once("timeout", () => asked.destroy(Object.assign(new Error(), { code: "ETIMEDOUT" })));
    asked.once("error", reject);
    asked.end();
  });
}

const sockets = new Map<number, ReturnType<typeof createSocket>>();

/** From the same source port each time when one is given: that is what conntrack remembers. */
function udp(to: URLSearchParams): Promise<string> {
  const from = Number(to.get("from") ?? 0);
  const socket = sockets.get(from) ?? createSocket("udp4");
  if (from && !sockets.has(from)) {
    socket.bind(from);
    sockets.set(from, socket);
  }
  return new Promise((resolve, reject) => {
    const settle = (done: () => void) => {
      clearTimeout(timer);
      socket.removeAllListeners("message").removeAllListeners("error");
      if (!from) socket.close();
      done();
    };
    const timer = setTimeout(() => {
      settle(() => reject(Object.assign(new Error(), { code: "ETIMEDOUT" })));
    }, TIMEOUT_MS / 4);
    socket.once("message", (message) => settle(() => resolve(message.toString())));
    socket.once("error", (error) => settle(() => reject(error)));
    socket.send("who", Number(to.get("port")), to.get("host") ?? "");
  });
}

async function dns(of: URLSearchParams): Promise<string> {
  const name = of.get("name") ?? "";
  const records = await new Resolver().resolve(name, of.get("type") ?? "A");
  return JSON.stringify(records);
}

async function answer(url: URL, client: string): Promise<string> {
  switch (url.pathname) {
    case "/client":
      return client;
    case "/get":
      return await get(url.searchParams.get("url") ?? "");
    case "/udp":
      return await udp(url.searchParams);
    case "/dns":
      return await dns(url.searchParams);
    default:
      return hostname();
  }
}

createServer((asked, reply) => {
  const client = (asked.socket.remoteAddress ?? "").replace("::ffff:", "");
  answer(new URL(asked.url ?? "/", "http://peer"), client).then(
    (text) => reply.end(text),
    (error: NodeJS.ErrnoException) => reply.writeHead(502).end(error.code ?? error.message),
  );
}).listen(HTTP_PORT, "0.0.0.0");

const echo = createSocket("udp4");
echo.on("message", (_message, { port, address }) => echo.send(hostname(), port, address));
echo.bind(UDP_PORT);
process.once("SIGTERM", () => process.exit(0));
