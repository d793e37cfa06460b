/** An embedded S3 server in a process of its own, so that it can be killed, starved and weighed. */
import { systemClock } from '../../src/platform/clock.js';
import { startEmbeddedS3 } from '../../src/platform/embedded/s3/server.js';
import { createLog } from '../../src/platform/log.js';

const [folder = '', secretAccessKey = ''] = process.argv.slice(2);
const server = await startEmbeddedS3({
  folder,
  accessKeyId: 'child',
  secretAccessKey,
  clock: systemClock,
  log: createLog('silent'),
});
console.log(server.endpoint);
process.on('SIGUSR2', () => console.log(String(process.resourceUsage().maxRSS)));
process.on('SIGTERM', () => {
  void server.close();
});
