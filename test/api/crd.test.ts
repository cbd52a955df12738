import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { crdFiles } from '../../crds/generate.ts';
import { modelDeploymentCrd, modelTrustCrd } from '../../src/api/crd.ts';
import { isObject } from '../../src/plan/flatten.ts';

/** Every schema in the CRD, with its path. */
function* schemas(value: unknown, path = ''): Generator<[string, Readonly<Record<string, unknown>>]> {
  if (!isObject(value)) return;
  if (typeof value['type'] === 'string') yield [path, value];
  const { properties, items } = value;
  if (isObject(properties))
    for (const [name, inner] of Object.entries(properties)) yield* schemas(inner, `${path}.${name}`);
  if (items) yield* schemas(items, `${path}[]`);
}

function rootSchema(crd: object): unknown {
  const { spec } = crd as { spec: { versions: { schema: { openAPIV3Schema: unknown } }[] } };
  return spec.versions[0]?.schema.openAPIV3Schema;
}

describe('the generated CRD', () => {
  it.each([...crdFiles()])('crds/%s is up to date (else: npm run generate)', (name, content) => {
    expect(readFileSync(new URL(`../../crds/${name}`, import.meta.url), 'utf8')).toBe(content);
  });

  const fields = [modelDeploymentCrd(), modelTrustCrd()]
    .flatMap((crd) => [...schemas(rootSchema(crd))])
    .filter(([path]) => path !== '' && !path.startsWith('.metadata'));

  it.each(fields)('%s is described and bounded', (path, schema) => {
    // an item is described by its list
    if (!path.endsWith('[]')) expect(schema['description'], 'description').toMatch(/^.{3,}\.?$/);
    if (schema['type'] === 'array') expect(schema['maxItems'], 'maxItems').toBeTypeOf('number');
    if (schema['type'] === 'string' && path.startsWith('.s')) {
      expect(schema['maxLength'] ?? schema['enum'], 'maxLength').toBeDefined();
    }
  });

  it('says in its first sentence that it creates no pods', () => {
    const { description } = rootSchema(modelDeploymentCrd()) as { description: string };
    expect(description.split(/\. /)[0]).toContain('it does not create pods');
  });

  it('keeps the API server from tracking each entry of a status, which the operator always writes as a whole', () => {
    const lists = [...schemas(rootSchema(modelDeploymentCrd()))].filter(
      ([path, { type }]) => path.startsWith('.status') && type === 'array',
    );
    expect(lists.map(([path, schema]) => [path, schema['x-kubernetes-list-type']])).toEqual([
      ['.status.secrets', 'atomic'],
      ['.status.workloads', 'atomic'],
      ['.status.conditions', 'atomic'],
    ]);
  });

  it('has one field that names another namespace, which needs consent, and none that names a place to send things to', () => {
    const risky = fields
      .map(([path]) => path)
      .filter(
        (path) =>
          path.startsWith('.spec') && /namespace|url|uri|host|endpoint|server|image|command|path/i.test(path),
      );
    // whoever adds one has to guard it, and to say so in docs/security.md
    expect(risky).toEqual(['.spec.stores[].namespace']);
  });
});
