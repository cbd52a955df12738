import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { controllerOptions, variableOf } from '../../src/cli/controller-options.ts';
import { operatorMetrics } from '../../src/controller/metrics.ts';

const read = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
const operations = read('operations.md');

const { families } = operatorMetrics({
  controller: () => undefined,
  leading: () => false,
  lease: 'truss-secrets',
  concurrency: 1,
  host: 'host',
  version: '0',
});

const { groups } = z
  .object({
    groups: z.array(
      z.object({ name: z.string(), rules: z.array(z.looseObject({ alert: z.string(), expr: z.string() })) }),
    ),
  })
  .parse(parse(read('alerts.yaml')));
const alerts = groups.flatMap(({ rules }) => rules);

describe('docs/operations.md', () => {
  it('has a row for each flag, and none besides', () => {
    const rows = [...operations.matchAll(/^\| `--([a-z-]+)/gm)].map(([, flag = '']) => flag);
    const flags = Object.keys(controllerOptions).filter((flag) => flag !== 'context');
    expect(rows.toSorted()).toEqual(flags.toSorted());
    expect(operations).toContain(`\`--log-level\` is \`${variableOf('log-level')}\``);
  });

  it('explains each metric of our own', () => {
    const own = families.map(({ name }) => name).filter((name) => name.startsWith('truss_secrets_'));
    const rows = [...operations.matchAll(/^\| `(truss_secrets_[a-z_]+)`/gm)].map(([, name = '']) => name);
    expect(rows.toSorted()).toEqual(own.toSorted());
  });

  it('says what to do for each alert', () => {
    const sections = [...operations.matchAll(/^\*\*(TrussSecrets[A-Za-z]+)\*\*/gm)].map(
      ([, name = '']) => name,
    );
    expect(sections).toEqual(alerts.map(({ alert }) => alert));
  });
});

describe('the example alerts', () => {
  it.each(alerts.map(({ alert, expr }) => [alert, expr] as const))(
    '%s asks for metrics and labels that there are',
    (_, expr) => {
      const asked = [
        ...expr.matchAll(/\b(?:truss_secrets|controller_runtime|workqueue|leader_election|process)_[a-z_]+/g),
      ];
      expect(asked).not.toEqual([]);
      const names = new Set(families.map(({ name }) => name));
      for (const [name] of asked) expect(names).toContain(name.replace(/_bucket$/, ''));
    },
  );
});
