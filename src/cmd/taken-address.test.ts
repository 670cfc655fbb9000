import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { holdersOf } from "./port-holder.ts";
import { explainListener } from "./taken-address.ts";

const inUse = Object.assign(new Error("listen EADDRINUSE"), { code: "EADDRINUSE" });
const service = { host: "10.96.0.1", port: 443, flag: "--service-cidr" };

test("who holds a port is found, with the address", async () => {
  for (const host of ["127.0.0.1", "0.0.0.0", "::"]) {
    const server = createServer().listen(0, host);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const [holder, ...others] = holdersOf(port);
    assert.deepEqual([holder?.address, holder?.pid, others], [host, process.pid, []]);
    assert.match(holder?.name ?? "", /\w/);
    server.close();
    await once(server, "close");
    assert.deepEqual(holdersOf(port), []);
  }
});

test("a taken address is explained by who has it, and by what can be done", () => {
  const explain = (address: string, pid?: number) =>
    explainListener(inUse, service, [{ address, pid, name: pid ? "nginx" : undefined }]).message;
  assert.equal(
    explain("0.0.0.0", 12),
    "Cannot listen on 10.96.0.1:443 as process 12 (nginx) listens on 0.0.0.0:443; " +
      "stop it, or have it listen on addresses of its own only",
  );
  assert.match(explain("10.96.0.1"), /as another program listens on 10\.96\.0\.1:443; stop it/);
  assert.match(explain("10.96.0.1"), /choose another with --service-cidr$/);
  assert.match(explain("192.0.2.1", 12), /as another program uses it; /);
  const other = new Error("no");
  assert.equal(explainListener(other, service), other);
});
