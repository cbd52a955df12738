import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../cluster/api.ts';
import { eventually } from '../cluster/eventually.ts';
import type { PolicyRule } from '../cluster/identity.ts';
import { operatorRules } from '../cluster/operator.ts';
import { type Arena, leads, openArena } from './arena.ts';
import { chaosSeed } from './random.ts';

const MODELS = 3;
const RIGHT_WITHIN_MS = 30_000;
/** What was refused is tried again, ever more rarely: a watch after 10 s at the latest, a write after twice the time of before. */
const RIGHT_AFTER_REFUSAL_MS = 45_000;

const REFUSED = {
  kind: 'respond',
  status: 401,
  body: { kind: 'Status', status: 'Failure', code: 401, reason: 'Unauthorized' },
} as const;

/** A second token for the ServiceAccount behind a first one. */
async function anotherToken({ api }: Arena, token: string): Promise<string> {
  const payload: { sub: string } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  const [, , namespace, name] = payload.sub.split(':');
  const { status } = await api.post<{ status: { token: string } }>(
    `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3_600 } },
  );
  return status.token;
}

/** What a fleet makes use of, a right at a time. */
const USED = new Set([
  'modeldeployments',
  'modeldeployments/status',
  'secrets',
  'deployments',
  'configmaps',
  'events',
]);
const rights = operatorRules().flatMap(({ resources, verbs }) =>
  resources
    .filter((resource) => USED.has(resource))
    .flatMap((resource) => verbs.map((verb) => [verb, resource] as const)),
);

const without = (rules: readonly PolicyRule[], verb: string, resource: string): readonly PolicyRule[] =>
  rules.flatMap((rule) => {
    if (!rule.resources.includes(resource)) return [rule];
    const others = rule.resources.filter((one) => one !== resource);
    const left = { ...rule, resources: [resource], verbs: rule.verbs.filter((one) => one !== verb) };
    return [{ ...rule, resources: others }, left].filter(
      ({ resources, verbs }) => resources.length > 0 && verbs.length > 0,
    );
  });

describe.concurrent('an operator that loses one right, and gets it back', () => {
  it.each(rights)(
    '%s %s: lives, and then brings everything to where it should be',
    async (verb, resource) => {
      await using arena = await openArena({ seed: chaosSeed() });
      await arena.fleet.populate(MODELS);
      const operator = await arena.operator();
      await leads(operator, RIGHT_WITHIN_MS);
      await arena.fleet.isRight(RIGHT_WITHIN_MS);
      const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${arena.namespace}/roles`;
      const { items } = await arena.api.get<{
        items: (KubernetesObject & { readonly rules: readonly PolicyRule[] })[];
      }>(roles);
      for (const { metadata, rules } of items)
        await arena.api.patch(`${roles}/${metadata.name}`, { rules: without(rules, verb, resource) });
      operator.proxy.breakAll();
      for (let made = 0; made < 4; made += 1) await arena.fleet.change();
      await arena.fleet.rotate();
      expect(await operator.process.probe('livez')).toMatchObject({ ok: true });
      for (const { metadata, rules } of items) await arena.api.patch(`${roles}/${metadata.name}`, { rules });
      await arena.fleet.isRight(RIGHT_AFTER_REFUSAL_MS);
      expect(operator.process.output()).not.toContain('crashed');
    },
  );
});

describe.concurrent('an operator', () => {
  it('whose token ends goes on with the new one that is there', async () => {
    await using arena = await openArena({ seed: chaosSeed() });
    await arena.fleet.populate(MODELS);
    const operator = await arena.operator();
    await leads(operator);
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    const old = operator.proxy.seen.at(-1)?.token ?? '';
    const fresh = await anotherToken(arena, old);
    operator.proxy.add({ match: { token: old }, fault: REFUSED });
    operator.proxy.breakAll();
    await arena.fleet.rotate();
    operator.renewToken(fresh);
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    expect(operator.process.output()).not.toContain(fresh);
    expect(operator.process.output()).not.toContain(old);
  });

  it('whose token ends before there is a new one changes nothing meanwhile, and goes on later', async () => {
    await using arena = await openArena({ seed: chaosSeed() });
    await arena.fleet.populate(MODELS);
    const operator = await arena.operator();
    await leads(operator);
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    const old = operator.proxy.seen.at(-1)?.token ?? '';
    const refused = operator.proxy.add({ match: { token: old }, fault: REFUSED });
    operator.proxy.breakAll();
    for (let made = 0; made < 4; made += 1) await arena.fleet.change();
    await eventually(() => expect(refused.applied).toBeGreaterThan(10));
    await eventually(async () => {
      const { ok, text } = await operator.process.probe('readyz');
      expect({ ok, text }).toEqual({ ok: false, text: expect.stringContaining('may not be read anywhere') });
    });
    expect(await operator.process.probe('livez')).toMatchObject({ ok: true });
    operator.renewToken(await anotherToken(arena, old));
    await arena.fleet.isRight(RIGHT_AFTER_REFUSAL_MS);
  });

  it('that loses its rights takes nothing away, and goes on when it has them again', async () => {
    await using arena = await openArena({ seed: chaosSeed() });
    await arena.fleet.populate(MODELS);
    const operator = await arena.operator();
    await leads(operator);
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    const bindings = `/apis/rbac.authorization.k8s.io/v1/namespaces/${arena.namespace}/rolebindings`;
    const { items } = await arena.api.get<{ items: KubernetesObject[] }>(bindings);
    for (const { metadata } of items) await arena.api.delete(`${bindings}/${metadata.name}`);
    operator.proxy.breakAll();
    await eventually(async () =>
      expect((await operator.process.probe('readyz')).text).toContain('forbidden'),
    );
    // what was delivered stays
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    for (let made = 0; made < 4; made += 1) await arena.fleet.change();
    for (const { metadata, ...rest } of items) {
      const { name, labels = {} } = metadata;
      await arena.api.post(bindings, { ...rest, metadata: { name, labels } });
    }
    await arena.fleet.isRight(RIGHT_AFTER_REFUSAL_MS);
    expect(operator.process.running()).toBe(true);
  });

  it('that may not read one of its namespaces works in the others', async () => {
    await using arena = await openArena({ seed: chaosSeed() });
    await arena.fleet.populate(MODELS);
    const operator = await arena.operator({ args: [`--namespaces=${arena.namespace},kube-public`] });
    await arena.fleet.isRight(RIGHT_WITHIN_MS);
    const { ok, text } = await operator.process.probe('readyz');
    expect({ ok, text }).toEqual({
      ok: true,
      text: expect.stringContaining('secrets in kube-public: not synced yet'),
    });
  });
});
