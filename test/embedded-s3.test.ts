import { describeS3 } from './support/s3-conformance.js';
import { sharedS3 } from './support/objects.js';

describeS3('The embedded server', sharedS3, {
  checksums: true,
  trailers: true,
  conditionalCompletion: true,
  tagsOnMultipart: true,
  copyReplacesTags: true,
  versioning: false,
  refusesBucketAgain: true,
  longestKeyBytes: 1024,
});
