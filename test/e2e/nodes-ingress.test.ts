import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually } from "./eventually.ts";
import { askHttp } from "./http-answer.ts";
import { PEER_IMAGE, PEER_PORT } from "./peers.ts";
import { askByTls, makeCertificate } from "./tls-answer.ts";
import { OUTSIDE, startTwoNodes, type TwoNodes } from "./two-nodes.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
let cluster: TwoNodes;

before(async () => {
  if (!skip) cluster = await startTwoNodes();
});
after(() => cluster?.[Symbol.asyncDispose]());

test("an Ingress leads to a server outside by its name, and never to the node itself", {
  skip,
}, async () => {
  const { instance, first, second, expose } = cluster;
  for (const [name, externalName] of [
    ["away", OUTSIDE],
    ["inward", "127.0.0.1"],
  ] as const) {
    await expose(name, { type: "ExternalName", externalName });
    const backend = { service: { name, port: { number: PEER_PORT } } };
    const paths = [{ path: `/${name}`, pathType: "Prefix", backend }];
    const ingress = {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name },
      spec: { ingressClassName: "nephos", rules: [{ http: { paths } }] },
    };
    const made = await instance.kubectlWith(JSON.stringify(ingress), "apply", "-f", "-");
    assert.equal(made.code, 0, made.stderr);
  }
  for (const { ip } of [first, second]) {
    await eventually(`the server outside by ${ip}`, async () => {
      const direct = await askHttp(`http://${OUTSIDE}:${PEER_PORT}/away`);
      assert.equal(direct.status, 200);
      assert.deepEqual(await askHttp(`http://${ip}/away`), direct);
      return true;
    });
    await eventually(`no way inward by ${ip}`, async () => {
      assert.equal((await askHttp(`http://${ip}/inward`)).status, 503);
      return true;
    });
  }
});

/** Answers by TLS alone, with what is in the Secret "backend" when it starts. */
const SECURE = `const { readFileSync: read } = require("fs");
require("https")
  .createServer({ cert: read("/tls/tls.crt"), key: read("/tls/tls.key") }, (asked, answer) =>
    answer.end("secure " + asked.headers["x-forwarded-proto"]))
  .listen(8443);`;

test("an Ingress speaks TLS to both sides, and follows its Secrets", { skip }, async () => {
  const { instance, first, second, expose } = cluster;
  const apply = async (...items: object[]) => {
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    const { code, stderr } = await instance.kubectlWith(list, "apply", "-f", "-");
    assert.equal(code, 0, stderr);
  };
  const secret = (name: string, stringData: Record<string, string>) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name },
    type: "kubernetes.io/tls",
    stringData,
  });
  const own = makeCertificate("secure.default.svc");
  const fronts = [makeCertificate("front.example"), makeCertificate("front.example")] as const;
  const keys = ({ certificate, key }: typeof own) => ({ "tls.crt": certificate, "tls.key": key });
  const authority = (of: typeof own) =>
    secret("authority", { ...keys(own), "ca.crt": of.certificate });
  const container = {
    name: "secure",
    image: PEER_IMAGE,
    command: ["node", "-e", SECURE],
    readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
    volumeMounts: [{ name: "tls", mountPath: "/tls" }],
  };
  const volumes = [{ name: "tls", secret: { secretName: "backend" } }];
  const ingress = (name: string, service: string, annotations: Record<string, string>) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, annotations },
    spec: {
      ingressClassName: "nephos",
      tls: [{ hosts: [`${name}.example`], secretName: "front" }],
      rules: [
        {
          host: `${name}.example`,
          http: {
            paths: [
              {
                path: "/",
                pathType: "Prefix",
                backend: { service: { name: service, port: { number: 443 } } },
              },
            ],
          },
        },
      ],
    },
  });
  const port = { port: 443, targetPort: 8443 };
  await expose("secure", { selector: { app: "secure" }, ports: [port] });
  const named = { ...port, appProtocol: "https" };
  await expose("secure-named", { selector: { app: "secure" }, ports: [named] });
  const verified = { "backend-tls-verify": "on", "backend-tls-secret": "authority" };
  const prefixed = Object.entries({ "backend-protocol": "HTTPS", ...verified }).map(
    ([key, value]) => [`nephos.dev/${key}`, value] as const,
  );
  await apply(
    secret("backend", keys(own)),
    secret("front", keys(fronts[0])),
    authority(own),
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "secure", labels: { app: "secure" } },
      spec: { terminationGracePeriodSeconds: 0, containers: [container], volumes },
    },
    ingress("front", "secure", Object.fromEntries(prefixed)),
    ingress("named", "secure-named", {}),
    ingress("wrong", "secure", {}),
  );
  await instance.ok("wait", "--for=condition=Ready", "pod/secure", "--timeout=30s");
  const becomes = (host: string, wanted: { status: number; fingerprint?: string }) =>
    eventually(`${host} ${wanted.status} ${wanted.fingerprint ?? ""}`, async () => {
      for (const { ip } of [first, second]) {
        const answer = await askByTls({ ip, host: `${host}.example` });
        const { status, fingerprint, body } = answer;
        assert.deepEqual({ status, fingerprint }, { fingerprint, ...wanted }, body);
        if (status === 200) assert.equal(body, "secure https");
      }
      return true;
    });
  const [old, next] = fronts;
  await becomes("front", { status: 200, fingerprint: old.fingerprint });
  await becomes("named", { status: 200 });
  await becomes("wrong", { status: 502 });
  const plain = await askHttp(`http://${first.ip}/`, undefined, { host: "front.example" });
  assert.equal(plain.status, 308);

  await apply(secret("front", keys(next)));
  await becomes("front", { status: 200, fingerprint: next.fingerprint });
  await apply(authority(next));
  await becomes("front", { status: 502 });
  await apply(authority(own));
  await becomes("front", { status: 200 });
});
