import { describeS3 } from '../support/s3-conformance.js';
import { realS3 } from '../support/real-s3.js';

/** Ceph's RADOS gateway 16.2; another server may differ in what it can do. */
describeS3('The third-party server', realS3, {
  checksums: false,
  trailers: false,
  conditionalCompletion: false,
  tagsOnMultipart: false,
  copyReplacesTags: false,
  versioning: true,
  refusesBucketAgain: false,
  longestKeyBytes: 900,
});
