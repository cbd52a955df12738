import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import type { BenchCluster } from './bench-cluster.ts';
import type { Bundle } from './bundle.ts';
import { startOperator } from './operator-process.ts';
import { type Figure, median } from './report.ts';

const ROUNDS = 9;

/** How long the bundle takes to begin. */
export async function measureStart(
  bundle: Bundle,
  { folder }: BenchCluster,
  files: string,
): Promise<readonly Figure[]> {
  const nothing: number[] = [];
  const help: number[] = [];
  const first: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    nothing.push(await runTime(['-e', '0']));
    help.push(await runTime([bundle.main, '--help']));
    first.push(await firstCall(bundle, folder, files));
  }
  const row = 'start';
  const yardstick = median(nothing);
  return [
    {
      row,
      what: 'the first API call, against node -e 0',
      measured: median(first),
      yardstick,
      unit: 'ms',
      reach: { atMost: 6 },
    },
    {
      row,
      what: '--help, against node -e 0',
      measured: median(help),
      yardstick,
      unit: 'ms',
      reach: { atMost: 2.5 },
    },
  ];
}

async function runTime(args: readonly string[]): Promise<number> {
  const since = performance.now();
  const [code] = await once(spawn(process.execPath, args, { stdio: 'ignore' }), 'exit');
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${code}`);
  return performance.now() - since;
}

/** Until a request has arrived at something that has the API server's certificate. */
async function firstCall(bundle: Bundle, folder: string, files: string): Promise<number> {
  const pki = (name: string): string => readFileSync(join(folder, 'pki', name), 'utf8');
  await using server = createServer({ cert: pki('apiserver.crt'), key: pki('apiserver.key') });
  const asked = once(server, 'request').then(() => performance.now());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  const access = { server: `https://127.0.0.1:${address.port}`, ca: pki('apiserver.crt'), token: 'none' };
  const operator = await startOperator(bundle, access, files, { probe: false });
  try {
    return (await asked) - operator.startedAt;
  } finally {
    server.closeAllConnections();
    await operator.stop();
  }
}
