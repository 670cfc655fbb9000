/** A host with its port, or the path of a socket. */
export type GrpcTarget = { host: string; port: number } | { path: string };

/** Reads a name as gRPC has them (grpc/doc/naming.md): "HOST:PORT", "dns:///HOST:PORT", "unix:///PATH". */
export function parseGrpcTarget(text: string, defaultPort: number): GrpcTarget | undefined {
  const [, path] = /^unix:(?:\/\/)?(\/.+)$/.exec(text) ?? [];
  if (path) return { path };
  const [, host, port = defaultPort] =
    /^(?:dns:(?:\/\/[^/]*\/)?)?(\[[0-9a-f:]+\]|[^:/]+)(?::(\d{1,5}))?$/i.exec(text) ?? [];
  if (!host || Number(port) > 65_535) return undefined;
  return { host, port: Number(port) };
}
