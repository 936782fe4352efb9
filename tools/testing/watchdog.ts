// Owns the end of a test file that does not end by itself: it names what is still open, and fails the file.

import { after } from 'node:test';

const graceMs = 5_000;

// Loaded into the runner too; only the processes that run one test file have this set.
if (process.env.NODE_TEST_CONTEXT !== undefined) {
  after(() => {
    setTimeout(() => {
      const open = process.getActiveResourcesInfo().join(', ');
      process.stderr.write(
        `the tests ended ${graceMs / 1000} s ago, and the file still holds open: ${open}\n`,
      );
      process.exit(1);
    }, graceMs).unref();
  });
}
