import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operatorIdentity, startOperator } from '../operator.ts';
import { newWorld, type World } from '../world.ts';

const FOLDER = new URL('../../../../shared/corpus/truss-examples/', import.meta.url);
const Expected = z.record(
  z.string(),
  z.looseObject({ secrets: z.record(z.string(), z.string()).optional() }),
);

const files: [string, readonly string[]][] = existsSync(FOLDER)
  ? Object.entries(Expected.parse(JSON.parse(readFileSync(new URL('expected.json', FOLDER), 'utf8')))).map(
      ([file, { secrets }]) => [file, Object.keys(secrets ?? {})],
    )
  : [];

describe('real config.yaml files on a real API server', () => {
  let world: World;
  const declaring = files.filter(([, names]) => names.length > 0);
  const all = [...new Set(declaring.flatMap(([, names]) => names))];
  // every second name is stored: the others have to be missing
  const stored = new Map(
    all.filter((_, index) => index % 2 === 0).map((name) => [name, `value of ${name}\r\n`]),
  );

  beforeEach((ctx) => ctx.skip(files.length === 0, 'the corpus of real files is not beside this checkout'));
  beforeAll(async () => {
    if (files.length === 0) return;
    world = await newWorld();
    const { kubeconfig } = await operatorIdentity([world.namespace]);
    await startOperator(kubeconfig, [world.namespace]);
    await world.storeSecret('org', { ...Object.fromEntries(stored), unrelated: 'x' });
    await Promise.all(
      declaring.map(async ([file]) => {
        const text = readFileSync(new URL(file, FOLDER), 'utf8');
        await world.model(`m${file}`, { config: { inline: text }, workloads: [] });
      }),
    );
  });

  it('there are some that declare secrets', () => {
    expect(declaring.length).toBeGreaterThan(20);
  });

  it.each(declaring)(
    '%s: the delivered Secret has exactly the declared names that the store has',
    async (file, names) => {
      const status = await world.status(`m${file}`, ({ observedGeneration }) =>
        expect(observedGeneration).toBe(1),
      );
      const listed = (status.secrets ?? []).flatMap(({ name, role }) => (role === 'Optional' ? [] : [name]));
      expect(listed).toEqual(expect.arrayContaining([...names]));
      const delivered = await world.delivered(`m${file}`);
      const runtime = Object.entries(delivered ?? {}).map(([key, value]) => [key, value.toString()]);
      const optional = (status.secrets ?? []).flatMap(({ name, role }) =>
        role === 'Optional' ? [name] : [],
      );
      const expected = [...names, ...optional].filter((name) => stored.has(name));
      expect(Object.fromEntries(runtime)).toEqual(
        Object.fromEntries(expected.map((name) => [name, stored.get(name)])),
      );
    },
  );
});
