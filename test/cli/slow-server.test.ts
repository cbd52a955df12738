import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { dispatch } from '../../src/cli/dispatch.ts';
import type { Output } from '../../src/cli/io.ts';
import { eventually } from '../cluster/eventually.ts';
import { folder, inTerminal, trussSecrets } from './truss-secrets.ts';

const ANSWERS_AFTER_MS = 1_000;

/** A kubeconfig whose server is slow, and then knows nobody. */
async function slowServer(): Promise<{ readonly KUBECONFIG: string }> {
  const server = createServer((_, response) => {
    setTimeout(() => {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ kind: 'Status', code: 401, reason: 'Unauthorized' }));
    }, ANSWERS_AFTER_MS);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${address.port}` } }],
    users: [{ name: 'u', user: { token: 'canary-token' } }],
  };
  const at = await folder({ kubeconfig: JSON.stringify(kubeconfig) });
  return { KUBECONFIG: `${at}/kubeconfig` };
}

test('a terminal shows that something takes long, on a line that goes away', async () => {
  const { code, screen } = await inTerminal(['list'], [{ after: 'Reading the store ...', type: '' }], {
    env: await slowServer(),
  });
  expect(code).toBe(1);
  expect(screen).toContain('Reading the store ...\r\u001b[K');
});

test('elsewhere it shows nothing; who is not known is told so, without the token', async () => {
  const { code, stdout, stderr } = await trussSecrets(['list', '--debug'], { env: await slowServer() });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).not.toContain('Reading');
  expect(stderr).toContain(
    "does not accept your credentials: log in again, or check the user of the kubeconfig's context.",
  );
  expect(stderr).not.toContain('canary-token');
});

test('an operator that ends writes what its log has not written yet', async () => {
  const { KUBECONFIG } = await slowServer();
  let out = '';
  const stream: Output = { isTerminal: false, colour: false, write: (chunk) => void (out += String(chunk)) };
  const stop: (() => void)[] = [];
  const end: (() => void)[] = [];
  const ended = dispatch(
    {
      program: 'truss-secrets',
      stdin: process.stdin,
      stdout: stream,
      stderr: stream,
      env: {},
      now: () => new Date(),
      onSignals: (_, listener) => {
        stop.push(() => listener('SIGTERM'));
        return () => {};
      },
      onExit: (listener) => void end.push(listener),
      exit: () => {},
    },
    ['controller', '--kubeconfig', KUBECONFIG],
  );
  await eventually(() => expect(out).toContain('"starting"'));
  for (const tell of stop) tell();
  expect(await ended).toBe(0);
  for (const listener of end) listener();
  expect(out).toMatch(/"msg":"stopped"\}\n$/);
});
