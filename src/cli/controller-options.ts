import type { Address } from '../controller/serve.ts';
import { DEFAULT_LEADER_TIMINGS, type LeaderTimings } from '../kube/leader.ts';
import { UsageError } from './errors.ts';
import { LOG_FORMATS, LOG_LEVELS, type LogOptions } from './log.ts';
import { choice, clusterOptions, type Options, type Values } from './options.ts';

/** Each one can also be given as an environment variable: `--log-level` as `$TRUSS_SECRETS_LOG_LEVEL`. */
const settings = {
  namespaces: {
    type: 'string',
    value: 'NAMESPACE,...',
    help: 'watch only these; default: all',
  },
  'require-approval': {
    type: 'boolean',
    help: 'a model gets only what a ModelTrust approves, too',
  },
  'leader-elect': {
    type: 'boolean',
    help: 'work only while holding the lease; default: in a pod, yes',
  },
  'leader-elect-resource-name': {
    type: 'string',
    value: 'NAME',
    help: 'of the Lease; default truss-secrets',
  },
  'leader-elect-resource-namespace': {
    type: 'string',
    value: 'NAMESPACE',
    help: 'of the Lease; default: that of the pod, else of the context',
  },
  'leader-elect-lease-duration': {
    type: 'string',
    value: 'DURATION',
    help: 'others wait so long for a leader that is gone; default 15s',
  },
  'leader-elect-renew-deadline': {
    type: 'string',
    value: 'DURATION',
    help: 'a leader that could not renew for so long stops to work; default 10s',
  },
  'leader-elect-retry-period': {
    type: 'string',
    value: 'DURATION',
    help: 'between renewals, and between tries; default 2s',
  },
  'metrics-bind-address': {
    type: 'string',
    value: '[HOST]:PORT',
    help: 'where to serve /metrics; 0: nowhere; default: in a pod :8080, else 0',
  },
  'health-probe-bind-address': {
    type: 'string',
    value: '[HOST]:PORT',
    help: 'where to serve /healthz, /readyz and /livez; 0: nowhere; default: in a pod :8081, else 0',
  },
  'log-level': {
    type: 'string',
    value: LOG_LEVELS.join('|'),
    help: 'how much to log; default info',
  },
  'log-format': {
    type: 'string',
    value: LOG_FORMATS.join('|'),
    help: 'JSON for machines or text for people; default json',
  },
} as const satisfies Options;

export const controllerOptions = {
  ...settings,
  context: clusterOptions.context,
  kubeconfig: clusterOptions.kubeconfig,
} as const satisfies Options;

type Setting = keyof typeof settings;
type Environment = Readonly<Record<string, string | undefined>>;

export interface ControllerSettings {
  /** Whether the pod's own credentials are used. */
  readonly inPod: boolean;
  /** Undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  readonly requireApproval: boolean;
  /** Undefined: no leader election. */
  readonly election:
    | { readonly name: string; readonly namespace: string | undefined; readonly timings: LeaderTimings }
    | undefined;
  readonly metrics: Address | undefined;
  readonly probes: Address | undefined;
  readonly log: LogOptions;
}

/** `TRUSS_SECRETS_LOG_LEVEL` for `log-level`. */
export const variableOf = (setting: string): string =>
  `TRUSS_SECRETS_${setting.replaceAll('-', '_').toUpperCase()}`;

/**
 * The settings of the operator: a flag, else its environment variable (empty: not set), else the default.
 *
 * @throws UsageError that names the flag or variable, and what it takes
 */
export function controllerSettings(
  values: Values<typeof controllerOptions>,
  env: Environment,
): ControllerSettings {
  const given = new Given(values, env);
  const inPod =
    env['KUBERNETES_SERVICE_HOST'] !== undefined &&
    values.kubeconfig === undefined &&
    values.context === undefined;
  return {
    inPod,
    namespaces: given.names('namespaces'),
    requireApproval: given.flag('require-approval') ?? false,
    election: (given.flag('leader-elect') ?? inPod) ? electionOf(given) : undefined,
    metrics: given.address('metrics-bind-address', inPod ? ':8080' : '0'),
    probes: given.address('health-probe-bind-address', inPod ? ':8081' : '0'),
    log: {
      level: given.word('log-level', LOG_LEVELS) ?? 'info',
      format: given.word('log-format', LOG_FORMATS) ?? 'json',
    },
  };
}

