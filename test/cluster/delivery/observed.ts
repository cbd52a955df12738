import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type FaultProxy, startProxy } from '../../chaos/proxy.ts';
import { kubeconfigWith } from '../credentials.ts';
import { operatorIdentity } from '../operator.ts';

/** A way to the API server on which every request of an operator is seen, and can be broken. */
export interface ObservedWay {
  /** Of an operator with its usual rights in the namespaces. */
  readonly kubeconfig: string;
  readonly proxy: FaultProxy;
  /** Writes so far, of which only those to the objects whose path matches. */
  readonly writes: (path: RegExp) => number;
}

/** Ended with the test. */
export async function observedWay(namespaces: readonly string[]): Promise<ObservedWay> {
  const { access } = await operatorIdentity(namespaces);
  const proxy = await startProxy({ server: access.server, ca: access.ca });
  const kubeconfig = join(tmpdir(), `truss-test-${randomBytes(6).toString('hex')}`);
  await writeFile(kubeconfig, kubeconfigWith({ server: proxy.url }, access.token ?? ''), { mode: 0o600 });
  onTestFinished(async () => {
    await proxy.close();
    await rm(kubeconfig);
  });
  return {
    kubeconfig,
    proxy,
    writes: (path) => proxy.seen.filter((one) => one.method !== 'GET' && path.test(one.path)).length,
  };
}
