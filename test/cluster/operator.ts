import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { eventually } from './eventually.ts';
import { forgetGroup, guardGroup } from './guard.ts';
import { type Identity, identityWith, type PolicyRule } from './identity.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const CLUSTER_ROLE = new URL('../../deploy/rbac/cluster-role.yaml', import.meta.url);

/** The rights that the manifests give to the operator. */
export const operatorRules = (): readonly PolicyRule[] => parse(readFileSync(CLUSTER_ROLE, 'utf8')).rules;

/** An operator in a process of its own, with exactly the rights that the manifests give it, in some namespaces. */
export interface Operator {
  readonly pid: number;
  /** All that it wrote to stdout and stderr so far. */
  readonly output: () => string;
  /** SIGTERM; resolves to the exit code. */
  readonly stop: () => Promise<number | null>;
  /** SIGKILL, as a node that dies does it. */
  readonly kill: () => Promise<void>;
}

/** Who the operator is in a test: a ServiceAccount with the operator's rules in these namespaces only. */
export const operatorIdentity = async (namespaces: readonly string[]): Promise<Identity> =>
  await identityWith({ rules: Object.fromEntries(namespaces.map((name) => [name, operatorRules()])) });

/** Starts an operator and waits until its caches are synced. It is killed at the end of the file. */
export async function startOperator(
  kubeconfig: string,
  namespaces: readonly string[],
  args: readonly string[] = [],
): Promise<Operator> {
  const child = spawn(
    process.execPath,
    [
      MAIN,
      'controller',
      '--kubeconfig',
      kubeconfig,
      '--namespaces',
      namespaces.join(','),
      '--log-level',
      'debug',
      ...args,
    ],
    // a group of its own, which is ended with this process however that ends
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  const { pid = 0 } = child;
  guardGroup(pid);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'exit').then(() => {
    forgetGroup(pid);
    running.delete(kill);
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  running.add(kill);
  outputs.push(() => output);
  await eventually(
    () => {
      if (child.exitCode !== null) throw new Error(`the operator ended: ${output}`);
      if (!output.includes('caches are synced')) throw new Error(`not synced yet: ${output}`);
    },
    { within: 20_000 },
  );
  return {
    pid,
    output: () => output,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      return child.exitCode;
    },
    kill,
  };
}

const running = new Set<() => Promise<void>>();
let beforeTheTest: readonly (() => Promise<void>)[] = [];

/** Called by vitest-setup.ts before each try of a test: the operators of a failed one would do its work twice. */
export async function endTried(again: boolean): Promise<void> {
  if (!again) beforeTheTest = [...running];
  for (const kill of running) if (!beforeTheTest.includes(kill)) await kill();
}

/** Called by vitest-setup.ts after each test file. */
export async function endOperators(): Promise<void> {
  for (const kill of running) await kill();
}

const outputs: (() => string)[] = [];

/** Everything that the operators of this file wrote: no secret value may be in it. */
export const allOutput = (): string => outputs.map((read) => read()).join('\n');
