import type { ControllerDefinition } from "../client/controller.ts";
import { deploymentController } from "./deployment/deployment-controller.ts";
import {
  replicaSetController,
  replicationControllerController,
} from "./replica-set/replica-set-controller.ts";

/** The controllers that every cluster runs, each with its own fresh state. */
export function builtInControllers(): ControllerDefinition[] {
  return [replicaSetController(), replicationControllerController(), deploymentController()];
}
