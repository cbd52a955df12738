import { describe, expect, it } from 'vitest';
import { authFor, dockerConfig, registryAuth, serviceAccountAuth } from '../../src/api/docker-config.ts';
import { SecretValue } from '../../src/api/secret-value.ts';

const value = (text: string): SecretValue => new SecretValue(Buffer.from(text).toString('base64'));
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const shown = (secret: SecretValue | undefined): string | undefined =>
  secret && Buffer.from(SecretValue.reveal(secret), 'base64').toString();

describe('the credential for a registry', () => {
  it.each([
    ["base64 of user:password, as Truss's documents say", base64('me:pa:ss')],
    ['the same with a newline after it', `${base64('me:pa:ss')}\n`],
    ['the same with a newline in it', base64('me:pa:ss\n')],
    ['plain text', 'me:pa:ss'],
    ['a docker config', JSON.stringify({ auths: { 'ghcr.io': { auth: base64('me:pa:ss') } } })],
  ])('may be %s', (_how, text) => {
    expect(shown(registryAuth(value(text), 'ghcr.io'))).toBe('me:pa:ss');
  });

  it.each([
    ['a bare token', 'ghp_abcdefghijklmnop'],
    ['a token that is base64 of no text', base64('\u0001:\u0002')],
    ['a docker config without the registry', JSON.stringify({ auths: { 'other.io': {} } })],
    ['not UTF-8', '\xff:\xfe'],
    ['nothing', ''],
  ])('is refused when it is %s', (_what, text) => {
    expect(registryAuth(new SecretValue(Buffer.from(text, 'latin1').toString('base64')), 'ghcr.io')).toBe(
      undefined,
    );
  });

  it("is the JSON of a Google service account, under Google's user name", () => {
    const json = '{"type": "service_account", "private_key": "…"}\n';
    expect(shown(serviceAccountAuth(value(json)))).toBe(`_json_key:${json}`);
    expect(serviceAccountAuth(value('no json'))).toBe(undefined);
    expect(serviceAccountAuth(value('["a"]'))).toBe(undefined);
  });
});

describe('the entry for a registry in a docker config', () => {
  const config = value(
    JSON.stringify({
      auths: {
        'https://index.docker.io/v1/': { auth: base64('hub:1') },
        'ghcr.io': { username: 'me', password: 'p:w' },
        'ghcr.io/org': { auth: base64('org:2') },
        'token.io': { identitytoken: 'x' },
        'broken.io': { auth: '*' },
      },
    }),
  );

  it.each([
    ['https://index.docker.io/v1/', 'hub:1'],
    ['index.docker.io', 'hub:1'],
    ['https://ghcr.io', 'me:p:w'],
    ['GHCR.io/', 'me:p:w'],
    ['ghcr.io/org', 'org:2'],
    ['quay.io', undefined],
    ['token.io', undefined],
    ['broken.io', undefined],
    ['__proto__', undefined],
  ])('%s: %s', (registry, credential) => {
    expect(shown(authFor(config, registry))).toBe(credential);
  });

  it.each(['', 'no json', '{}', '{"auths": []}', '{"auths": {"ghcr.io": null}}'])('%j has none', (text) => {
    expect(authFor(value(text), 'ghcr.io')).toBe(undefined);
  });
});

describe('the docker config that is written', () => {
  const one = value('a:1');
  const two = value('ü:2');

  it('has one auth for each registry', () => {
    const text =
      shown(
        dockerConfig(
          new Map([
            ['x.io', one],
            ['__proto__', two],
          ]),
        ),
      ) ?? '';
    expect(JSON.parse(text)).toEqual({
      auths: JSON.parse(`{"x.io": {"auth": "${base64('a:1')}"}, "__proto__": {"auth": "${base64('ü:2')}"}}`),
    });
  });

  it('is the same whatever the order, so that it is written once', () => {
    const forth = dockerConfig(
      new Map([
        ['a', one],
        ['b', two],
      ]),
    );
    const back = dockerConfig(
      new Map([
        ['b', two],
        ['a', one],
      ]),
    );
    expect(forth.equals(back)).toBe(true);
  });

  it('shows nothing of a credential', () => {
    const config = dockerConfig(new Map([['a', one]]));
    expect(`${String(config)} ${JSON.stringify({ config })}`).toBe('[redacted] {"config":"[redacted]"}');
  });
});
