import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { leads, openArena } from './arena.ts';
import { chaosSeed } from './random.ts';

const RIGHT_WITHIN_MS = 30_000;

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}
const { groups }: Rules = parse(readFileSync(new URL('../../docs/alerts.yaml', import.meta.url), 'utf8'));
const alerts = groups.flatMap(({ rules }) => rules);

/** Label matchers of an expression, and the labels that it groups by, each with the metric that it is about. */
function labelsIn(expr: string): readonly (readonly [metric: string, label: string])[] {
  const matchers = [...expr.matchAll(/([a-z_]+)\{([^}]*)\}/g)].flatMap(([, metric = '', labels = '']) =>
    [...labels.matchAll(/([a-z_]+)\s*(?:!=|=~|=)/g)].map(([, label = '']) => [metric, label] as const),
  );
  const groupings = [...expr.matchAll(/by \(([a-z_]+)\) \((?:rate\()?([a-z_]+)/g)].map(
    ([, label = '', metric = '']) => [metric, label] as const,
  );
  // which job it is, only whoever scrapes knows
  return [...matchers, ...groupings].filter(([, label]) => label !== 'job');
}

describe('the metrics of an operator at work', () => {
  it('have each label that the example alerts select or group by', async () => {
    await using arena = await openArena({ seed: chaosSeed() });
    await arena.fleet.populate(3);
    const { process } = await arena.operator();
    await leads({ process }, RIGHT_WITHIN_MS);
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    const series = [...(await process.metrics()).keys()];
    const asked = alerts.flatMap(({ alert, expr }) => labelsIn(expr).map((one) => [alert, ...one] as const));
    expect(asked.length).toBeGreaterThan(alerts.length);
    const absent = asked.filter(
      ([, metric, label]) => !series.some((one) => new RegExp(`^${metric}\\{(?:.*,)?${label}="`).test(one)),
    );
    expect(absent).toEqual([]);
  });
});
