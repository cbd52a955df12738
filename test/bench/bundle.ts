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
  /** What the image tells malloc. */
  readonly env: Readonly<Record<string, string>>;
}

export async function makeBundle(folder: string, built: string | undefined): Promise<Bundle> {
  const place = built ?? join(folder, 'dist');
  if (built === undefined) await run(process.execPath, ['build.ts', place], { cwd: ROOT });
  const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
  return { main: join(place, 'main.js'), flags: imageFlags(dockerfile), env: mallocEnv(dockerfile) };
}

/** What stands between the program and its first argument. */
function imageFlags(dockerfile: string): readonly string[] {
  const between = /^ENTRYPOINT \["node", (.*)"\/app\/main\.js"\]$/m.exec(dockerfile)?.[1];
  if (between === undefined) throw new Error('the Dockerfile does not start node with /app/main.js');
  return [...between.matchAll(/"([^"]+)"/g)].map(([, flag = '']) => flag);
}

function mallocEnv(dockerfile: string): Readonly<Record<string, string>> {
  const found = [...dockerfile.matchAll(/\b(MALLOC_\w+)=(\d+)/g)];
  if (found.length === 0) throw new Error('the Dockerfile says nothing to malloc');
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, value]));
}
