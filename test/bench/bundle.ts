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

export const IMAGE_FLAGS: readonly string[] = [];

export async function makeBundle(folder: string, built: string | undefined): Promise<Bundle> {
  const place = built ?? join(folder, 'dist');
  if (built === undefined) await run(process.execPath, ['build.ts', place], { cwd: ROOT });
  return { main: join(place, 'main.js'), flags: IMAGE_FLAGS };
}
