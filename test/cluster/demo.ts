import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { findSource, openCluster } from './open.ts';

/**
 * npm run demo [-- --context CONTEXT]: `truss-secrets demo`, on the cluster that is named, or else on one that is found or
 * started as for the tests. The ambient kubeconfig is never used.
 */
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Interrupts come to the whole group; the demo then cleans up, and what was started goes after it. */
async function run(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [MAIN, 'demo', ...args], { stdio: 'inherit' });
  const keep = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGTERM') child.kill(signal);
  };
  process.on('SIGINT', keep).on('SIGTERM', keep);
  await once(child, 'exit');
  return child.exitCode ?? 1;
}

async function main(args: readonly string[]): Promise<number> {
  if (args.length > 0) return await run(args);
  const { kubeconfig, close } = await openCluster(await findSource());
  try {
    return await run(['--kubeconfig', kubeconfig]);
  } finally {
    await close();
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
