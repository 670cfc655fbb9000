// Writes docs/controllers.md from what the controllers declare.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { allControllers, controllersDoc } from "./controllers-doc.ts";

const root = path.resolve(import.meta.dirname, "../../..");
const text = controllersDoc(allControllers(), path.join(root, "src/controllers"));
writeFileSync(path.join(root, "docs/controllers.md"), text);
