import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/summary-reporter.ts';

/** In CI, where the machine is shared, a cluster may answer too late once; twice is a failure. Retries are shown. */
const retry = process.env['CI'] === undefined ? 0 : 1;

/**
 * One project a kind of test: `unit` needs nothing, `cluster` needs an API server, `e2e` a node too,
 * `bench` starts its own and says nothing about speed.
 * One after the other, so that they do not take the processors from one another.
 * The names are those of the npm scripts (`test:unit`, `test:cluster`, ...).
 */
export default defineConfig({
  test: {
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          setupFiles: 'test/random-seed.ts',
          include: [
            'test/{api,truss,plan,kube,controller,metrics,cli,verify,cluster/unit,deploy}/**/*.test.ts',
            'test/chaos/proxy.test.ts',
          ],
        },
      },
      {
        test: {
          name: 'cluster',
          sequence: { groupOrder: 1 },
          retry,
          include: ['test/cluster/**/*.test.ts'],
          exclude: ['test/cluster/unit/**'],
          globalSetup: 'test/cluster/vitest-global-setup.ts',
          setupFiles: 'test/cluster/vitest-setup.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          sequence: { groupOrder: 2 },
          retry,
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: 'test/cluster/vitest-global-setup.ts',
          setupFiles: 'test/cluster/vitest-setup.ts',
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'chaos',
          sequence: { groupOrder: 3 },
          retry,
          include: ['test/chaos/**/*.test.ts'],
          exclude: ['test/chaos/proxy.test.ts'],
          // most of it waits: for a lease to run out, a back-off, a connection that is dead
          maxWorkers: 2,
          globalSetup: 'test/cluster/vitest-global-setup.ts',
          setupFiles: 'test/cluster/vitest-setup.ts',
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'bench',
          sequence: { groupOrder: 4 },
          include: ['test/bench/**/*.test.ts'],
          testTimeout: 900_000,
        },
      },
    ],
  },
});
