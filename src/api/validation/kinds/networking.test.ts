import { test } from "node:test";
import { INGRESS_CLASSES, INGRESSES, NETWORK_POLICIES } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must " +
  "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for " +
  "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

test("rules of Ingresses", () => {
  const P = "spec.rules[0].http.paths[0]";
  const service = { name: "web", port: { number: 80 } };
  const path = (more: object) => ({
    "spec.rules[0].http.paths[0]": { path: "/a", pathType: "Exact", backend: { service }, ...more },
  });
  const wrong = (text: string, ...details: string[]) =>
    [
      path({ path: text }),
      ...details.map((detail) => `${P}.path: Invalid value: "${text}": ${detail}`),
    ] as [Record<string, unknown>, ...string[]];
  const backend = (value: object, complaint: string) =>
    [path({ backend: value }), `${P}.backend${complaint}`] as const;
  const resource = { kind: "Bucket", name: "b" };
  checkRuleCases(INGRESSES, {
    base: { spec: { rules: [{ host: "example.com" }], ingressClassName: "a" } },
    create: [
      [path({})],
      [path({ pathType: "ImplementationSpecific", path: "" })],
      [path({ backend: { resource } })],
      [{ "spec.rules[0].host": "*.example.com" }],
      [
        { "spec.rules": [] },
        "spec: Invalid value: []networking.IngressRule{}: either `defaultBackend` or `rules` must be specified",
      ],
      [
        { "spec.rules": undefined },
        "spec: Invalid value: []networking.IngressRule(nil): either `defaultBackend` or `rules` must be specified",
      ],
      [
        { "spec.rules[0].host": "10.0.0.1" },
        'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
      ],
      [{ "spec.rules[0].http": {} }, "spec.rules[0].http.paths: Required value"],
      [path({ pathType: undefined }), `${P}.pathType: Required value: pathType must be specified`],
      [
        path({ pathType: "x" }),
        `${P}.pathType: Unsupported value: "x": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
      ],
      wrong("a", "must be an absolute path"),
      wrong("/a//b", "must not contain '//'"),
      wrong("/a/./b/..", "must not contain '/./'", "cannot end with '/..'"),
      wrong("/a%2f", "must not contain '%2f'"),
      backend({}, `: Invalid value: "": resource or service backend is required`),
      backend(
        { service, resource },
        `: Invalid value: "": cannot set both resource and service backends`,
      ),
      backend({ service: { ...service, name: "" } }, ".service.name: Required value"),
      backend(
        { service: { name: "web", port: { name: "http", number: 80 } } },
        `: Invalid value: "": cannot set both port name & port number`,
      ),
      backend(
        { service: { name: "web", port: {} } },
        ": Required value: port name or number is required",
      ),
      backend({ resource: { name: "b" } }, ".resource.kind: Required value: kind is required"),
      [
        { "metadata.annotations": { "kubernetes.io/ingress.class": "b" } },
        'annotations.kubernetes.io/ingress.class: Invalid value: "b": must match `ingressClassName` when both are specified',
      ],
    ],
    update: [[{ "metadata.annotations": { "kubernetes.io/ingress.class": "b" } }]],
    subresources: {
      status: [
        [
          { "status.loadBalancer.ingress": [{ ip: "x" }, { hostname: "10.0.0.1" }] },
          'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
          'status.loadBalancer.ingress[1].hostname: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
        ],
      ],
    },
  });
});

test("rules of classes of Ingresses", () => {
  const P = "spec.parameters";
  const parameters = { kind: "Thing", name: "a", scope: "Cluster" };
  checkRuleCases(INGRESS_CLASSES, {
    base: { spec: { controller: "example.com/a" } },
    create: [
      [{ [P]: parameters }],
      [{ [P]: { ...parameters, scope: "Namespace", namespace: "b" } }],
      [{ "spec.controller": "" }, "spec.controller: Required value"],
      [
        { "spec.controller": "example" },
        'spec.controller: Invalid value: "example": must be a domain-prefixed path (such as "acme.io/foo")',
      ],
      [
        { [P]: { scope: "Cluster" } },
        `${P}.kind: Required value: kind is required`,
        `${P}.name: Required value: name is required`,
      ],
      [{ [P]: { ...parameters, scope: undefined } }, `${P}.scope: Required value`],
      [
        { [P]: { ...parameters, scope: "" } },
        `${P}.scope: Unsupported value: "": supported values: "Cluster", "Namespace"`,
      ],
      [
        { [P]: { ...parameters, scope: "Namespace" } },
        `${P}.namespace: Required value: \`parameters.scope\` is set to 'Namespace'`,
      ],
      [
        { [P]: { ...parameters, scope: "Namespace", namespace: "" } },
        `${P}.namespace: Invalid value: "": ${LABEL}`,
      ],
      [
        { [P]: { ...parameters, namespace: "b" } },
        `${P}.namespace: Forbidden: \`parameters.scope\` is set to 'Cluster'`,
      ],
    ],
    update: [
      [
        { "spec.controller": "example.com/b" },
        'spec.controller: Invalid value: "example.com/b": field is immutable',
      ],
    ],
  });
});

