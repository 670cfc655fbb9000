import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { connectToName, openStreamSocket, sendDescriptors } from "../../sys/control-socket.ts";
import { MonitorError } from "./conmon.ts";

/** A call of a kernel's control server. Source: gVisor, pkg/urpc and runsc/boot/controller.go. */
export interface KernelCall {
  /** Such as "containerManager.Wait". */
  method: string;
  argument: unknown;
  /** Go along with the call and stay the caller's. */
  descriptors?: readonly number[];
}

interface KernelAnswer {
  success: boolean;
  err: string;
  result: unknown;
}

/** A kernel, whose ID is that of the pod's holder, takes calls there; the zero is part of it. */
export function kernelSocketName(kernel: string): string {
  return `runsc-sandbox.${kernel}\0`;
}

/** The bytes of a call, of which a connection carries one at a time. */
export function encodeCall({ method, argument }: KernelCall): Buffer {
  return Buffer.from(JSON.stringify({ method, arg: argument }));
}

/** Calls a pod's kernel. @throws MonitorError in its words, SysError ECONNREFUSED when it ended */
export async function callKernel(kernel: string, call: KernelCall): Promise<unknown> {
  const fd = openStreamSocket();
  try {
    connectToName(fd, kernelSocketName(kernel));
    sendDescriptors(fd, encodeCall(call), call.descriptors ?? []);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  const answer = await readAnswer(new Socket({ fd, readable: true, writable: false }));
  if (answer?.success) return answer.result;
  throw new MonitorError(answer?.err ?? "the kernel of the pod has ended");
}

/** An answer has no mark at its end: it is complete when it can be read. */
async function readAnswer(socket: Socket): Promise<KernelAnswer | undefined> {
  socket.setEncoding("utf8");
  let text = "";
  try {
    for await (const chunk of socket) {
      text += String(chunk);
      const answer = parseAnswer(text);
      if (answer) return answer;
    }
  } catch {
    // Whoever closes a connection with something unread in it resets it.
  }
  return undefined;
}

function parseAnswer(text: string): KernelAnswer | undefined {
  try {
    return JSON.parse(text) as KernelAnswer;
  } catch {
    return undefined;
  }
}
