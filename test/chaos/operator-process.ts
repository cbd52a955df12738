import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { MAIN } from '../cli/truss-secrets.ts';
import { eventually } from '../cluster/eventually.ts';
import { temporaryFolder } from '../cluster/guard.ts';
import { type Ended, startProcess } from '../cluster/process.ts';

/** The operator that ships, as a process of its own that serves metrics and probes. */
export interface OperatorProcess extends AsyncDisposable {
  readonly pid: number;
  readonly running: () => boolean;
  /** All that it wrote so far. */
  readonly output: () => string;
  /** Its log lines with this message. */
  readonly said: (message: string) => readonly Readonly<Record<string, unknown>>[];
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly exited: Promise<Ended>;
  readonly probe: (
    page: 'healthz' | 'readyz' | 'livez',
  ) => Promise<{ readonly ok: boolean; readonly text: string }>;
  readonly metrics: () => Promise<Metrics>;
}

/** Values by name, and where there are labels by name and labels as they are written: `a{b="c"}`. */
export type Metrics = ReadonlyMap<string, number>;

export interface OperatorProcessOptions {
  readonly kubeconfig: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Of Node itself. */
  readonly nodeArgs?: readonly string[];
}

const STARTED_WITHIN_MS = 20_000;

/** Starts an operator; resolves when it serves, maybe long before its caches are synced. */
export async function startOperatorProcess(options: OperatorProcessOptions): Promise<OperatorProcess> {
  const { kubeconfig, args = [], env = {}, nodeArgs = [] } = options;
  const folder = await temporaryFolder(join(tmpdir(), 'truss-secrets-chaos-'));
  const log = join(folder.path, 'log');
  const served = ['--metrics-bind-address=127.0.0.1:0', '--health-probe-bind-address=127.0.0.1:0'];
  const line = [
    ...nodeArgs,
    MAIN,
    'controller',
    `--kubeconfig=${kubeconfig}`,
    '--log-level=debug',
    ...served,
    ...args,
  ];
  const child = await startProcess(process.execPath, line, { log, env: { ...process.env, ...env } });
  const output = (): string => readFileSync(log, 'utf8');
  const said = (message: string): readonly Readonly<Record<string, unknown>>[] =>
    output()
      .split('\n')
      .filter((text) => text.startsWith('{') && text.endsWith('}'))
      .map((text): Readonly<Record<string, unknown>> => JSON.parse(text))
      .filter(({ msg }) => msg === message);
  const urlOf = (message: string): string => {
    if (!child.running()) throw new Error(`the operator ended: ${output()}`);
    const url = said(message)[0]?.['url'];
    if (typeof url !== 'string') throw new Error(`it does not say "${message}" yet: ${output()}`);
    return url;
  };
  const probes = await eventually(() => urlOf('serving /healthz, /readyz and /livez'), {
    within: STARTED_WITHIN_MS,
  });
  const metrics = await eventually(() => urlOf('serving /metrics'), { within: STARTED_WITHIN_MS });
  return {
    pid: child.pid,
    running: child.running,
    output,
    said,
    signal: child.signal,
    exited: child.exited,
    probe: async (page) => {
      const response = await fetch(`${probes}/${page}`, { signal: AbortSignal.timeout(5_000) });
      return { ok: response.ok, text: await response.text() };
    },
    metrics: async () => parseMetrics(await (await fetch(`${metrics}/metrics`)).text()),
    [Symbol.asyncDispose]: async () => {
      await child.kill();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function parseMetrics(text: string): Metrics {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.replace(/^.* /, ''))]));
}

/** The sum of all series of a metric whose labels match. */
export const total = (metrics: Metrics, name: string, labels = /(?:)/): number =>
  [...metrics]
    .filter(([series]) => series.replace(/\{.*/, '') === name && labels.test(series))
    .reduce((sum, [, value]) => sum + value, 0);
