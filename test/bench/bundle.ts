import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../cluster/process.ts';

const ROOT = join(import.meta.dirname, '../..');

/**
 * What ships, as the image runs it. Built into a folder of this run, because `dist` is anybody's to rebuild; a folder
 * that was built before is taken as it is, to compare one with another.
 */
export interface Bundle {
  /** Path of main.js. */
  readonly main: string;
  /** Flags of Node that the image sets. */
  readonly flags: readonly string[];
}

export async function makeBundle(folder: string, built: string | undefined): Promise<Bundle> {
  const place = built ?? join(folder, 'dist');
  if (built === undefined) await run(process.execPath, ['build.ts', place], { cwd: ROOT });
  return { main: join(place, 'main.js'), flags: await imageFlags() };
}

/** What stands between the program and its first argument in the Dockerfile. */
async function imageFlags(): Promise<readonly string[]> {
  const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
  const between = /^ENTRYPOINT \["node", (.*)"\/app\/main\.js"\]$/m.exec(dockerfile)?.[1];
  if (between === undefined) throw new Error('the Dockerfile does not start node with /app/main.js');
  return [...between.matchAll(/"([^"]+)"/g)].map(([, flag = '']) => flag);
}
