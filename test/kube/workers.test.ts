import { describe, expect, it } from 'vitest';
import { type Outcome, startWorkers, type WorkReport } from '../../src/kube/workers.ts';
import { eventually } from '../cluster/eventually.ts';

const DONE: Outcome = { kind: 'done' };
const QUICK = { baseMs: 5, factor: 2, maxMs: 40, jitter: 0 };

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Work that ends when the test says so. */
function manualWork() {
  const begun: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<Outcome>>();
  return {
    begun,
    work: (key: string): Promise<Outcome> => {
      begun.push(key);
      const gate = Promise.withResolvers<Outcome>();
      gates.set(key, gate);
      return gate.promise;
    },
    finish: (key: string, outcome: Outcome = DONE) => gates.get(key)?.resolve(outcome),
    fail: (key: string, error: Error) => gates.get(key)?.reject(error),
  };
}

const noErrors = (key: string, error: unknown): void => {
  throw new Error(`work on ${key} failed`, { cause: error });
};

describe('workers', () => {
  it('work on as many keys at a time as they are, and on the next when one is done', async () => {
    const { begun, work, finish } = manualWork();
    const workers = startWorkers({ concurrency: 2, work, onError: noErrors });
    for (const key of ['a', 'b', 'c']) workers.add(key);
    await nextTurn();
    expect(begun).toEqual(['a', 'b']);
    expect(workers.stats).toMatchObject({ depth: 1, inHand: 2, added: 3 });
    finish('a');
    await nextTurn();
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('never begin inside of add', () => {
    const { begun, work } = manualWork();
    startWorkers({ concurrency: 1, work, onError: noErrors }).add('a');
    expect(begun).toEqual([]);
  });

  it('let others have a turn now and then, although the work waits for nothing', async () => {
    const keys = Array.from({ length: 100 }, (_, index) => `${index}`);
    let begun = 0;
    const work = async (): Promise<Outcome> => {
      begun += 1;
      const end = performance.now() + 1;
      while (performance.now() < end);
      return DONE;
    };
    const workers = startWorkers({ concurrency: 4, work, onError: noErrors });
    for (const key of keys) workers.add(key);
    await nextTurn();
    await nextTurn();
    expect(begun).toBeGreaterThan(0);
    expect(begun).toBeLessThan(50);
    await eventually(() => expect(begun).toBe(100));
  });

  it('never have a key in hand twice, and look at it again when it was added meanwhile', async () => {
    const { begun, work, finish } = manualWork();
    const workers = startWorkers({ concurrency: 4, work, onError: noErrors });
    workers.add('a');
    await nextTurn();
    workers.add('a');
    await nextTurn();
    expect(begun).toEqual(['a']);
    finish('a');
    await nextTurn();
    expect(begun).toEqual(['a', 'a']);
  });

  it('let an edit overtake the work of start-up', async () => {
    const { begun, work, finish } = manualWork();
    const workers = startWorkers({ concurrency: 1, work, onError: noErrors });
    for (const key of ['start/1', 'start/2', 'start/3']) workers.add(key, { priority: 'low' });
    await nextTurn();
    workers.add('edit');
    finish('start/1');
    await nextTurn();
    expect(begun).toEqual(['start/1', 'edit']);
  });

  it('keep hands for edits that low work does not get', async () => {
    const { begun, work } = manualWork();
    const workers = startWorkers({ concurrency: 3, reserved: 1, work, onError: noErrors });
    for (const key of ['start/1', 'start/2', 'start/3']) workers.add(key, { priority: 'low' });
    await nextTurn();
    expect(begun).toEqual(['start/1', 'start/2']);
    workers.add('edit');
    await nextTurn();
    expect(begun).toEqual(['start/1', 'start/2', 'edit']);
  });

  it.each([
    ['that waited for the server', 8, async () => await nextTurn()],
    ['that waited for nothing', 20, async () => {}],
  ])('go on with the low ones after an edit %s: with %i at once', async (_, expected, edited) => {
    const { begun, work } = manualWork();
    const edits: string[] = [];
    const edit = async (key: string): Promise<Outcome> => {
      await edited();
      edits.push(key);
      return DONE;
    };
    const workers = startWorkers({
      concurrency: 40,
      work: (key) => (key === 'edit' ? edit(key) : work(key)),
      onError: noErrors,
    });
    workers.add('edit');
    for (let at = 0; at < 20; at += 1) workers.add(`start/${at}`, { priority: 'low' });
    await eventually(() => expect(edits).toEqual(['edit']));
    await nextTurn();
    expect(begun).toHaveLength(expected);
    // with nothing that ends or is added
    await eventually(() => expect(begun).toHaveLength(20));
  });

  it('begin a delayed key at its time, and an earlier one before it', async () => {
    const begun: string[] = [];
    const workers = startWorkers({
      concurrency: 1,
      work: async (key) => {
        begun.push(key);
        return DONE;
      },
      onError: noErrors,
    });
    const start = performance.now();
    workers.add('late', { afterMs: 60 });
    workers.add('soon', { afterMs: 30 });
    await eventually(() => expect(begun).toEqual(['soon', 'late']));
    expect(performance.now() - start).toBeGreaterThanOrEqual(59);
  });

  it('try again what failed or asked for it, later each time, and say so', async () => {
    const reports: WorkReport[] = [];
    const errors: string[] = [];
    const outcomes: (Outcome | Error)[] = [
      new Error('broken'),
      { kind: 'retry', policy: QUICK },
      { kind: 'retry', policy: QUICK, afterMs: 80 },
      { kind: 'again', afterMs: 10 },
      DONE,
    ];
    const begunAt: number[] = [];
    const workers = startWorkers({
      concurrency: 1,
      work: async () => {
        begunAt.push(performance.now());
        const outcome = outcomes.shift();
        if (outcome instanceof Error) throw outcome;
        return outcome ?? DONE;
      },
      onError: (key, error) => errors.push(`${key}: ${String(error)}`),
      observe: (report) => reports.push(report),
    });
    workers.add('a');
    await eventually(() => expect(reports).toHaveLength(5));
    expect(reports.map(({ outcome }) => outcome)).toEqual(['error', 'retry', 'retry', 'again', 'done']);
    expect(errors).toEqual(['a: Error: broken']);
    expect((begunAt[3] ?? 0) - (begunAt[2] ?? 0)).toBeGreaterThanOrEqual(79);
    expect(workers.stats).toMatchObject({ depth: 0, delayed: 0, inHand: 0, retries: 3 });
  });

  it('say of a piece of work whether it was the last one for now', async () => {
    const { work, finish } = manualWork();
    const reports: WorkReport[] = [];
    const observe = (report: WorkReport): void => void reports.push(report);
    const workers = startWorkers({ concurrency: 2, work, onError: noErrors, observe });
    for (const key of ['a', 'b', 'c']) workers.add(key);
    workers.add('later', { afterMs: 60_000 });
    await nextTurn();
    // others wait; another one is in hand; none is left but the one whose time has not come
    for (const key of ['a', 'b', 'c']) {
      finish(key);
      await nextTurn();
    }
    expect(reports.map(({ wasLast }) => wasLast)).toEqual([false, false, true]);
    await workers.stop();
  });

  it('finish what they have in hand when they are stopped, and take nothing more', async () => {
    const { begun, work, finish } = manualWork();
    const workers = startWorkers({ concurrency: 1, work, onError: noErrors });
    workers.add('a');
    workers.add('b');
    await nextTurn();
    let stopped = false;
    const stopping = workers.stop().then(() => {
      stopped = true;
      return stopped;
    });
    await nextTurn();
    expect(stopped).toBe(false);
    finish('a');
    await stopping;
    workers.add('c');
    await nextTurn();
    expect(begun).toEqual(['a']);
  });

  it('stop at once when nothing is in hand', async () => {
    const workers = startWorkers({ concurrency: 1, work: async () => DONE, onError: noErrors });
    workers.add('never', { afterMs: 100_000 });
    await workers.stop();
    expect(workers.stats.inHand).toBe(0);
  });

  it('take nothing more once their signal is aborted', async () => {
    const { begun, work } = manualWork();
    const controller = new AbortController();
    const workers = startWorkers({ concurrency: 1, work, onError: noErrors, signal: controller.signal });
    workers.add('a');
    controller.abort();
    await nextTurn();
    await workers.stop();
    expect(begun).toEqual([]);
  });
});
