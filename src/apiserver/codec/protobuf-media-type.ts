/** The media type of built-in kinds in protobuf. */
export const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";
/** Stands before every object in protobuf. */
export const PROTOBUF_MAGIC: Uint8Array = Buffer.from("k8s\0");
