import assert from "node:assert/strict";
import { test } from "node:test";
import type { HTTPIngressPath, Ingress } from "../../api/generated/types/networking-v1.ts";
import { compileRoutes, matchablePath, REDIRECT_ANNOTATION } from "./route-table.ts";

const service = (name: string) => ({ service: { name, port: { number: 80 } } });

function path(pathType: string, text: string, to: string): HTTPIngressPath {
  return { path: text, pathType, backend: service(to) };
}

function ingress(name: string, spec: Ingress["spec"], createdSecond = 0): Ingress {
  const creationTimestamp = `2026-01-01T00:00:0${createdSecond}Z`;
  return { metadata: { name, namespace: "shop", creationTimestamp }, spec: spec ?? {} };
}

const oneHost = (...paths: HTTPIngressPath[]) =>
  compileRoutes([ingress("one", { rules: [{ host: "a.test", http: { paths } }] })]);

const PATHS: readonly [rules: [string, string][], asked: string, matches: boolean][] = [
  [[["Prefix", "/"]], "/anything", true],
  [[["Exact", "/foo"]], "/foo", true],
  [[["Exact", "/foo"]], "/bar", false],
  [[["Exact", "/foo"]], "/foo/", false],
  [[["Exact", "/foo/"]], "/foo", false],
  [[["Prefix", "/foo"]], "/foo", true],
  [[["Prefix", "/foo"]], "/foo/", true],
  [[["Prefix", "/foo/"]], "/foo", true],
  [[["Prefix", "/foo/"]], "/foo/", true],
  [[["Prefix", "/aaa/bb"]], "/aaa/bbb", false],
  [[["Prefix", "/aaa/bbb"]], "/aaa/bbb/", true],
  [[["Prefix", "/aaa/bbb"]], "/aaa/bbb/ccc", true],
  [[["Prefix", "/aaa/bbb"]], "/aaa/bbbxyz", false],
  [[["ImplementationSpecific", "/aaa"]], "/aaa/b", true],
  [[["ImplementationSpecific", ""]], "/x", true],
];

test("paths match as the documentation of Ingress says", () => {
  for (const [rules, asked, matches] of PATHS) {
    const table = oneHost(...rules.map(([type, text]) => path(type, text, "web")));
    assert.equal(table.routeOf("a.test", asked) !== undefined, matches, `${rules} ${asked}`);
  }
});

test("the longest path wins, and an exact one before a prefix of the same length", () => {
  const table = oneHost(
    path("Prefix", "/", "root"),
    path("Prefix", "/aaa", "a"),
    path("Prefix", "/aaa/bbb", "b"),
    path("Exact", "/aaa/bbb", "exact"),
  );
  const to = (asked: string) => table.routeOf("a.test", asked)?.backend?.service;
  assert.equal(to("/aaa/ccc"), "a");
  assert.equal(to("/aaa/bbb"), "exact");
  assert.equal(to("/aaa/bbb/"), "b");
  assert.equal(to("/ccc"), "root");
});

test("a host's own rules come before a wildcard's, and those before rules without host", () => {
  const rule = (to: string) => ({ http: { paths: [path("Prefix", "/", to)] } });
  const table = compileRoutes([
    ingress("all", {
      rules: [
        { ...rule("any") },
        { host: "*.a.test", ...rule("wild") },
        { host: "b.a.test", ...rule("own") },
      ],
    }),
  ]);
  const to = (host: string) => table.routeOf(host, "/")?.backend?.service;
  assert.equal(to("b.a.test"), "own");
  assert.equal(to("c.a.test"), "wild");
  assert.equal(to("d.c.a.test"), "any");
  assert.equal(to("a.test"), "any");
});

test("a path that no rule of the host matches goes to a default backend", () => {
  const paths = [path("Exact", "/foo", "foo")];
  const own = ingress("own", { rules: [{ host: "a.test", http: { paths } }] });
  const all = ingress("all", { defaultBackend: service("default") });
  assert.equal(compileRoutes([own]).routeOf("a.test", "/bar"), undefined);
  const table = compileRoutes([own, all]);
  assert.equal(table.routeOf("a.test", "/bar")?.backend?.service, "default");
  assert.equal(table.routeOf("x.test", "/")?.backend?.service, "default");
  own.spec = { ...own.spec, defaultBackend: service("nearer") };
  assert.equal(compileRoutes([own, all]).routeOf("a.test", "/")?.backend?.service, "nearer");
});

test("of two that claim one path the older has it, and the others' paths stay", () => {
  const rules = (...paths: HTTPIngressPath[]) => [{ host: "a.test", http: { paths } }];
  const young = ingress(
    "a",
    { rules: rules(path("Prefix", "/", "young"), path("Prefix", "/y", "y")) },
    2,
  );
  const old = ingress("b", { rules: rules(path("Prefix", "/", "old")) }, 1);
  const table = compileRoutes([young, old]);
  assert.equal(table.routeOf("a.test", "/")?.backend?.service, "old");
  assert.equal(table.routeOf("a.test", "/y")?.backend?.service, "y");
});

test("hosts with TLS want it unless the Ingress says otherwise", () => {
  const rules = [{ host: "a.test", http: { paths: [path("Prefix", "/", "web")] } }];
  const secured = ingress("one", { rules, tls: [{ secretName: "cert" }] });
  assert.equal(compileRoutes([secured]).routeOf("a.test", "/")?.wantsTls, true);
  secured.metadata = { ...secured.metadata, annotations: { [REDIRECT_ANNOTATION]: "false" } };
  assert.equal(compileRoutes([secured]).routeOf("a.test", "/")?.wantsTls, false);
});

test("an Ingress says how its backends are spoken to", () => {
  const protocolBy = (annotation: string, value: string) => {
    const one = ingress("one", { defaultBackend: service("web") });
    one.metadata = { ...one.metadata, annotations: { [annotation]: value } };
    return compileRoutes([one]).routeOf("a.test", "/")?.backend?.protocol;
  };
  const common = "nginx.ingress.kubernetes.io/backend-protocol";
  assert.equal(protocolBy(common, "HTTPS"), "https");
  assert.equal(protocolBy("nephos.dev/backend-protocol", "grpcs"), "h2");
  assert.equal(protocolBy(common, "GRPC"), "h2c");
  assert.equal(protocolBy(common, "AJP"), undefined);
});

test("a rule for another resource than a Service keeps its path, and leads nowhere", () => {
  const resource = { apiGroup: "example.com", kind: "Bucket", name: "icons" };
  const icons = { path: "/icons", pathType: "Prefix", backend: { resource } };
  const table = oneHost(icons, path("Prefix", "/", "web"));
  const route = table.routeOf("a.test", "/icons/one");
  assert.deepEqual([route?.backend, route?.wantsTls], [undefined, false]);
  assert.equal(table.routeOf("a.test", "/other")?.backend?.service, "web");
});

test("a spelling does not get around a rule", () => {
  assert.equal(matchablePath("/a/../admin?x=/.."), "/admin");
  assert.equal(matchablePath("/%61dmin"), "/admin");
  assert.equal(matchablePath("//admin/./x/"), "/admin/x/");
  assert.equal(matchablePath("/a/%2e%2e/%2e%2e/admin/.."), "/");
  assert.equal(matchablePath("/%zz"), undefined);
  assert.equal(matchablePath("?q"), "/");
});
