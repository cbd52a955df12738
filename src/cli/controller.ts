import { pino } from 'pino';
import { startController } from '../controller/controller.ts';
import { connect, CredentialsError, type CredentialsSource } from '../kube/connection.ts';
import { createClient } from '../kube/http-client.ts';
import { defineCommand } from './command.ts';
import { CommandError, UsageError } from './errors.ts';
import { EXIT } from './exit-code.ts';
import type { Io } from './io.ts';
import { choice, clusterOptions } from './options.ts';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export const controller = defineCommand({
  usage: 'controller [--namespaces NAMESPACE,...] [OPTIONS]',
  description: [
    'Runs the operator: watches ModelDeployments, and brings each one the secrets that it declares, until it is stopped.',
    'In a pod it uses the credentials of its ServiceAccount, elsewhere those of the kubeconfig.',
  ],
  options: {
    namespaces: {
      type: 'string',
      value: 'NAMESPACE,...',
      help: 'watch only these; default: all ($TRUSS_SECRETS_NAMESPACES)',
    },
    'require-approval': {
      type: 'boolean',
      help: 'a model gets only what a ModelTrust approves, too ($TRUSS_SECRETS_REQUIRE_APPROVAL=true)',
    },
    'log-level': {
      type: 'string',
      value: LOG_LEVELS.join('|'),
      help: 'how much to log; default info ($TRUSS_SECRETS_LOG_LEVEL)',
    },
    context: clusterOptions.context,
    kubeconfig: clusterOptions.kubeconfig,
  },
  examples: [
    { does: 'run it from a clone, on the cluster that kubectl uses', line: 'truss-secrets controller' },
    {
      does: 'with the rights for two namespaces only',
      line: 'truss-secrets controller --namespaces models,org-secrets',
    },
  ],
  run: async (io, { values }) => {
    const level =
      choice('--log-level', values['log-level'] ?? io.env['TRUSS_SECRETS_LOG_LEVEL'], LOG_LEVELS) ?? 'info';
    const namespaces = namespaceList(values.namespaces ?? io.env['TRUSS_SECRETS_NAMESPACES']);
    const requireApproval = values['require-approval'] ?? flag(io.env, 'TRUSS_SECRETS_REQUIRE_APPROVAL');
    const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
    const connection = await connect(credentialsSource(io, values)).catch((error: unknown) => {
      throw error instanceof CredentialsError ? new CommandError(error.message, { cause: error }) : error;
    });
    const client = createClient(connection);
    const stopped = untilStopped(io);
    const server = `${connection.server.origin}${connection.server.pathname}`;
    logger.info({ server, namespaces: namespaces ?? 'all', requireApproval }, 'starting');
    const running = await startController({
      client,
      logger,
      requireApproval,
      ...(namespaces ? { namespaces } : {}),
    });
    void running.lead();
    const signal = await stopped;
    logger.info({ signal }, 'stopping');
    await running.stop();
    await client.close();
    return EXIT.done;
  },
});

function namespaceList(text: string | undefined): readonly string[] | undefined {
  if (text === undefined || text === '') return undefined;
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !NAMESPACE.test(name));
  if (wrong !== undefined)
    throw new UsageError(`--namespaces: ${JSON.stringify(wrong)} is no name of a namespace`);
  return [...new Set(names)];
}

/** Anything else than the two words is a mistake, which must not turn a guard off. */
function flag(env: Io['env'], name: string): boolean {
  const text = env[name] ?? '';
  if (text === '' || text === 'false') return false;
  if (text === 'true') return true;
  throw new UsageError(`${name}: ${JSON.stringify(text)} is neither true nor false`);
}

/** A pod has credentials of its own, unless others are asked for. */
function credentialsSource(
  { env }: Io,
  {
    kubeconfig,
    context,
  }: { readonly kubeconfig?: string | undefined; readonly context?: string | undefined },
): CredentialsSource {
  const inPod = env['KUBERNETES_SERVICE_HOST'] !== undefined;
  return inPod && kubeconfig === undefined && context === undefined
    ? { kind: 'in-cluster' }
    : { kind: 'kubeconfig', path: kubeconfig, context };
}

/** Resolves at the first signal to stop; a second one ends the process at once, as it does by default. */
async function untilStopped(io: Io): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const off = io.onSignals(['SIGTERM', 'SIGINT'], (signal) => {
    off();
    resolve(signal);
  });
  return await promise;
}
