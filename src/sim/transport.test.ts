import { startHttpsServer, startServer } from "../apiserver/api-server-fixture.ts";
import { createHttpsTransport } from "../client/https-transport.ts";
import { describeTransport } from "../client/transport-conformance.ts";

describeTransport({
  name: "in-process",
  open: async () => {
    const fixture = await startServer();
    return {
      transport: fixture.transport,
      [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
    };
  },
});

describeTransport({
  name: "https to the API server",
  open: async () => {
    const fixture = await startHttpsServer(Date.now());
    const transport = createHttpsTransport({
      server: `https://127.0.0.1:${fixture.port}`,
      caPem: fixture.ca.pem.certPem,
      ...fixture.client,
    });
    return {
      transport,
      async [Symbol.asyncDispose]() {
        transport[Symbol.dispose]();
        await fixture[Symbol.asyncDispose]();
      },
    };
  },
});
