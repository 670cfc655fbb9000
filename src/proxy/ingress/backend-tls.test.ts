import assert from "node:assert/strict";
import { test } from "node:test";
import type { Secret } from "../../api/generated/types/core-v1.ts";
import type { Lister } from "../../client/informer.ts";
import { silentLogger } from "../../lib/logger.ts";
import { type BackendTls, backendTlsOf, createBackendTrust } from "./backend-tls.ts";
import type { Endpoint } from "./upstream.ts";

const NGINX = "nginx.ingress.kubernetes.io/proxy-ssl-";
const OURS = "nephos.dev/backend-tls-";

function asked(annotations: Record<string, string>): BackendTls | undefined {
  return backendTlsOf({ metadata: { name: "one", namespace: "shop", annotations } }, "web");
}

const SERVER = "web.shop.svc";
const INGRESS = "shop/one";
const ASKED: [annotations: Record<string, string>, expected: BackendTls | undefined][] = [
  [{}, undefined],
  [{ [`${NGINX}verify`]: "off" }, undefined],
  [
    { [`${NGINX}verify`]: "on", [`${NGINX}secret`]: "shop/ca" },
    { ingress: INGRESS, verifies: true, secret: "shop/ca", serverName: SERVER },
  ],
  [
    { [`${OURS}verify`]: "true", [`${OURS}secret`]: "ca", [`${OURS}name`]: "a.test" },
    { ingress: INGRESS, verifies: true, secret: "shop/ca", serverName: "a.test" },
  ],
  [
    { [`${NGINX}secret`]: "ca" },
    { ingress: INGRESS, verifies: false, secret: "shop/ca", serverName: SERVER },
  ],
  [
    { [`${NGINX}verify`]: "on", [`${NGINX}secret`]: "other/ca" },
    { ingress: INGRESS, verifies: true, secret: undefined, serverName: SERVER },
  ],
  [
    { [`${OURS}name`]: "a.test" },
    { ingress: INGRESS, verifies: false, secret: undefined, serverName: "a.test" },
  ],
  [
    { [`${NGINX}verify`]: "on" },
    { ingress: INGRESS, verifies: true, secret: undefined, serverName: SERVER },
  ],
];
for (const [annotations, expected] of ASKED) {
  test(`what an Ingress says of its backends' certificates: ${JSON.stringify(annotations)}`, () => {
    assert.deepEqual(asked(annotations), expected);
  });
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

test("endpoints get the authority of the Secret as it is now, and none is used without one", () => {
  const secrets = new Map<string, Secret>();
  const lister = {
    get: (namespace: string | undefined, name: string) => secrets.get(`${namespace}/${name}`),
  } as Lister<Secret>;
  const trust = createBackendTrust(lister, silentLogger);
  const endpoints: Endpoint[] = [{ address: "10.0.0.1", port: 443, protocol: "https" }];
  const wanted = { ingress: INGRESS, verifies: true, secret: "shop/ca", serverName: SERVER };
  assert.equal(trust.apply(endpoints, undefined), endpoints);
  assert.deepEqual(trust.apply(endpoints, wanted), []);
  const put = (resourceVersion: string, data: Record<string, string>) =>
    secrets.set("shop/ca", { metadata: { uid: "u", resourceVersion }, data });
  put("1", { "tls.crt": base64("CERT"), "tls.key": base64("KEY") });
  assert.deepEqual(trust.apply(endpoints, wanted), [], "nothing to verify with");
  const [shown] = trust.apply(endpoints, { ...wanted, verifies: false });
  assert.deepEqual([shown?.tls?.rejectUnauthorized, shown?.tls?.cert], [false, "CERT"]);
  put("2", { "ca.crt": base64("CA") });
  const ready = trust.apply(endpoints, wanted);
  assert.deepEqual(ready, [
    {
      ...endpoints[0],
      tls: { id: `u 2 ${SERVER}`, rejectUnauthorized: true, servername: SERVER, ca: "CA" },
    },
  ]);
  assert.equal(trust.apply(endpoints, wanted), ready, "the same while nothing changes");
});
