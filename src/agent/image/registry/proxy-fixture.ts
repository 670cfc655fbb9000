import http from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** A proxy in this process that passes on both plain requests and tunnels. */
export interface FakeProxy extends AsyncDisposable {
  /** "127.0.0.1:4321". */
  readonly host: string;
  /** "CONNECT registry.example:443", "GET http://registry.example/v2/"; in the order they came. */
  readonly requests: string[];
  /** Behaviour of the next answers. */
  readonly mood: {
    /** Wants this user and password, "me:secret". */
    user?: string;
    /** Opens no tunnel, with this status. */
    status?: number;
  };
}

/** Listens on a free port of 127.0.0.1; `hosts` says where servers are, such as "127.0.0.1:5000". */
export async function startFakeProxy(hosts: ReadonlyMap<string, string>): Promise<FakeProxy> {
  const requests: string[] = [];
  const mood: FakeProxy["mood"] = {};
  const tunnels = new Set<Socket>();
  const isKnown = ({ headers }: http.IncomingMessage) => {
    const proof = mood.user && `Basic ${Buffer.from(mood.user).toString("base64")}`;
    return !proof || headers["proxy-authorization"] === proof;
  };
  const server = http.createServer((request, response) => {
    const { method = "", url = "" } = request;
    requests.push(`${method} ${url}`);
    if (!isKnown(request)) return response.writeHead(407).end();
    const target = new URL(url);
    const headers = { ...request.headers };
    delete headers["proxy-authorization"];
    const way = `http://${hosts.get(target.host)}${target.pathname}${target.search}`;
    const passed = http.request(way, { method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => response.writeHead(502).end());
    return request.pipe(passed);
  });
  server.on("connect", (request: http.IncomingMessage, socket: Socket) => {
    const { url = "" } = request;
    requests.push(`CONNECT ${url}`);
    const status = isKnown(request) ? mood.status : 407;
    if (status) return socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const [host, port] = (hosts.get(url) ?? "").split(":");
    const far = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      far.pipe(socket).pipe(far);
    });
    for (const end of [socket, far]) {
      tunnels.add(end);
      end
        .on("error", () => {})
        .once("close", () => {
          tunnels.delete(end);
          (end === far ? socket : far).destroy();
        });
    }
    return undefined;
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    mood,
    async [Symbol.asyncDispose]() {
      for (const socket of tunnels) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
