import { readdirSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { type Family, measured } from './family.ts';

/**
 * How often the event loop is asked how late it is. Each time wakes the process, and most of the time nothing else does: at
 * 100 ms that was two fifths of what an operator at rest costs. Whoever gets too little processor time is late all the time.
 */
const LAG_RESOLUTION_MS = 500;

/** What Prometheus' own client libraries say of a process (`process_*`), and prom-client of Node (`nodejs_*`). */
export function processFamilies(): readonly Family[] {
  const delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  delay.enable();
  const startedAt = (performance.timeOrigin / 1_000).toFixed(3);
  return [
    measured('counter', 'process_cpu_seconds_total', 'Processor time of the process, in seconds.', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
    measured('gauge', 'process_start_time_seconds', 'When the process began, in seconds of Unix time.', () =>
      Number(startedAt),
    ),
    measured('gauge', 'process_resident_memory_bytes', 'Memory of the process that is in RAM.', () =>
      process.memoryUsage.rss(),
    ),
    measured('gauge', 'process_open_fds', 'Open files and sockets.', openFiles),
    measured('gauge', 'process_max_fds', 'How many files and sockets may be open.', maxFiles),
    measured(
      'gauge',
      'nodejs_heap_size_used_bytes',
      "JavaScript's heap in use.",
      () => process.memoryUsage().heapUsed,
    ),
    measured(
      'gauge',
      'nodejs_heap_size_total_bytes',
      "JavaScript's heap as it is set aside.",
      () => process.memoryUsage().heapTotal,
    ),
    measured(
      'gauge',
      'nodejs_external_memory_bytes',
      'Memory of buffers outside of the heap.',
      () => process.memoryUsage().external,
    ),
    measured(
      'gauge',
      'nodejs_eventloop_lag_p99_seconds',
      'How late the event loop is, 99th percentile since the last scrape.',
      () => seconds(delay.percentile(99)),
    ),
    measured(
      'gauge',
      'nodejs_eventloop_lag_max_seconds',
      'How late the event loop is, the most since the last scrape.',
      () => {
        const most = seconds(delay.max);
        // read last: the next scrape has its own
        delay.reset();
        return most;
      },
    ),
  ];
}

/** Delays include the interval at which they are measured; without any yet it is NaN or 0. */
const seconds = (nanoseconds: number): number =>
  Math.max(0, (Number.isFinite(nanoseconds) ? nanoseconds : 0) / 1e9 - LAG_RESOLUTION_MS / 1e3);

/** Undefined where there is no /proc. */
function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

function maxFiles(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
