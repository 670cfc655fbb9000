import { describeStore } from "../conformance.ts";
import { createMemoryStore } from "./memory-store.ts";

describeStore({ name: "memory", open: async () => createMemoryStore(), propertyRuns: 200 });
