import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Access } from '../cluster/api.ts';
import type { BareNews, BareOrder, BareTask } from './bare.ts';

const BARE = join(import.meta.dirname, 'bare.ts');

export interface BareProcess {
  readonly pid: number;
  /** When it was started, on the clock of `performance.now()`. */
  readonly startedAt: number;
  running(): boolean;
  heard(news: BareNews): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the yardstick on a task. It does not outlive this process. */
export function startBare(access: Access, task: BareTask): BareProcess {
  const startedAt = performance.now();
  const child = fork(BARE, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  const listed = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  child.on('message', (news: BareNews) => (news === 'listed' ? listed : done).resolve());
  child.on('exit', () => {
    for (const one of [listed, done]) one.reject(new Error('the bare client ended'));
  });
  // whoever waits hears of it; nobody need wait
  for (const one of [listed, done]) one.promise.catch(() => {});
  const order: BareOrder = { access, task };
  child.send(order);
  return {
    pid: child.pid ?? 0,
    startedAt,
    running: () => child.exitCode === null && child.signalCode === null,
    heard: async (news) => await (news === 'listed' ? listed : done).promise,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
