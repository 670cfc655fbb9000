import { mkdirSync } from "node:fs";
import path from "node:path";
import { staticProgram } from "../format/elf/static-program.ts";
import type { LocalImage } from "./image/contract.ts";
import { programMachine, writeProgram } from "./runtime/own-program.ts";

/** An image with one program, which ends at once and well; its layer is made at `directory`. */
export function rehearsalImage(directory: string): LocalImage {
  const leave = { call: "exit_group", operands: [0] };
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  writeProgram(path.join(directory, "leave"), staticProgram(programMachine(), { steps: [leave] }));
  return {
    id: "rehearsal",
    references: [],
    sizeBytes: 0,
    config: { entrypoint: ["/leave"] },
    layerPaths: [directory],
  };
}
