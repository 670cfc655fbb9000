import { copyJson } from "../../lib/json-copy.ts";
import { fieldOf } from "../kube-object.ts";
import type { Strategy } from "./strategy.ts";

/** Who asks is recorded by the server, whoever they say they are; what was asked for stays. */
export const CERTIFICATE_SIGNING_REQUEST: Partial<Strategy> = {
  prepareCreate: (request, { user }) => {
    const { uid: _uid, extra: _extra, ...asked } = fieldOf(request, "spec");
    request["spec"] = {
      ...asked,
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      groups: [...user.groups],
      ...(user.extra ? { extra: copyJson(user.extra) } : {}),
    };
    request["status"] = {};
  },
  prepareUpdate: (request, old) => {
    request["spec"] = copyJson(old["spec"]);
  },
};
