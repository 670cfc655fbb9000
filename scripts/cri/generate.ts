// Writes src/format/cri/generated.ts: the facts of the Container Runtime Interface (names, numbers
// and types of fields; no prose) from its api.proto. Take that of k8s.io/cri-api in the version of the
// other Kubernetes facts, now v0.32.3, pkg/apis/runtime/v1:
//   npm run -s build && node build/scripts/cri/generate.js api.proto && npm run format
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { interfaceFacts } from "./proto-facts.ts";
import { factsText } from "./facts-text.ts";

const [file] = process.argv.slice(2);
if (!file) throw new Error("usage: generate.js API.PROTO");
const target = path.resolve(import.meta.dirname, "../../../src/format/cri/generated.ts");
writeFileSync(target, factsText(interfaceFacts(readFileSync(file, "utf8"))));
