import { createConformance, nothingIsLeft, type RuntimeFixture } from "./conformance-context.ts";
import { processConformance } from "./conformance-process.ts";
import { sandboxConformance } from "./conformance-sandbox.ts";
import { streamConformance } from "./conformance-stream.ts";
import { survivalConformance } from "./conformance-survival.ts";

/** Every container runtime passes these; `fixture` is made by the caller and disposed here. */
export function runtimeConformance(name: string, fixture: RuntimeFixture): void {
  const on = createConformance(name, fixture);
  processConformance(on);
  streamConformance(on);
  sandboxConformance(on);
  survivalConformance(on);
  on.it("left nothing behind", async () => {
    await nothingIsLeft(fixture, "at the end");
  });
}
