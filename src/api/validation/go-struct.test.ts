import assert from "node:assert/strict";
import { test } from "node:test";
import { goNumbers, goQuantity, goStruct, goStructs } from "./go-struct.ts";

const DEC = "d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}";

test("structures show every member, with what is absent", () => {
  const rows = [
    [
      goStruct("core.Taint", { key: "a", effect: "NoSchedule" }),
      'core.Taint{Key:"a", Value:"", Effect:"NoSchedule", TimeAdded:<nil>}',
    ],
    [
      goStruct("core.ServicePort", { port: 80, protocol: "TCP", targetPort: 8080 }),
      'core.ServicePort{Name:"", Protocol:"TCP", AppProtocol:(*string)(nil), Port:80, ' +
        'TargetPort:intstr.IntOrString{Type:0, IntVal:8080, StrVal:""}, NodePort:0}',
    ],
    [
      goStruct("core.NodeSelectorTerm", {
        matchExpressions: [{ key: "k", operator: "In", values: ["v"] }],
      }),
      "core.NodeSelectorTerm{MatchExpressions:[]core.NodeSelectorRequirement{" +
        'core.NodeSelectorRequirement{Key:"k", Operator:"In", Values:[]string{"v"}}}, ' +
        "MatchFields:[]core.NodeSelectorRequirement(nil)}",
    ],
    [
      goStructs("core.PodIP", [{ ip: "::1" }, { ip: "::2" }]),
      '[]core.PodIP{core.PodIP{IP:"::1"}, core.PodIP{IP:"::2"}}',
    ],
    [goStructs("core.PodIP", undefined), "[]core.PodIP(nil)"],
    [goNumbers([1, 2]), "[]int32{1, 2}"],
  ] as const;
  for (const [shown, wanted] of rows) assert.equal(shown.text, wanted);
});

test("a quantity shows digits, power of ten, canonical text and format", () => {
  const rows = [
    ["50m", "value:50, scale:-3", '"50m"', "DecimalSI"],
    ["-1", "value:-1, scale:0", '"-1"', "DecimalSI"],
    ["10G", "value:10, scale:9", '"10G"', "DecimalSI"],
    ["10Gi", "value:10737418240, scale:0", '"10Gi"', "BinarySI"],
    ["1.5", "value:1500, scale:-3", '"1500m"', "DecimalSI"],
    ["1e3", "value:1, scale:3", '"1e3"', "DecimalExponent"],
  ] as const;
  for (const [text, parts, canonical, format] of rows) {
    const wanted = `resource.Quantity{i:resource.int64Amount{${parts}}, ${DEC}, s:${canonical}, Format:"${format}"}`;
    assert.equal(goQuantity(text).text, wanted);
  }
});
