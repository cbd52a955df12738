import { expect, it } from 'vitest';
import { Crew } from '../../src/controller/crew.ts';
import { eventually } from '../cluster/eventually.ts';

/** A crew whose work ends when the test says so. */
function crewOf() {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const crew = new Crew({
    concurrency: 4,
    work: async (key) => {
      begun.push(key);
      const { promise, resolve } = Promise.withResolvers<void>();
      ends.push(resolve);
      await promise;
      return { kind: 'done' };
    },
    onError: () => {},
  });
  return { crew, begun, end: () => ends.shift()?.() };
}

const settled = async (promise: Promise<unknown>): Promise<boolean> =>
  await Promise.race([
    promise.then(() => true),
    new Promise<boolean>((resolve) => setTimeout(resolve, 30, false)),
  ]);

it('works from the start on, with the keys that it is given then', async () => {
  const { crew, begun, end } = crewOf();
  crew.add('too-early');
  await crew.start(() => ['a', 'b']);
  crew.add('c');
  await eventually(() => expect(begun.toSorted()).toEqual(['a', 'b', 'c']));
  for (const _ of begun) end();
});

it('stops when what is in hand is finished, and begins nothing more', async () => {
  const { crew, begun, end } = crewOf();
  await crew.start(() => ['a']);
  await eventually(() => expect(begun).toEqual(['a']));
  const stopped = crew.stop();
  crew.add('b');
  expect(await settled(stopped)).toBe(false);
  end();
  await stopped;
  expect(begun).toEqual(['a']);
});

it('never works twice on a key at a time, also when it starts again while something is in hand', async () => {
  const { crew, begun, end } = crewOf();
  await crew.start(() => ['a']);
  await eventually(() => expect(begun).toEqual(['a']));
  void crew.stop();
  const again = crew.start(() => ['a']);
  expect(await settled(again)).toBe(false);
  expect(begun).toEqual(['a']);
  end();
  await again;
  await eventually(() => expect(begun).toEqual(['a', 'a']));
  end();
  await crew.stop();
});

it('does not start when it was stopped meanwhile', async () => {
  const { crew, begun, end } = crewOf();
  await crew.start(() => ['a']);
  await eventually(() => expect(begun).toEqual(['a']));
  void crew.stop();
  const again = crew.start(() => ['b']);
  const stopped = crew.stop();
  end();
  await Promise.all([again, stopped]);
  expect(begun).toEqual(['a']);
});

it('counts on over all the times that it worked', async () => {
  const { crew, begun, end } = crewOf();
  for (const key of ['a', 'b']) {
    await crew.start(() => [key]);
    await eventually(() => expect(begun).toContain(key));
    end();
    await crew.stop();
  }
  expect(crew.stats).toMatchObject({ added: 2, inHand: 0, depth: 0 });
});
