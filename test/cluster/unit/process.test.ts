import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../eventually.ts';
import { temporaryFolder } from '../guard.ts';
import { CommandFailed, run, startProcess } from '../process.ts';

describe('a process that is started for a test', () => {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const;
  test.each(signals)('is gone with all that it started when its owner gets %s', async (signal) => {
    const { owner, pid, folder } = await startOwner('wait');
    await eventually(() => expect(leftOf(pid, folder).length).toBeGreaterThan(2));
    owner.kill(signal);
    await eventually(() => expect(leftOf(pid, folder)).toEqual([]));
  });

  test.each(['exit', 'crash'])(
    'is gone with all that it started after a(n) %s of its owner',
    async (ending) => {
      const { pid, folder } = await startOwner(ending);
      await eventually(() => expect(leftOf(pid, folder)).toEqual([]));
    },
  );

  test('is gone with all that it started when it is killed', async () => {
    await using folder = await temporaryFolder(join(tmpdir(), 'truss-test-'));
    const one = await startProcess('sh', ['-c', 'sleep 600 & sleep 600'], { log: join(folder.path, 'log') });
    await one.kill();
    expect(one.running()).toBe(false);
    await eventually(() => expect(groupMembers(one.pid)).toEqual([]));
  });

  test('takes along what it leaves when it ends by itself', async () => {
    await using folder = await temporaryFolder(join(tmpdir(), 'truss-test-'));
    const one = await startProcess('sh', ['-c', 'sleep 600 & exit 0'], { log: join(folder.path, 'log') });
    await one.exited;
    await eventually(() => expect(groupMembers(one.pid)).toEqual([]));
  });

  test('that can not be started is an error', async () => {
    const start = startProcess('/no/such/program', [], { log: '/dev/null' });
    await expect(start).rejects.toThrow(CommandFailed);
  });
});

describe('a command', () => {
  test('gives its standard output, and each line as it comes', async () => {
    const lines: string[] = [];
    const output = await run('sh', ['-c', 'echo one; echo two >&2'], { onLine: (line) => lines.push(line) });
    expect(output).toBe('one');
    expect(lines.toSorted()).toEqual(['one', 'two']);
  });

  test('that fails says how, with its last lines', async () => {
    const failing = run('sh', ['-c', 'echo the reason >&2; exit 3']);
    await expect(failing).rejects.toThrow('sh failed (3):\nthe reason');
  });
});

async function startOwner(ending: string): Promise<{ owner: ChildProcess; pid: number; folder: string }> {
  const script = fileURLToPath(new URL('owner.ts', import.meta.url));
  const owner = spawn(process.execPath, [script, ending], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => {
    owner.kill('SIGKILL');
  });
  const [line] = await once(createInterface({ input: owner.stdout }), 'line');
  return { owner, ...JSON.parse(String(line)) };
}

function leftOf(pgid: number, folder: string): readonly string[] {
  return [...groupMembers(pgid), ...(existsSync(folder) ? [folder] : [])];
}

/** The process ids of a group, zombies left out. */
function groupMembers(pgid: number): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return state !== 'Z' && Number(group) === pgid;
    } catch {
      return false; // ended since the folder was read
    }
  });
}
