import { spawn } from 'node:child_process';
import { existsSync, openSync, closeSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { cacheFolder, lock } from './cache.ts';
import { eventually } from './eventually.ts';
import { findSource, openCluster, prepare } from './open.ts';
import { statOf } from './process.ts';
import { say } from './say.ts';

/** What `up` leaves in the cache folder for `status` and `down`. */
const State = z.object({
  pid: z.number(),
  /** In clock ticks since boot: tells this process from a later one of the same number. */
  startedAt: z.string(),
  server: z.string(),
  kubeconfig: z.string(),
  audit: z.boolean().default(false),
  node: z.boolean().default(false),
});
type State = z.infer<typeof State>;

export interface UpOptions {
  readonly audit: boolean;
  readonly node: boolean;
}

/** What the keeper tells the one who started it. */
const Message = z.union([z.object({ up: State }), z.object({ failed: z.string() })]);
type Message = z.infer<typeof Message>;

const ONE_DAY_MS = 86_400_000;

const folder = () => join(cacheFolder(), 'dev');
const stateFile = () => join(folder(), 'state.json');

/** The cluster that `up` started, if it runs. */
export function devCluster(): State | undefined {
  if (!existsSync(stateFile())) return undefined;
  const state = State.parse(JSON.parse(readFileSync(stateFile(), 'utf8')));
  return statOf(state.pid)?.startedAt === state.startedAt ? state : undefined;
}

/** Starts a cluster that stays until {@link down}, or gives the one that runs. */
export async function up(options: UpOptions): Promise<State> {
  await using _ = await lock(folder());
  const running = devCluster();
  if (running !== undefined) {
    if (options.audit === running.audit && options.node === running.node) return running;
    throw new Error('A cluster is up that was started with other options. End it: npm run cluster -- down');
  }
  const source = await findSource();
  // the long part with its progress here, where somebody looks on
  await prepare(source, options);
  say('starting the cluster');
  await mkdir(folder(), { recursive: true });
  const log = openSync(join(folder(), 'log'), 'w', 0o600);
  const main = join(import.meta.dirname, 'main.ts');
  const args = [...(options.audit ? ['--audit'] : []), ...(options.node ? ['--node'] : [])];
  const keeper = spawn(process.execPath, [main, 'keep', ...args], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const message = await new Promise<Message>((resolve, reject) => {
    keeper.once('message', (text) => resolve(Message.parse(text)));
    keeper.once('error', reject);
    keeper.once('exit', () => reject(new Error(`the cluster ended, see ${join(folder(), 'log')}`)));
  });
  if ('failed' in message) throw new Error(message.failed);
  keeper.removeAllListeners();
  keeper.disconnect();
  keeper.unref();
  return message.up;
}

/** Ends the cluster that {@link up} started; false when there is none. */
export async function down(): Promise<boolean> {
  const state = devCluster();
  if (state === undefined) return false;
  process.kill(state.pid, 'SIGTERM');
  await eventually(
    () => {
      if (devCluster() !== undefined) throw new Error(`process ${state.pid} has not ended`);
    },
    { within: 60_000 },
  );
  return true;
}

/** The process behind `up`: owns the cluster, and ends it when told to, or when `up` is gone before it is ready. */
export async function keep(options: UpOptions): Promise<number> {
  process.once('disconnect', abandon);
  try {
    const cluster = await openCluster(await findSource(), options);
    const end = async (): Promise<void> => {
      await cluster.close();
      await rm(stateFile(), { force: true });
      process.exit(0);
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => void end());
    const kubeconfig = join(folder(), 'kubeconfig');
    await copyFile(cluster.kubeconfig, kubeconfig);
    const state: State = {
      pid: process.pid,
      startedAt: statOf(process.pid)?.startedAt ?? '',
      server: cluster.access.server,
      kubeconfig,
      ...options,
    };
    await writeFile(stateFile(), JSON.stringify(state));
    process.off('disconnect', abandon);
    tell({ up: state });
    setInterval(() => {}, ONE_DAY_MS); // stays for a signal
    return 0;
  } catch (error) {
    tell({ failed: error instanceof Error ? error.message : String(error) });
    return 1;
  }
}

function tell(message: Message): void {
  process.send?.(message);
}

function abandon(): never {
  process.exit(1);
}
