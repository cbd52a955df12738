import { readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianPackages } from '../cluster/debian.ts';
import { temporaryFolder } from '../cluster/guard.ts';

/** A wall clock of a process's own; its timers go on as they are, as they do when a machine's clock is set. */
export interface FakeClock extends AsyncDisposable {
  /** What the process needs in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Seen by the process within a second. */
  readonly set: (hoursFromNow: number) => void;
}

/** Throws PackagesUnavailable where there is no faketime to be had. */
export async function fakeClock(): Promise<FakeClock> {
  const libraries = join(await debianPackages(['libfaketime']), 'usr/lib');
  const library = readdirSync(libraries, { recursive: true, encoding: 'utf8' }).find((path) =>
    path.endsWith('/libfaketime.so.1'),
  );
  if (library === undefined) throw new Error(`no libfaketime in ${libraries}`);
  const folder = await temporaryFolder(join(tmpdir(), 'truss-secrets-clock-'));
  const file = join(folder.path, 'clock');
  const set = (hours: number): void => writeFileSync(file, `${hours < 0 ? '-' : '+'}${Math.abs(hours)}h\n`);
  set(0);
  return {
    env: {
      LD_PRELOAD: join(libraries, library),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
    set,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
