import { test } from "node:test";
import { SECRETS } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

const KEY = ".dockercfg";
const FIELD = 'data[.dockercfg]: Invalid value: "<secret contents redacted>"';
const base64 = (text: string) => Buffer.from(text).toString("base64");

test("logins at registries are objects in JSON", () => {
  const secret = (text: string) => ({ data: { [KEY]: base64(text) } });
  checkRuleCases(SECRETS, {
    base: { type: "kubernetes.io/dockercfg", data: { [KEY]: base64("{}") } },
    create: [
      [secret("null")],
      [secret("bar"), `${FIELD}: invalid character 'b' looking for beginning of value`],
      [secret("{"), `${FIELD}: unexpected end of JSON input`],
      [
        secret("[]"),
        `${FIELD}: json: cannot unmarshal array into Go value of type map[string]interface {}`,
      ],
    ],
  });
});
