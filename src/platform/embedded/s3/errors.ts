/**
 * Errors as S3 clients know them. Source: Amazon S3 API Reference, "Error responses".
 * They are this server's wire protocol and never leave it in any other shape.
 */
export const s3Errors = {
  AccessDenied: [403, 'Access denied.'],
  BadDigest: [400, 'The digest or checksum given does not match what was received.'],
  BucketAlreadyOwnedByYou: [409, 'The bucket is already yours.'],
  BucketNotEmpty: [409, 'The bucket is not empty.'],
  EntityTooLarge: [400, 'Larger than the maximum allowed.'],
  EntityTooSmall: [400, 'Each part but the last must be at least 5 MiB.'],
  IncompleteBody: [400, 'Fewer or more bytes arrived than the headers announced.'],
  InternalError: [500, 'Something went wrong here. Try again.'],
  InvalidAccessKeyId: [403, 'The access key id is not known.'],
  InvalidArgument: [400, 'An argument is not valid.'],
  InvalidBucketName: [400, 'The bucket name is not valid.'],
  InvalidDigest: [400, 'The Content-MD5 or checksum given is not well formed.'],
  InvalidPart: [400, 'A part was not found, or its entity tag does not match.'],
  InvalidPartOrder: [400, 'The parts are not in ascending order.'],
  InvalidRange: [416, 'The range lies outside the object.'],
  InvalidRequest: [400, 'The request is not valid.'],
  InvalidTag: [400, 'The tags are not valid.'],
  InvalidURI: [400, 'The address cannot be decoded.'],
  KeyTooLongError: [400, 'The key is longer than 1024 bytes.'],
  MalformedTrailerError: [400, 'The trailer announced did not come, or cannot be read.'],
  MalformedXML: [400, 'The XML is not well formed or not what this request takes.'],
  MethodNotAllowed: [405, 'This method is not allowed here.'],
  MissingContentLength: [411, 'The Content-Length header is needed.'],
  NoSuchBucket: [404, 'There is no such bucket.'],
  NoSuchKey: [404, 'There is no such key.'],
  NoSuchLifecycleConfiguration: [404, 'There is no lifecycle configuration.'],
  NoSuchUpload: [404, 'There is no such upload.'],
  NoSuchVersion: [404, 'There is no such version.'],
  NotImplemented: [501, 'This server does not do that.'],
  ObjectLockConfigurationNotFoundError: [404, 'There is no object lock configuration.'],
  PreconditionFailed: [412, 'A precondition does not hold.'],
  RequestTimeTooSkewed: [403, 'The clocks of client and server are too far apart.'],
  ServiceUnavailable: [503, 'There is no space left to store this.'],
  SignatureDoesNotMatch: [403, 'The signature does not match the request.'],
  XAmzContentSHA256Mismatch: [400, 'The body does not have the SHA-256 that was signed.'],
} as const satisfies Record<string, readonly [number, string]>;

export type S3ErrorCode = keyof typeof s3Errors;

/** An error to answer with. `headers` go along with it. */
export class S3Error extends Error {
  readonly status: number;

  constructor(
    readonly code: S3ErrorCode,
    message: string = s3Errors[code][1],
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
    this.name = 'S3Error';
    this.status = s3Errors[code][0];
  }
}

/** What went wrong as an error to answer with: a full disk is the storage's trouble, anything else ours. */
export function asS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  return new S3Error(isOutOfSpace(error) ? 'ServiceUnavailable' : 'InternalError');
}

/** Whether the file system had no room: disk full, quota used up, file size limit reached. */
export function isOutOfSpace(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
}
