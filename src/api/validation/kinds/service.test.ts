import { test } from "node:test";
import { SERVICES } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

const SERVICE = {
  spec: {
    type: "ClusterIP",
    clusterIP: "10.0.0.1",
    clusterIPs: ["10.0.0.1"],
    ipFamilies: ["IPv4"],
    ipFamilyPolicy: "SingleStack",
    sessionAffinity: "None",
    internalTrafficPolicy: "Cluster",
    ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
  },
};
const BALANCED = {
  spec: {
    ...SERVICE.spec,
    type: "LoadBalancer",
    loadBalancerClass: "example.com/a",
    allocateLoadBalancerNodePorts: true,
    externalTrafficPolicy: "Cluster",
  },
};
const PORT = "must be between 1 and 65535, inclusive";

test("rules of services", () => {
  checkRuleCases(SERVICES, {
    base: SERVICE,
    create: [
      [{ "spec.ports": [] }, "spec.ports: Required value"],
      [
        { "spec.ports[1]": { port: 81, protocol: "TCP" } },
        "spec.ports[0].name: Required value",
        "spec.ports[1].name: Required value",
      ],
      [{ "spec.ports[0].port": 0 }, `spec.ports[0].port: Invalid value: 0: ${PORT}`],
      [
        { "spec.ports[0].name": "a", "spec.ports[1]": { name: "b", port: 80, protocol: "TCP" } },
        'spec.ports[1]: Duplicate value: core.ServicePort{Name:"", Protocol:"TCP", AppProtocol:(*string)(nil), Port:80, TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}',
      ],
      [
        { "spec.ports[0].nodePort": 30_000 },
        "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
      ],
      [
        { "spec.type": "NodePort", "spec.clusterIP": "None", "spec.clusterIPs": ["None"] },
        "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
      ],
      [
        { "spec.type": "ExternalName", "spec.externalName": "" },
        "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
        "spec.ipFamilies: Forbidden: may not be set for ExternalName services",
        "spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services",
        "spec.externalName: Required value",
      ],
      [
        { "spec.clusterIPs": ["10.0.0.2"] },
        'spec.clusterIPs: Invalid value: []string{"10.0.0.2"}: first value must match `clusterIP`',
      ],
      [
        { "spec.clusterIPs[1]": "10.0.0.2" },
        'spec.clusterIPs: Invalid value: []string{"10.0.0.1", "10.0.0.2"}: may specify no more than one IP for each IP family',
      ],
      [
        { "spec.ipFamilies": ["IPv6"] },
        'spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`',
      ],
      [
        { "spec.externalIPs": ["127.0.0.1", "x"] },
        'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
        'spec.externalIPs[1]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
      [
        { "spec.externalTrafficPolicy": "Local" },
        'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
      ],
      [
        {
          "spec.sessionAffinity": "ClientIP",
          "spec.sessionAffinityConfig.clientIP.timeoutSeconds": 0,
        },
        "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400",
      ],
      [
        { "spec.loadBalancerClass": "a", "spec.allocateLoadBalancerNodePorts": true },
        "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
        "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
      ],
      [
        { "spec.loadBalancerSourceRanges": ["10.0.0.0/8"] },
        "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
      ],
      [
        { "spec.trafficDistribution": "Near" },
        'spec.trafficDistribution: Unsupported value: "Near": supported values: "PreferClose"',
      ],
    ],
    update: [
      [
        { "spec.clusterIP": "10.0.0.2", "spec.clusterIPs": ["10.0.0.2"] },
        'spec.clusterIPs[0]: Invalid value: []string{"10.0.0.2"}: may not change once set',
      ],
      [{ "spec.type": "NodePort", "spec.ports[0].nodePort": 30_000 }],
      [
        { "spec.ipFamilies": [], "spec.clusterIP": "", "spec.clusterIPs": [] },
        "spec.clusterIPs[0]: Invalid value: []string{}: primary clusterIP can not be unset",
        "spec.ipFamilies[0]: Invalid value: []string{}: primary ipFamily can not be unset",
      ],
      [
        {
          "spec.clusterIPs": ["10.0.0.1", "fd00::1"],
          "spec.ipFamilies": ["IPv4", "IPv6"],
          "spec.ipFamilyPolicy": "RequireDualStack",
        },
      ],
      [
        {
          "spec.clusterIP": "None",
          "spec.clusterIPs": ["None"],
          "spec.ipFamilies": ["IPv6"],
        },
        'spec.clusterIPs[0]: Invalid value: []string{"None"}: may not change once set',
      ],
    ],
    subresources: {
      status: [
        [
          { "status.loadBalancer.ingress": [{ ip: "192.0.2.1", ipMode: "VIP" }] },
          "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
        ],
      ],
    },
  });
  checkRuleCases(SERVICES, {
    base: {
      spec: {
        ...SERVICE.spec,
        clusterIPs: ["10.0.0.1", "fd00::1"],
        ipFamilies: ["IPv4", "IPv6"],
        ipFamilyPolicy: "PreferDualStack",
      },
    },
    update: [
      [
        { "spec.clusterIPs": ["10.0.0.1"], "spec.ipFamilies": ["IPv4"] },
        "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' when releasing the secondary clusterIP",
        "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' when releasing the secondary ipFamily",
      ],
      [
        {
          "spec.clusterIPs": ["10.0.0.1"],
          "spec.ipFamilies": ["IPv4"],
          "spec.ipFamilyPolicy": "SingleStack",
        },
      ],
    ],
  });
  const headless = { ...SERVICE.spec, clusterIP: "None", clusterIPs: ["None"] };
  checkRuleCases(SERVICES, {
    base: { spec: headless },
    update: [
      [{ "spec.ipFamilies": ["IPv6"] }],
      [
        { "spec.clusterIPs": ["None", "x"] },
        'spec.clusterIPs: Invalid value: []string{"None", "x"}: \'None\' must be the first and only value',
        'spec.clusterIPs[1]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
  });
  checkRuleCases(SERVICES, {
    base: BALANCED,
    create: [
      [
        { "spec.ports[0].port": 10_250 },
        "spec.ports[0]: Invalid value: 10250: may not expose port 10250 externally since it is used by kubelet",
      ],
    ],
    update: [
      [
        { "spec.loadBalancerClass": "example.com/b" },
        'spec.loadBalancerClass: Invalid value: "example.com/b": may not change once set',
      ],
      [{ "spec.externalTrafficPolicy": "Local" }, "spec.healthCheckNodePort: Required value"],
    ],
    subresources: {
      status: [
        [{ "status.loadBalancer.ingress": [{ ip: "192.0.2.1", ipMode: "VIP" }] }],
        [
          { "status.loadBalancer.ingress": [{ ip: "x", ipMode: "VIP" }] },
          'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        ],
      ],
    },
  });
});
