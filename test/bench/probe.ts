/** Loaded into the operator's process before its own code: tells what can't be seen from outside. */
import type { Session } from 'node:inspector/promises';
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import v8 from 'node:v8';
import vm from 'node:vm';

export type ProbeQuestion =
  | { readonly ask: 'heap' }
  | { readonly ask: 'delay-begin' }
  | { readonly ask: 'delay-end' }
  | { readonly ask: 'profile-begin' }
  | { readonly ask: 'profile-end'; readonly path: string }
  | { readonly ask: 'snapshot'; readonly path: string };

export interface ProbeAnswer {
  /** Bytes that are in use after a collection. */
  readonly heap?: number;
  /** 99th percentile of the event loop's delay since `delay-begin`, in milliseconds. */
  readonly delayP99?: number;
}

v8.setFlagsFromString('--expose-gc');
const collect: unknown = vm.runInNewContext('gc');
/** Both are made when they are asked for: they take memory that is not the operator's. */
let delays: ReturnType<typeof monitorEventLoopDelay> | undefined;
let session: Session | undefined;

process.on('message', (question: ProbeQuestion) => {
  void answer(question).then((found) => process.send?.(found));
});
// the operator ends when it wants to, whoever asks
process.channel?.unref();

async function answer(question: ProbeQuestion): Promise<ProbeAnswer> {
  switch (question.ask) {
    case 'heap':
      if (typeof collect === 'function') for (let times = 0; times < 3; times++) collect();
      return { heap: process.memoryUsage().heapUsed };
    case 'delay-begin':
      delays = monitorEventLoopDelay({ resolution: 1 });
      delays.enable();
      return {};
    case 'delay-end':
      delays?.disable();
      return delays ? { delayP99: delays.percentile(99) / 1e6 } : {};
    case 'profile-begin':
      session = new (await import('node:inspector/promises')).Session();
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      return {};
    case 'profile-end': {
      const stopped = await session?.post('Profiler.stop');
      writeFileSync(question.path, JSON.stringify(stopped?.profile));
      session?.disconnect();
      return {};
    }
    case 'snapshot':
      v8.writeHeapSnapshot(question.path);
      return {};
  }
}
