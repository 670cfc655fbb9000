import { connect, type Socket } from "node:net";

/** To a port of the node itself: of a pod that is in its network. Rejects when nobody listens. */
export function connectLocally(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