test("rules of network policies", () => {
  const I = "spec.ingress[0]";
  const CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
  const port = (value: object, ...complaints: string[]) =>
    [
      { [`${I}.ports`]: [{ protocol: "TCP", ...value }] },
      ...complaints.map((text) => `${I}.ports[0]${text}`),
    ] as [Record<string, unknown>, ...string[]];
  const peer = (value: object, ...complaints: string[]) =>
    [{ [`${I}.from`]: [value] }, ...complaints.map((text) => `${I}.from[0]${text}`)] as [
      Record<string, unknown>,
      ...string[],
    ];
  const block = (cidr: string, ...except: string[]) => ({ ipBlock: { cidr, except } });
  checkRuleCases(NETWORK_POLICIES, {
    base: { spec: { podSelector: {}, policyTypes: ["Ingress"] } },
    create: [
      port({ port: 80, endPort: 90 }),
      port({ port: "http" }),
      port(
        { protocol: "ICMP" },
        '.protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"',
      ),
      port({ port: 0 }, ".port: Invalid value: 0: must be between 1 and 65535, inclusive"),
      port(
        { port: 90, endPort: 80 },
        ".endPort: Invalid value: 90: must be greater than or equal to `port`",
      ),
      port(
        { port: "http", endPort: 80 },
        ".endPort: Invalid value: 80: may not be specified when `port` is non-numeric",
      ),
      port(
        { endPort: 80 },
        ".endPort: Invalid value: 80: may not be specified when `port` is not specified",
      ),
      peer(block("10.0.0.0/8", "10.1.0.0/16")),
      peer({ podSelector: {}, namespaceSelector: {} }),
      peer({}, ": Required value: must specify a peer"),
      peer(
        { podSelector: {}, ...block("x") },
        `.ipBlock.cidr: Invalid value: "x": ${CIDR}`,
        ": Forbidden: may not specify both ipBlock and another peer",
      ),
      peer(block("", "x"), ".ipBlock.cidr: Required value"),
      peer(block("x", "y"), `.ipBlock.cidr: Invalid value: "x": ${CIDR}`),
      peer(
        block("10.0.0.0/16", "10.1.0.0/24", "10.0.0.0/16", "y"),
        '.ipBlock.except[0]: Invalid value: "10.1.0.0/24": must be a strict subset of `cidr`',
        '.ipBlock.except[1]: Invalid value: "10.0.0.0/16": must be a strict subset of `cidr`',
        `.ipBlock.except[2]: Invalid value: "y": ${CIDR}`,
      ),
      [
        { "spec.policyTypes": ["Ingress", "Egress", "x"] },
        'spec.policyTypes: Invalid value: []networking.PolicyType{"Ingress", "Egress", "x"}: may not specify more than two policyTypes',
      ],
      [
        { "spec.policyTypes": ["x"] },
        'spec.policyTypes[0]: Unsupported value: "x": supported values: "Ingress", "Egress"',
      ],
    ],
  });
});
