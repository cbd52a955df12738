import { describe, expect, it } from 'vitest';
import { isCIdentifier, isSecretKey, jfrogProblem, nameProblem, normalise } from '../../src/truss/names.ts';

const LONGEST = 'a'.repeat(253);

describe('isSecretKey: the keys that Kubernetes and Truss take', () => {
  it.each([
    'hf_access_token',
    'MY_API_TOKEN',
    'a',
    '0',
    '-',
    '_',
    'a.b',
    '.hidden',
    'a..b',
    '__proto__',
    LONGEST,
  ])('takes %s', (name) => {
    expect(isSecretKey(name)).toBe(true);
  });
  it.each(['', '.', '..', '..a', '../x', 'a/b', 'a b', 'a\n', 'é', 'a:b', `${LONGEST}a`])(
    'refuses %j',
    (name) => {
      expect(isSecretKey(name)).toBe(false);
    },
  );
});

describe('nameProblem: names that are never delivered', () => {
  it.each([
    ['', 'InvalidName'],
    ['a b', 'InvalidName'],
    [`${LONGEST}a`, 'InvalidName'],
    ['../x', 'PathTraversal'],
    ['/etc/hostname', 'PathTraversal'],
    ['sub/x', 'PathTraversal'],
    ['.', 'PathTraversal'],
    ['..a', 'PathTraversal'],
    ['TRUSS_SECRET_X', 'PrefixedName'],
  ])('%j: %s', (name, code) => {
    expect(nameProblem(name)?.code).toBe(code);
  });

  it.each(['hf_access_token', 'truss_secret_x', 'constructor', '__proto__', 'toString', LONGEST])(
    'nothing is against %s',
    (name) => {
      expect(nameProblem(name)).toBeUndefined();
    },
  );

  it('shows no control character of a name', () => {
    expect(nameProblem('a\u001b[31m')?.message).not.toContain('\u001b');
  });
});

it.each([
  ['A_b1', true],
  ['_', true],
  ['1a', false],
  ['a-b', false],
  ['a.b', false],
  ['', false],
])('isCIdentifier(%j) is %s', (name, expected) => {
  expect(isCIdentifier(name)).toBe(expected);
});

it('normalise makes names alike that Baseten holds for one', () => {
  expect(normalise('hf_access_token')).toBe(normalise('HF-Access.Token'));
  expect(normalise('a-b')).not.toBe(normalise('ab'));
});

describe("jfrogProblem: JFrog ML's rule", () => {
  it.each(['abc', 'aws-api-key', `a${'-'.repeat(34)}b`])('takes %s', (name) => {
    expect(jfrogProblem(name)).toBeUndefined();
  });
  it.each(['ab', 'snowflake_user', 'Abc', '1ab', 'ab-', 'a'.repeat(37)])('refuses %s', (name) => {
    expect(jfrogProblem(name)?.code).toBe('JfrogName');
  });
});