function electionOf(given: Given): ControllerSettings['election'] {
  const timings = {
    leaseMs: given.duration('leader-elect-lease-duration') ?? DEFAULT_LEADER_TIMINGS.leaseMs,
    renewDeadlineMs: given.duration('leader-elect-renew-deadline') ?? DEFAULT_LEADER_TIMINGS.renewDeadlineMs,
    retryMs: given.duration('leader-elect-retry-period') ?? DEFAULT_LEADER_TIMINGS.retryMs,
  };
  if (timings.leaseMs <= timings.renewDeadlineMs || timings.renewDeadlineMs < 2 * timings.retryMs) {
    throw new UsageError(
      `leader election: the lease duration (${timings.leaseMs} ms) must be longer than the renew deadline (${timings.renewDeadlineMs} ms), and that at least twice the retry period (${timings.retryMs} ms)`,
    );
  }
  const name = given.text('leader-elect-resource-name') ?? 'truss-secrets';
  const namespace = given.text('leader-elect-resource-namespace');
  if (!NAME.test(name))
    throw new UsageError(`--leader-elect-resource-name: ${JSON.stringify(name)} is no name`);
  if (namespace !== undefined) checkNamespace('--leader-elect-resource-namespace', namespace);
  return { name, namespace, timings };
}

const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DURATION = /^(?:(\d{1,4})m)?(?:(\d{1,5})s)?(?:(\d{1,6})ms)?$/;
const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]*):(\d{1,5})$/;

function checkNamespace(source: string, name: string): void {
  if (!NAMESPACE.test(name))
    throw new UsageError(`${source}: ${JSON.stringify(name)} is no name of a namespace`);
}

/** What was given, on the command line or in the environment. */
class Given {
  readonly #values: Readonly<Record<string, string | boolean | undefined>>;
  readonly #env: Environment;

  constructor(values: Readonly<Record<string, string | boolean | undefined>>, env: Environment) {
    this.#values = values;
    this.#env = env;
  }

  text(setting: Setting): string | undefined {
    const value = this.#values[setting];
    if (typeof value === 'string') return value;
    const inEnvironment = this.#env[variableOf(setting)];
    return inEnvironment === '' ? undefined : inEnvironment;
  }

  /** Anything else than the two words is a mistake, which must not turn a guard off. */
  flag(setting: Setting): boolean | undefined {
    const value = this.#values[setting];
    if (typeof value === 'boolean') return value;
    const text = this.text(setting);
    if (text === undefined) return undefined;
    if (text === 'true' || text === 'false') return text === 'true';
    throw this.#wrong(setting, text, 'true or false');
  }

  word<const T extends string>(setting: Setting, words: readonly T[]): T | undefined {
    return choice(this.#source(setting), this.text(setting), words);
  }

  names(setting: Setting): readonly string[] | undefined {
    const text = this.text(setting);
    if (text === undefined || text === '') return undefined;
    const names = text.split(',').map((name) => name.trim());
    for (const name of names) checkNamespace(this.#source(setting), name);
    return [...new Set(names)];
  }

  /** Milliseconds. */
  duration(setting: Setting): number | undefined {
    const text = this.text(setting);
    if (text === undefined) return undefined;
    const [whole, minutes = '0', seconds = '0', milliseconds = '0'] = DURATION.exec(text) ?? [];
    const ms = Number(minutes) * 60_000 + Number(seconds) * 1_000 + Number(milliseconds);
    if (whole === undefined || ms === 0)
      throw this.#wrong(setting, text, 'a duration such as 15s, 1m30s or 500ms');
    return ms;
  }

  address(setting: Setting, fallback: string): Address | undefined {
    const text = this.text(setting) ?? fallback;
    if (text === '0') return undefined;
    const [, host = '', port = ''] = ADDRESS.exec(text) ?? [];
    if (port === '' || Number(port) > 65_535) {
      throw this.#wrong(setting, text, 'an address such as :8080 or 127.0.0.1:8080, nor 0 for none');
    }
    return { host: host === '' ? undefined : host.replace(/^\[|\]$/g, ''), port: Number(port) };
  }

  #wrong(setting: Setting, text: string, expected: string): UsageError {
    return new UsageError(`${this.#source(setting)}: ${JSON.stringify(text)} is not ${expected}`);
  }

  /** Where the value came from, so that a message names what is to be mended. */
  #source(setting: Setting): string {
    return this.#values[setting] === undefined ? `$${variableOf(setting)}` : `--${setting}`;
  }
}
