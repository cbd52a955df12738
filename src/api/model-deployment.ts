import * as z from 'zod';
import { ENV_PREFIX } from './names.ts';
import { unique, withRules } from './rules.ts';

/**
 * The ModelDeployment resource (DESIGN.md section 3). The CRD is generated from these schemas, and the
 * descriptions are what `kubectl explain` prints.
 */

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_VALUE = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const DATA_KEY = /^[-._a-zA-Z0-9]+$/;
export const ENV_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** A name as most objects of Kubernetes may have it. */
export const objectName = () => z.string().min(1).max(253).regex(DNS_SUBDOMAIN);
const namespaceName = () => z.string().min(1).max(63).regex(DNS_LABEL);
const storeName = () => z.string().min(1).max(63).regex(LABEL_VALUE);

export const WORKLOAD_KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob'] as const;
export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

/** Environment variables that decide which code a program loads: a secret's value must never be one of them. */
const LOADER_ENV =
  'LD_.*|DYLD_.*|PATH|NODE_OPTIONS|NODE_PATH|PYTHONPATH|PYTHONHOME|PYTHONSTARTUP|PYTHONINSPECT|BASH_ENV|ENV|SHELLOPTS|PERL5LIB|PERL5OPT|RUBYLIB|RUBYOPT|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|GCONV_PATH|IFS|GIT_SSH_COMMAND|GIT_EXEC_PATH';
const LOADER_ENV_PATTERN = new RegExp(`^(${LOADER_ENV})$`);

const configMapRef = z
  .object({
    name: objectName().describe('Name of the ConfigMap, in the namespace of the model.'),
    key: z
      .string()
      .min(1)
      .max(253)
      .regex(DATA_KEY)
      .default('config.yaml')
      .describe('Key of the ConfigMap that holds the config.yaml. Default: config.yaml.'),
  })
  .describe('A ConfigMap that holds the config.yaml.');

const config = withRules(
  z
    .object({
      configMapRef: configMapRef.optional(),
      inline: z.string().max(262144).optional().describe('The text of the config.yaml itself.'),
    })
    .describe('Where the config.yaml of the Truss is: exactly one of configMapRef and inline.'),
  [
    {
      cel: 'has(self.configMapRef) != has(self.inline)',
      message: 'give exactly one of spec.config.configMapRef and spec.config.inline',
      holds: (value) => (value.configMapRef === undefined) !== (value.inline === undefined),
    },
  ],
);

const store = z.object({
  name: storeName().describe(
    'The store: Secrets that carry the label truss-secrets.dev/store with this value.',
  ),
  namespace: namespaceName()
    .optional()
    .describe(
      'Namespace of the Secrets; default: that of the model. From another namespace only Secrets count that share themselves with the model by the annotation truss-secrets.dev/share-with.',
    ),
});

const stores = withRules(
  z
    .array(store)
    .min(1)
    .max(16)
    .default([{ name: 'default' }])
    .describe(
      'The stores to look in, in order of preference. Default: the store "default" in the namespace of the model.',
    )
    .meta({ 'x-kubernetes-list-type': 'atomic' }),
  [
    {
      cel: 'self.all(s, self.exists_one(t, t.name == s.name))',
      message: 'each entry of spec.stores needs a name of its own',
      holds: (value) => unique(value.map(({ name }) => name)),
    },
  ],
);

const plainEnvName = withRules(
  z.string().min(1).max(128).regex(ENV_NAME).describe('Name of an environment variable, without the prefix.'),
  [
    {
      cel: `!self.matches('^(${LOADER_ENV})$')`,
      message:
        'spec.overrides[].env must not name a variable that decides which code a program loads (PATH, LD_*, PYTHONPATH, ...)',
      holds: (name) => !LOADER_ENV_PATTERN.test(name),
    },
    {
      cel: `!self.startsWith('${ENV_PREFIX}')`,
      message: `spec.overrides[].env must not start with ${ENV_PREFIX}: the prefixed names belong to the declared secrets`,
      holds: (name) => !name.startsWith(ENV_PREFIX),
    },
  ],
);

const override = z.object({
  name: z.string().min(1).max(512).describe('Name of the secret as config.yaml declares it.'),
  from: z
    .object({
      store: storeName().describe(
        'Name of an entry of spec.stores; no other store is searched for this secret.',
      ),
      key: z
        .string()
        .min(1)
        .max(253)
        .regex(DATA_KEY)
        .describe('Key to take there instead of the declared name.'),
    })
    .optional()
    .describe('Takes the value from one store, under another key.'),
  env: z
    .array(plainEnvName)
    .max(4)
    .optional()
    .describe(
      'Also gives the value to the containers under these plain environment variable names, for example HF_TOKEN.',
    )
    .meta({ 'x-kubernetes-list-type': 'set' }),
});

