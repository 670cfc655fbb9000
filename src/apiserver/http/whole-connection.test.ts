import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { type HttpsFixture, startHttpsServer } from "../api-server-fixture.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
/** Changes nothing, and sends a connection to `node:http`. */
const UNUSUAL = "TE: trailers\r\n";

/** A connection whose bytes the test chooses. */
class RawClient implements AsyncDisposable {
  readonly socket: TLSSocket;
  #text = "";

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => (this.#text += chunk.toString("latin1")));
    socket.on("error", () => {});
  }

  static async open({ port, ca, client }: HttpsFixture): Promise<RawClient> {
    const { certPem: cert, keyPem: key } = client;
    const socket = connect({ port, host: "127.0.0.1", ca: ca.pem.certPem, cert, key });
    await once(socket, "secureConnect");
    return new RawClient(socket);
  }

  send(text: string): void {
    this.socket.write(text);
  }

  /** The next answer with a size. */
  async answer(): Promise<{ head: string; status: number; body: string }> {
    for (;;) {
      const [, head = "", length = ""] =
        /^(HTTP[^]*?Content-Length: (\d+)[^]*?\r\n\r\n)/i.exec(this.#text) ?? [];
      const end = head.length + Number(length);
      if (head && this.#text.length >= end) {
        const body = this.#text.slice(head.length, end);
        this.#text = this.#text.slice(end);
        return { head, body, status: Number(head.slice(9, 12)) };
      }
      await once(this.socket, "data");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.destroyed) return;
    this.socket.destroy();
    await once(this.socket, "close");
  }
}

function post(name: string, more = ""): string {
  const body = JSON.stringify({ metadata: { name } });
  const type = "Content-Type: application/json\r\n";
  return `POST ${MAPS} HTTP/1.1\r\nHost: h\r\n${more}${type}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function get(path: string, more = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;
}

test("a whole request is answered with the head that node:http writes", async () => {
  await using api = await startHttpsServer(Date.now());
  await using whole = await RawClient.open(api);
  await using usual = await RawClient.open(api);
  // What differs from one answer to the next, whoever writes it.
  const plain = (text: string) => text.replace(/^(Audit-Id|Date): .*$/gm, "$1");
  const ask = async (text: string, unusual: string) => {
    whole.send(text);
    usual.send(unusual);
    const [left, right] = [await whole.answer(), await usual.answer()];
    assert.equal(plain(left.head), plain(right.head), text);
    return [left.body, right.body];
  };
  await ask(post("a"), post("b", UNUSUAL));
  const cases = [`${MAPS}/a`, `${MAPS}/none`, `${MAPS}/a/scale`, "/api/v1/nopes/a", "/api/v7/x/y"];
  for (const path of cases) {
    const [left, right] = await ask(get(path), get(path, UNUSUAL));
    assert.equal(left, right, path);
  }
  const yaml = "Accept: application/yaml\r\n";
  const [left, right] = await ask(get(`${MAPS}/a`, yaml), get(`${MAPS}/a`, yaml + UNUSUAL));
  assert.equal(left, right);
  for (const accept of ["application/vnd.kubernetes.protobuf", "text/csv"]) {
    const header = `Accept: ${accept}\r\n`;
    await ask(get(`${MAPS}/a`, header), get(`${MAPS}/a`, header + UNUSUAL));
  }
});

test("a connection goes on with lists and watches, and what is no HTTP is refused", async () => {
  await using api = await startHttpsServer(Date.now());
  await using client = await RawClient.open(api);
  client.send(post("a"));
  assert.equal((await client.answer()).status, 201);
  client.send(get(MAPS));
  assert.match((await client.answer()).body, /"kind":"ConfigMapList"/);
  client.send(get(`${MAPS}/a`));
  assert.equal((await client.answer()).status, 200);
  client.send("GET\r\n\r\n");
  await once(client.socket, "close");

  await using other = await RawClient.open(api);
  other.send(get(`${MAPS}/a`));
  assert.equal((await other.answer()).status, 200);
  const closed = once(other.socket, "close");
  let text = "";
  other.socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  other.send(`GET ${MAPS}/a HTTP/1.1\r\nHost : h\r\n\r\n`);
  await closed;
  assert.match(text, /^HTTP\/1\.1 400 Bad Request/);
});

test("requests that were sent at once are answered in their order", async () => {
  await using api = await startHttpsServer(Date.now());
  await using client = await RawClient.open(api);
  for (const name of ["a", "b"]) {
    client.send(post(name));
    assert.equal((await client.answer()).status, 201);
  }
  client.send(get(`${MAPS}/a`));
  client.send(get(`${MAPS}/b`));
  client.send(get(`${MAPS}/a`) + get(`${MAPS}/b`));
  const names: (string | undefined)[] = [];
  for (let at = 0; at < 4; at++) {
    names.push(/"name":"(\w)"/.exec((await client.answer()).body)?.[1]);
  }
  assert.deepEqual(names, ["a", "b", "a", "b"]);
});

test("a body that comes in pieces is waited for", async () => {
  await using api = await startHttpsServer(Date.now());
  await using client = await RawClient.open(api);
  const text = post("a");
  for (const piece of [text.slice(0, -20), text.slice(-20, -3), text.slice(-3)]) {
    const sent = new Promise((resolve) => client.socket.write(piece, resolve));
    await sent;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await client.answer()).status, 201);
  client.send(text.slice(0, 10));
  await new Promise((resolve) => setImmediate(resolve));
  client.send(text.slice(10));
  assert.equal((await client.answer()).status, 409);
});

test("a long request of many records goes on with node:http in the order of its bytes", async () => {
  await using api = await startHttpsServer(Date.now());
  await using client = await RawClient.open(api);
  for (const [at, unusual] of [UNUSUAL, "Transfer-Encoding: chunked\r\n"].entries()) {
    const name = `long-${at}`;
    const filler = Array.from({ length: 20_000 }, (_, index) => `${index}`).join(" ");
    const body = JSON.stringify({ metadata: { name }, data: { filler } });
    const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    const isChunked = unusual !== UNUSUAL;
    const size = isChunked ? "" : `Content-Length: ${body.length}\r\n`;
    const head = `POST ${MAPS} HTTP/1.1\r\nHost: h\r\n${unusual}${size}\r\n`;
    client.send(head + (isChunked ? chunked : body));
    const answer = await client.answer();
    assert.equal(answer.status, 201, answer.body);
    assert.equal(JSON.parse(answer.body).data.filler, filler);
  }
});

test("a server that stops ends idle connections, and others after their answer", async () => {
  const api = await startHttpsServer(Date.now());
  await using idle = await RawClient.open(api);
  await using busy = await RawClient.open(api);
  const closed = Promise.all([once(idle.socket, "close"), once(busy.socket, "close")]);
  busy.send(post("a"));
  assert.equal((await busy.answer()).status, 201);
  await api[Symbol.asyncDispose]();
  await closed;
});

test("a client that ends its side has its connection ended", async () => {
  await using api = await startHttpsServer(Date.now());
  await using client = await RawClient.open(api);
  client.send(get(`${MAPS}/a`));
  assert.equal((await client.answer()).status, 404);
  client.socket.end();
  await once(client.socket, "close");
});
