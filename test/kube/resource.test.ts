import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  apiVersion,
  collectionPath,
  collectionTemplate,
  deployments,
  keyOf,
  modelDeployments,
  namespaces,
  objectPath,
  objectTemplate,
  parseKey,
  secrets,
} from '../../src/kube/resource.ts';

describe('a path', () => {
  it.each([
    [collectionPath(secrets), '/api/v1/secrets'],
    [collectionPath(secrets, 'models'), '/api/v1/namespaces/models/secrets'],
    [collectionPath(deployments, 'models'), '/apis/apps/v1/namespaces/models/deployments'],
    [collectionPath(namespaces), '/api/v1/namespaces'],
    [objectPath(namespaces, { namespace: '', name: 'models' }), '/api/v1/namespaces/models'],
    [
      objectPath(modelDeployments, { namespace: 'models', name: 'gfpgan' }, 'status'),
      '/apis/truss-secrets.dev/v1alpha1/namespaces/models/modeldeployments/gfpgan/status',
    ],
    [collectionTemplate(secrets, 'models'), '/api/v1/namespaces/{namespace}/secrets'],
    [collectionTemplate(secrets, undefined), '/api/v1/secrets'],
    [objectTemplate(deployments, 'scale'), '/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale'],
    [objectTemplate(namespaces, undefined), '/api/v1/namespaces/{name}'],
  ])('%s', (path, expected) => {
    expect(path).toBe(expected);
  });

  it.each(['', '.', '..'])('is not made of the name %j', (name) => {
    expect(() => objectPath(secrets, { namespace: 'models', name })).toThrow(RangeError);
    expect(() => collectionPath(secrets, name)).toThrow(RangeError);
  });

  it('stays below its collection whatever the name is', () => {
    const legal = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .filter((name) => name !== '.' && name !== '..');
    fc.assert(
      fc.property(legal, (name) => {
        const url = new URL(objectPath(secrets, { namespace: 'models', name }), 'https://server');
        expect(url.pathname.split('/')).toHaveLength(7);
        expect(url.pathname.startsWith('/api/v1/namespaces/models/secrets/')).toBe(true);
        expect(url.search + url.hash).toBe('');
        expect(decodeURIComponent(url.pathname.split('/')[6] ?? '')).toBe(name);
      }),
    );
  });
});

describe('a key', () => {
  it('is namespace/name, both ways', () => {
    const key = { namespace: 'models', name: 'gfpgan' };
    expect(keyOf(key)).toBe('models/gfpgan');
    expect(parseKey('models/gfpgan')).toEqual(key);
    expect(parseKey(keyOf({ namespace: '', name: 'models' }))).toEqual({ namespace: '', name: 'models' });
  });
});

describe('an apiVersion', () => {
  it('has no group for the core', () => {
    expect([apiVersion(secrets), apiVersion(deployments)]).toEqual(['v1', 'apps/v1']);
  });
});