const overrides = z
  .array(override)
  .max(256)
  .optional()
  .describe('Exceptions per declared secret. A name that config.yaml does not declare only gets a warning.')
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });

const workload = z.object({
  kind: z.enum(WORKLOAD_KINDS).describe('Kind of the workload; its API version is found by discovery.'),
  name: objectName().describe('Name of the workload, in the namespace of the model.'),
  containers: z
    .array(
      z
        .string()
        .min(1)
        .max(63)
        .regex(/^([a-z0-9]([-a-z0-9]*[a-z0-9])?|\*)$/),
    )
    .min(1)
    .max(64)
    .optional()
    .describe(
      'The containers that get the secrets; "*" means all of them, init containers too. Default: the one that the pod template\'s annotation kubectl.kubernetes.io/default-container names, else the first.',
    )
    .meta({ 'x-kubernetes-list-type': 'set' }),
});

export const modelDeploymentSpec = withRules(
  z
    .object({
      trusted: z
        .boolean()
        .default(false)
        .describe(
          'Whether the model may have its secrets. Default false: the workloads run, with no secret.',
        ),
      config,
      environment: z
        .string()
        .min(1)
        .max(63)
        .regex(LABEL_VALUE)
        .optional()
        .describe(
          'Prefer Secrets labelled truss-secrets.dev/environment with this value over Secrets without that label. Unset: Secrets with that label are not used.',
        ),
      stores,
      delivery: z
        .enum(['Mount', 'Env', 'None'])
        .default('Mount')
        .describe(
          'Mount (default): files in /secrets. Env: environment variables TRUSS_SECRET_<name>. None: only the Secret is written, and it is up to you to mount it.',
        ),
      onMissing: z
        .enum(['Wait', 'UseDefault', 'Skip'])
        .default('Wait')
        .describe(
          'What pods do without a value. Wait (default): they wait for it. UseDefault: they wait, but not for a secret that has a default in config.yaml. Skip: they start without it.',
        ),
      overrides,
      workloads: z
        .array(workload)
        .max(16)
        .default([])
        .describe('The workloads whose pods get the secrets.')
        .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['kind', 'name'] }),
      onChange: z
        .enum(['Restart', 'Keep'])
        .optional()
        .describe(
          'Whether pods are restarted by a rolling update when a value changes. Default: Restart as soon as any environment variable is injected, else Keep (files change in place).',
        ),
    })
    .describe('What the model asks for.'),
  [
    {
      cel: '!has(self.overrides) || self.overrides.all(o, !has(o.from) || self.stores.exists(s, s.name == o.from.store))',
      message: 'spec.overrides[].from.store must be the name of an entry of spec.stores',
      holds: ({ overrides: list, stores: known }) =>
        (list ?? []).every(({ from }) => !from || known.some(({ name }) => name === from.store)),
    },
    {
      cel: '!has(self.overrides) || self.overrides.all(o, !has(o.env) || o.env.all(e, self.overrides.exists_one(p, has(p.env) && e in p.env)))',
      message: 'an environment variable may be named by one entry of spec.overrides only',
      holds: ({ overrides: list }) => unique((list ?? []).flatMap(({ env }) => env ?? [])),
    },
  ],
);

export const SECRET_STATES = [
  'Delivered',
  'Missing',
  'Ambiguous',
  'Empty',
  'InvalidName',
  'Undeliverable',
  'UsingDefault',
  'BuildOnly',
  'Unsupported',
  'NotApproved',
  'Untrusted',
] as const;
export type SecretState = (typeof SECRET_STATES)[number];

export const WORKLOAD_STATES = [
  'Injected',
  'Waiting',
  'Conflict',
  'Frozen',
  'PodsStale',
  'Stuck',
  'Reverted',
  'NotAuthorized',
] as const;
export type WorkloadState = (typeof WORKLOAD_STATES)[number];

/** What kind of reference config.yaml makes; `Required` is not shown. */
export const SECRET_ROLES = ['Required', 'Default', 'Optional', 'Build', 'Pull', 'Weights'] as const;
export type SecretRole = (typeof SECRET_ROLES)[number];

