import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../cluster/api.ts';
import { eventually } from '../cluster/eventually.ts';
import { type Arena, leads, openArena } from './arena.ts';
import { chaosSeed } from './random.ts';

const MODELS = 3;
const RIGHT_WITHIN_MS = 30_000;
/** A watch that was refused is tried again after 30 s at the latest. */
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
