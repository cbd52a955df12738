import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cacheFolder, once } from '../cache.ts';
import { temporaryFolder } from '../guard.ts';

const below = (folder: string) => readdirSync(folder).filter((name) => !name.endsWith('.lock'));

describe('a folder of the cache', () => {
  test('is made by one of several callers at a time', async () => {
    await using cache = await temporaryFolder(join(tmpdir(), 'truss-test-'));
    let made = 0;
    const make = async (folder: string): Promise<void> => {
      made += 1;
      await writeFile(join(folder, 'file'), '');
    };
    const folder = join(cache.path, 'thing');
    await Promise.all([once(folder, make), once(folder, make), once(folder, make)]);
    expect(made).toBe(1);
    expect(existsSync(join(folder, 'file'))).toBe(true);
    expect(below(cache.path)).toEqual(['thing']);
  });

  test('is not there after a failure, and can be made again', async () => {
    await using cache = await temporaryFolder(join(tmpdir(), 'truss-test-'));
    const folder = join(cache.path, 'thing');
    const fails = once(folder, () => Promise.reject(new Error('disk full')));
    await expect(fails).rejects.toThrow('disk full');
    expect(below(cache.path)).toEqual([]);
    await once(folder, () => Promise.resolve());
    expect(below(cache.path)).toEqual(['thing']);
  });
});

test.each<readonly [env: NodeJS.ProcessEnv, folder: string]>([
  [{ TRUSS_SECRETS_CACHE: '/c', XDG_CACHE_HOME: '/x' }, '/c'],
  [{ XDG_CACHE_HOME: '/x' }, '/x/truss-secrets'],
])('with %j the cache is %s', (env, folder) => {
  expect(cacheFolder(env)).toBe(folder);
});
