import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { stringify } from 'yaml';
import type { ModelDeploymentStatus } from '../api/model-deployment.ts';
import { startController } from '../controller/controller.ts';
import { withCluster } from './cluster.ts';
import { defineCommand } from './command.ts';
import { type DemoCluster, injectedVolume, isServed, MODEL, openDemoCluster } from './demo-cluster.ts';
import { CommandError, UsageError } from './errors.ts';
import { EXIT } from './exit-code.ts';
import type { Io } from './io.ts';
import { clusterOptions } from './options.ts';
import { table } from './print.ts';

/** The secret that is held back at first. */
const LATE = 'gfpgan_aws_bucket';
const ROTATED = 'gfpgan_aws_secret_access_key';
const WITHIN_MS = 30_000;

export const demo = defineCommand({
  usage: 'demo --context CONTEXT [--kubeconfig FILE]',
  description: [
    "Shows the whole thing at work on a cluster: the Truss documentation's own example (GFP-GAN with four AWS secrets), in a namespace of its own that is removed at the end, with the operator running inside this command.",
    'The cluster has to be named, so that nobody touches one by accident. From a clone, `npm run demo` starts one of its own.',
  ],
  options: { context: clusterOptions.context, kubeconfig: clusterOptions.kubeconfig },
  examples: [{ does: 'on a kind cluster', line: 'truss-secrets demo --context kind-kind' }],
  run: async (io, { values }) => {
    if (values.context === undefined && values.kubeconfig === undefined) {
      throw new UsageError(
        'name the cluster with --context (from a clone of the project, npm run demo starts one)',
      );
    }
    return await withCluster(io, { ...values, namespace: undefined }, async ({ client }) => {
      const at = await openDemoCluster(client);
      const interrupted = new AbortController();
      const off = io.onSignals(['SIGINT', 'SIGTERM'], () => interrupted.abort());
      try {
        await play(io, at, interrupted.signal);
      } finally {
        off();
        await at.cleanUp();
        say(io, `Namespace ${at.namespace} is removed.`);
      }
      say(io, '\nAll of it held.');
      return EXIT.done;
    });
  },
});

const say = (io: Io, text: string): void => io.stdout.write(`${text}\n`);

const step = (io: Io, text: string): void => say(io, `\n==> ${text}`);

/** The play in five acts; each one checks what it shows, and throws a CommandError if it does not hold. */
async function play(io: Io, at: DemoCluster, signal: AbortSignal): Promise<void> {
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> =>
    await waitFor(what, holds, signal);
  const logger = pino({ level: 'silent' });

  step(
    io,
    `Namespace ${at.namespace}: the store's Secret (without ${LATE}), the config.yaml, a Deployment, the model`,
  );
  await until('the ModelDeployment API is served', async () => await isServed(at.client, at.namespace));
  await at.apply('secret.yaml', ({ stringData = {} }) => {
    delete stringData[LATE];
  });
  await at.applyConfig();
  await at.apply('deployment.yaml');
  await at.apply('model.yaml');

  const operator = await startController({ client: at.client, logger, namespaces: [at.namespace] });
  try {
    await operator.lead();
    await until('the missing secret is reported', async () => (await at.status()).summary === '3/4');
    show(io, await at.status());

    step(io, `${LATE} is stored: the model becomes Ready`);
    await at.setStoreKey(LATE, 'a-bucket');
    await until('the model is Ready', async () => isReady(await at.status()));
    show(io, await at.status());
    await check(
      'the delivered Secret has the four declared names and nothing else',
      async () => await isExact(at),
    );
    say(
      io,
      'The delivered Secret has the four declared names, byte for byte, and nothing else of the store.',
    );
    say(io, `The pod template of Deployment ${MODEL} now holds, besides what it had:\n`);
    const deployment = await at.deployment();
    say(io, indented(stringify({ volumes: [injectedVolume(deployment)] })));

    step(io, `${ROTATED} is rotated in the store`);
    await at.setStoreKey(ROTATED, 'another-secret-access-key');
    await until('the rotated value is delivered', async () => await isExact(at));
    await check('a rotation writes nothing to the workload', async () => {
      return (await at.deployment()).metadata.generation === deployment.metadata.generation;
    });
    say(io, 'The new value is delivered; running pods see it in their file. The Deployment was not touched.');

    step(io, 'Trust is revoked: spec.trusted = false');
    await at.setTrusted(false);
    await until('everything is taken back', async () => await isTakenBack(at));
    show(io, await at.status());
    say(io, 'The delivered Secret is deleted, and the pod template is as it was.');

    step(io, 'Trusted again, and then the model is deleted');
    await at.setTrusted(true);
    await until('the model is Ready again', async () => isReady(await at.status()));
    await at.deleteModel();
    await until(
      'the pod template is as it was',
      async () => injectedVolume(await at.deployment()) === undefined,
    );
    say(io, 'Nothing is left in the Deployment; the delivered Secret goes with its owner.');
  } finally {
    await operator.stop();
  }
}