export const MAX_DECLARED = 1024;
const MESSAGE_LENGTH = 1024;

const secretStatus = z.object({
  name: z.string().max(512).describe('The name that config.yaml declares.'),
  state: z.enum(SECRET_STATES).describe('Delivered, or why not.'),
  role: z
    .enum(SECRET_ROLES)
    .optional()
    .describe(
      'Default: config.yaml has a default for it. Optional: the model runs without it. Build, Pull, Weights: used for that only. Absent: a required runtime secret.',
    ),
  pull: z
    .object({
      method: z
        .string()
        .max(253)
        .describe('auth_method of base_image.docker_auth, or DOCKER_REGISTRY for a name with that prefix.'),
      registry: z.string().max(253).describe('The registry.'),
    })
    .optional()
    .describe('The secret is the credential for pulling images from a registry.'),
  source: z
    .object({
      namespace: z.string().max(63).describe('Namespace of the source Secret.'),
      name: z.string().max(253).describe('Name of the source Secret.'),
      key: z.string().max(512).describe('Key in the source Secret.'),
      uid: z
        .string()
        .max(64)
        .describe('UID of the source Secret: a value stays with the Secret that it was first taken from.'),
    })
    .optional()
    .describe('Where the value was found.'),
  message: z.string().max(MESSAGE_LENGTH).optional().describe('Why it is not delivered, and what to do.'),
});

const workloadStatus = z.object({
  kind: z.string().max(63).describe('Kind of the workload.'),
  name: z.string().max(253).describe('Name of the workload.'),
  state: z.enum(WORKLOAD_STATES).describe('Injected, or why not.'),
  message: z.string().max(MESSAGE_LENGTH).optional().describe('What is the matter, and what to do.'),
});

const condition = z.object({
  type: z.string().max(316).describe('Type of the condition.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether the condition holds.'),
  observedGeneration: z
    .int()
    .min(0)
    .optional()
    .describe('The metadata.generation that the condition was set for.')
    .meta({ format: 'int64' }),
  lastTransitionTime: z
    .string()
    .max(64)
    .describe('When the status last changed.')
    .meta({ format: 'date-time' }),
  reason: z.string().max(MESSAGE_LENGTH).describe('One word that says why.'),
  message: z.string().max(32768).describe('A sentence that says why, and what to do.'),
});

/**
 * Nobody but the operator writes the status, and it writes all of it: the API server need not keep who owns each field of
 * each entry (docs/decisions/0008-status-lists.md).
 */
const WRITTEN_AS_A_WHOLE = { 'x-kubernetes-list-type': 'atomic' };

export const modelDeploymentStatus = z
  .object({
    observedGeneration: z
      .int()
      .optional()
      .describe('The metadata.generation that this status was worked out for.')
      .meta({ format: 'int64' }),
    secretName: z.string().max(253).optional().describe('Name of the delivered Secret, when there is one.'),
    declared: z
      .int()
      .optional()
      .describe('Number of runtime and pull secrets that config.yaml declares.')
      .meta({ format: 'int32' }),
    delivered: z.int().optional().describe('How many of them are delivered.').meta({ format: 'int32' }),
    summary: z.string().max(32).optional().describe('delivered/declared, for kubectl get.'),
    secrets: z
      .array(secretStatus)
      .max(2048)
      .optional()
      .describe('One entry per declared secret, sorted by name. Never a value.')
      .meta(WRITTEN_AS_A_WHOLE),
    workloads: z
      .array(workloadStatus)
      .max(32)
      .optional()
      .describe('One entry per workload.')
      .meta(WRITTEN_AS_A_WHOLE),
    conditions: z
      .array(condition)
      .max(16)
      .optional()
      .describe(
        'Ready, ConfigValid, Trusted, SecretsResolved, Delivered, Injected; Reconciling or Stalled while not Ready.',
      )
      .meta(WRITTEN_AS_A_WHOLE),
  })
  .describe('What was found and done.');

export type ModelDeploymentSpec = z.output<typeof modelDeploymentSpec>;
export type ModelDeploymentStatus = z.output<typeof modelDeploymentStatus>;
export type SecretStatus = z.output<typeof secretStatus>;
export type WorkloadStatus = z.output<typeof workloadStatus>;
export type Condition = z.output<typeof condition>;
export type StoreRef = z.output<typeof store>;
export type Override = z.output<typeof override>;
export type WorkloadRef = z.output<typeof workload>;
