// Runs as a thread: one text in, what it says out.
import { parentPort, workerData } from "node:worker_threads";
import { answerTo } from "./yaml-answer.ts";

parentPort?.postMessage(answerTo(workerData as string));
