import { describeObjects } from './support/objects-conformance.js';
import { sharedS3 } from './support/objects.js';

describeObjects('the embedded server', sharedS3);
