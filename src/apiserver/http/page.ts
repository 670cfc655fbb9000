/** An answer that is no API object. */
export interface Page {
  status?: number;
  contentType: string;
  etag?: string;
  /** Its address names its content, so that it can be kept for ever. */
  immutable?: boolean;
  /** Where it is now, instead of here. */
  location?: string;
  bytes: Uint8Array;
}
