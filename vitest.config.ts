import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const shared = {
  environment: 'node',
  pool: 'forks',
  maxWorkers: 2,
  testTimeout: 60_000,
  hookTimeout: 120_000,
  // What is waited for comes soon on a quiet machine; on a busy one it still comes.
  expect: { poll: { timeout: 20_000 } },
  // In CI a test that lost a race against a busy machine may try once more, and says so; a real fault fails twice.
  retry: process.env['CI'] === undefined ? 0 : 1,
} as const;

/** Long ones first, which would keep one worker busy when all others are done. */
const long = ['/life/small.test.ts', '/pbx-uploader.test.ts', '/kill.test.ts', '/browser/accessibility.test.ts'];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = (file: TestSpecification) => long.some((name) => file.moduleId.endsWith(name));
    const usual = await super.sort(files);
    return [...usual.filter(isLong), ...usual.filter((file) => !isLong(file))];
  }
}

/** Three suites: what needs only npm's packages, what needs a browser, what needs a third-party S3 server. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          ...shared,
          name: 'service',
          include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
          exclude: ['test/browser/**', 'test/real-s3/**', 'test/life/large.test.ts'],
          globalSetup: ['test/support/backends.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: ['test/support/backends.ts'],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'real-s3',
          include: ['test/real-s3/**/*.test.ts'],
          globalSetup: ['test/support/backends.ts'],
          testTimeout: 180_000,
        },
      },
      // The large life is hours long: run by hand, `npm run test:life`. The small one is among the others.
      { test: { ...shared, name: 'life', include: ['test/life/**/*.test.ts'], globalSetup: ['test/support/backends.ts'] } },
    ],
  },
});
