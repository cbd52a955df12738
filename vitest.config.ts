import { defineConfig } from 'vitest/config';

/**
 * One project a kind of test: `unit` needs nothing, `cluster` needs an API server.
 * The names are those of the npm scripts (`test:unit`, `test:cluster`, ...).
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{api,truss,plan,kube,controller,cli}/**/*.test.ts'],
        },
      },
    ],
  },
});