async function waitFor(what: string, holds: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + WITHIN_MS;
  while (!(await holds())) {
    if (signal.aborted) throw new CommandError('interrupted');
    if (Date.now() > deadline) throw new CommandError(`this did not come true within 30 s: ${what}`);
    await delay(100);
  }
}

async function check(what: string, holds: () => Promise<boolean>): Promise<void> {
  if (!(await holds())) throw new CommandError(`this does not hold: ${what}`);
}

const isReady = ({ conditions }: ModelDeploymentStatus): boolean =>
  conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

/** Declared = delivered, byte for byte. */
async function isExact(at: DemoCluster): Promise<boolean> {
  const [delivered, stored, { secrets = [] }] = await Promise.all([at.delivered(), at.stored(), at.status()]);
  if (!delivered || delivered.size !== secrets.length) return false;
  return secrets.every(({ name }) => {
    const value = stored.get(name);
    return value !== undefined && (delivered.get(name)?.equals(value) ?? false);
  });
}

async function isTakenBack(at: DemoCluster): Promise<boolean> {
  const { conditions } = await at.status();
  const untrusted = conditions?.some(({ type, status }) => type === 'Trusted' && status === 'False') ?? false;
  return (
    untrusted && (await at.delivered()) === undefined && injectedVolume(await at.deployment()) === undefined
  );
}

/** As `kubectl get mdep` and its status would: never a value. */
function show(io: Io, { summary = '', secrets = [], conditions = [] }: ModelDeploymentStatus): void {
  const of = (type: string) => conditions.find((condition) => condition.type === type);
  const ready = of('Ready');
  say(io, '');
  io.stdout.write(
    table(
      io.stdout,
      [
        { title: 'NAME', cell: () => MODEL },
        { title: 'TRUSTED', cell: () => of('Trusted')?.status ?? '' },
        { title: 'SECRETS', cell: () => summary },
        {
          title: 'READY',
          cell: () => ready?.status ?? '',
          style: () => (ready?.status === 'True' ? 'green' : 'yellow'),
        },
        { title: 'REASON', cell: () => ready?.reason ?? '' },
      ],
      [ready],
    ),
  );
  say(io, '');
  io.stdout.write(
    indented(
      table(
        io.stdout,
        [
          { title: 'SECRET', cell: ({ name }) => name },
          {
            title: 'STATE',
            cell: ({ state }) => state,
            style: ({ state }) => (state === 'Delivered' ? 'green' : 'yellow'),
          },
          { title: 'FROM', cell: ({ source }) => (source ? `${source.namespace}/${source.name}` : '') },
        ],
        secrets,
      ),
    ),
  );
  if (ready?.status !== 'True') say(io, `\n  ${ready?.message ?? ''}`);
}

const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ');
