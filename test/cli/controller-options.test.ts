import { describe, expect, it } from 'vitest';
import { controllerOptions, controllerSettings, variableOf } from '../../src/cli/controller-options.ts';
import { UsageError } from '../../src/cli/errors.ts';
import { parseOptions } from '../../src/cli/options.ts';

const settings = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  controllerSettings(parseOptions(controllerOptions, args, false).values, env);

const POD = { KUBERNETES_SERVICE_HOST: '10.96.0.1' };

describe('settings of the operator', () => {
  it('outside of a pod: all namespaces, alone, nothing served', () => {
    expect(settings([])).toEqual({
      inPod: false,
      namespaces: undefined,
      requireApproval: false,
      election: undefined,
      metrics: undefined,
      probes: undefined,
      log: { level: 'info', format: 'json' },
    });
  });

  it('in a pod: it stands for leader, and serves metrics and probes', () => {
    expect(settings([], POD)).toMatchObject({
      inPod: true,
      election: {
        name: 'truss-secrets',
        namespace: undefined,
        timings: { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 },
      },
      metrics: { host: undefined, port: 8080 },
      probes: { host: undefined, port: 8081 },
    });
  });

  it('with a kubeconfig a pod is no pod', () => {
    expect(settings(['--kubeconfig', '/x'], POD)).toMatchObject({
      inPod: false,
      election: undefined,
      probes: undefined,
    });
  });

  it.each<[string[], Record<string, string>, object]>([
    [['--namespaces', 'a, b,a'], {}, { namespaces: ['a', 'b'] }],
    [['--namespaces', 'a'], { TRUSS_SECRETS_NAMESPACES: 'b' }, { namespaces: ['a'] }],
    [[], { TRUSS_SECRETS_NAMESPACES: 'b' }, { namespaces: ['b'] }],
    [[], { TRUSS_SECRETS_NAMESPACES: '' }, { namespaces: undefined }],
    [['--require-approval'], {}, { requireApproval: true }],
    [['--require-approval=false'], { TRUSS_SECRETS_REQUIRE_APPROVAL: 'true' }, { requireApproval: false }],
    [[], { TRUSS_SECRETS_REQUIRE_APPROVAL: 'true' }, { requireApproval: true }],
    [['--leader-elect=false'], POD, { election: undefined }],
    [['--no-leader-elect'], POD, { election: undefined }],
    [[], { ...POD, TRUSS_SECRETS_LEADER_ELECT: 'false' }, { election: undefined }],
    [
      ['--leader-elect', '--leader-elect-resource-name=l', '--leader-elect-resource-namespace=n'],
      {},
      { election: { name: 'l', namespace: 'n' } },
    ],
    [
      [
        '--leader-elect',
        '--leader-elect-lease-duration=1m30s',
        '--leader-elect-renew-deadline=1m',
        '--leader-elect-retry-period=500ms',
      ],
      {},
      { election: { timings: { leaseMs: 90_000, renewDeadlineMs: 60_000, retryMs: 500 } } },
    ],
    [['--metrics-bind-address=0'], POD, { metrics: undefined }],
    [['--metrics-bind-address=127.0.0.1:0'], {}, { metrics: { host: '127.0.0.1', port: 0 } }],
    [['--health-probe-bind-address=[::1]:9'], {}, { probes: { host: '::1', port: 9 } }],
    [['--log-level=debug', '--log-format=text'], {}, { log: { level: 'debug', format: 'text' } }],
  ])('%j with %j', (args, env, expected) => {
    expect(settings(args, env)).toMatchObject(expected);
  });

  it.each<[string[], Record<string, string>, string]>([
    [['--namespaces', 'A'], {}, '--namespaces: "A" is no name of a namespace'],
    [[], { TRUSS_SECRETS_NAMESPACES: 'a/b' }, '$TRUSS_SECRETS_NAMESPACES: "a/b" is no name of a namespace'],
    [['--namespaces', 'a,,b'], {}, '--namespaces: "" is no name of a namespace'],
    [
      [],
      { TRUSS_SECRETS_REQUIRE_APPROVAL: 'yes' },
      '$TRUSS_SECRETS_REQUIRE_APPROVAL: "yes" is not true or false',
    ],
    [['--log-level=trace'], {}, '--log-level "trace" is none of debug, info, warn, error'],
    [[], { TRUSS_SECRETS_LOG_FORMAT: 'jsn' }, '$TRUSS_SECRETS_LOG_FORMAT "jsn" is none of json, text'],
    [['--metrics-bind-address=8080'], {}, '--metrics-bind-address: "8080" is not an address'],
    [['--metrics-bind-address=:99999'], {}, '--metrics-bind-address: ":99999" is not an address'],
    [
      ['--leader-elect', '--leader-elect-lease-duration=15'],
      {},
      '--leader-elect-lease-duration: "15" is not a duration such as 15s',
    ],
    [['--leader-elect', '--leader-elect-lease-duration=0s'], {}, '"0s" is not a duration'],
    [
      ['--leader-elect', '--leader-elect-lease-duration=10s'],
      {},
      'the lease duration (10000 ms) must be longer than the renew deadline (10000 ms)',
    ],
    [['--leader-elect', '--leader-elect-retry-period=6s'], {}, 'at least twice the retry period'],
    [
      ['--leader-elect', '--leader-elect-resource-name=A'],
      {},
      '--leader-elect-resource-name: "A" is no name',
    ],
    [
      ['--leader-elect', '--leader-elect-resource-namespace=a.b'],
      {},
      '--leader-elect-resource-namespace: "a.b" is no name of a namespace',
    ],
  ])('%j with %j is refused: %s', (args, env, message) => {
    const read = () => settings(args, env);
    expect(read).toThrow(UsageError);
    expect(read).toThrow(message);
  });

  it('every setting has a variable of its name', () => {
    expect(variableOf('health-probe-bind-address')).toBe('TRUSS_SECRETS_HEALTH_PROBE_BIND_ADDRESS');
  });
});
